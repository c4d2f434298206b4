--- Clients: what Lua adds to the userdata that src/bind/client.c makes.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"
local driver = require "avepoint.driver"
local listing = require "avepoint.listing"
local store = require "avepoint.store"

local client = {}

-- Levels count as error() counts them, from the function that passes them on: 2 is its caller. No
-- tail calls here: they would take a level away.
local CALLER = 2

local function make(options, level)
  if type(options) == "table" then
    driver.check(rawget(options, "driver"), level + 1)
  end
  local made = core.client(options == nil and {} or options, level + 1)
  local state = core.state(made)
  if state.certificate then
    local sign, why = require("avepoint.certificate").signer(state.certificate)
    if not sign then
      made:close()
      core.config_error(why, level + 1)
    end
    state.credential, state.certificate = sign, nil -- the password is not kept
    state.about.credential_hash = core.hash(why) -- its thumbprint
  end
  if state.token_store then
    local why = store.open(state)
    if why then
      made:close()
      core.config_error(why, level + 1)
    end
  end
  return made
end

--- Makes a client. Sends nothing.
-- @param options the README's table of client options; nil reads all from the environment
-- @return a client
-- Raises an argument error for wrong options and a `config` error object where something is
-- missing or refused.
function client.new(options)
  local made = make(options, CALLER)
  return made
end

local default -- the client made from the environment

--- Lists through a default client, made from the environment when it is first needed. One that
-- could not be made is not remembered.
-- @param options those of a listing
-- @return a listing 
function client.customers(options)
  options = options == nil and {} or options
  core.check_listing(options, CALLER) -- whatever the environment holds
  default = default or make({}, CALLER)
  local made = listing.new(default, options, CALLER)
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
  local made = listing.new(self, options, CALLER)
  return made
end

return client
