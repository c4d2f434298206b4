--- Clients: what Lua adds to the userdata that src/bind/client.c makes.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"
local driver = require "avepoint.driver"
local listing = require "avepoint.listing"
local settings = require "avepoint.settings"
local store = require "avepoint.store"

local client = {}

-- Levels count as error() counts them, from the function that passes them on: 2 is its caller. No
-- tail calls here: they would take a level away.
local CALLER = 2

-- Raises if the caller wrote `:` for `.`: the module itself then stands for the options.
local function refuse_module(options, name, level)
  if type(options) == "table" and rawget(options, "customers") == client.customers then
    error(("avepoint.%s is a function: write avepoint.%s(options)"):format(name, name), level + 1)
  end
end

-- Copies what the Lua layer needs of the settings into the client's own table; a secret is not
-- among it.
local function keep(state, values, about)
  local credential = values.client_secret or values.client_assertion or values.access_token
  state.credential = type(credential) == "function" and credential or nil
  state.driver, state.on_event = values.driver, values.on_event
  state.token_store, state.about = values.token_store, about
end

local function make(options, level)
  local values, about = settings.client(options, level + 1)
  local made = core.client(values)
  local state = core.state(made)
  keep(state, values, about)
  local wrong = state.token_store and store.open(state)
  if wrong then
    made:close()
    core.config_error(wrong, level + 1)
  end
  return made
end

--- Makes a client. Sends nothing.
-- @param options the README's table of client options; nil reads all from the environment
-- @return a client
-- Raises an argument error for wrong options and a `config` error object if something is missing or
-- refused.
function client.new(options)
  refuse_module(options, "client", CALLER)
  local made = make(options, CALLER)
  return made
end

local default -- the client made from the environment

--- Lists through a default client, made from the environment when it is first needed. One that
-- could not be made is not remembered.
-- @param options those of a listing
-- @return a listing
function client.customers(options)
  refuse_module(options, "customers", CALLER)
  local values = settings.listing(options, CALLER) -- checked whatever the environment holds
  default = default or make({}, CALLER)
  local made = listing.new(default, values, CALLER)
  return made
end

local close = core.client_methods.close

--- Ends the client and its listings; whoever waits for them gets `closed`. May be called twice.
function core.client_methods:close()
  driver.release(self)
  close(self)
  driver.wake(self)
  store.close(core.state(self))
end

core.client_meta.__close = core.client_methods.close

--- Lists customers. Sends nothing until the first one is asked for.
-- @param options the README's table of listing options
-- @return a listing
function core.client_methods:customers(options)
  if getmetatable(self) ~= core.client_meta then
    settings.fail_listing("is a method: write client:customers(options)", CALLER)
  end
  local made = listing.new(self, settings.listing(options, CALLER), CALLER)
  return made
end

return client
