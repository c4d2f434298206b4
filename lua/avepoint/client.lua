--- Makes clients: reads their settings and adds the Lua methods to the userdata of
-- src/bind/client.c.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"
local customer = require "avepoint.customer"
local driver = require "avepoint.driver"
local json = require "avepoint.json"
local listing = require "avepoint.listing"
local problem = require "avepoint.problem"
local reads = require "avepoint.reads"
local request = require "avepoint.request"
local settings = require "avepoint.settings"
local store = require "avepoint.store"

local client = {}

-- Raises if the caller wrote `:` for `.`: the module itself then stands for the options.
local function refuse_module(options, name)
  if type(options) == "table" and rawget(options, "customers") == client.customers then
    problem.misuse("avepoint.%s is a function: write avepoint.%s(options)", name, name)
  end
end

-- Copies the settings that the Lua layer needs into the client's own table. Copies no secret.
local function keep(state, values, about)
  local credential = values.client_secret or values.client_assertion or values.access_token
  state.credential = type(credential) == "function" and credential or nil
  state.forget = values.forget -- makes a certificate's function read its files again
  state.driver, state.on_event = values.driver, values.on_event
  state.token_store, state.about = values.token_store, about
  state.status_codes, state.status_names = customer.status_codes, customer.job_status
end

--- Makes a client. Sends nothing.
-- @param options see doc/configuration.md; nil: all from the environment
-- @return a client
-- Raises an argument error for wrong options, a `config` error object if a setting is missing or
-- refused.
function client.new(options)
  refuse_module(options, "client")
  local values, about = settings.client(options)
  local made = core.client(values)
  local state = core.state(made)
  json.open(state)
  keep(state, values, about)
  local wrong = state.token_store and store.open(state)
  if wrong then
    made:close()
    problem.raise_config(wrong)
  end
  return made
end

local default -- the client made from the environment

--- Lists customers through a default client. The first call makes this client from the environment;
-- if that fails, the next call tries again.
-- @param options see doc/configuration.md
-- @return a listing
function client.customers(options)
  refuse_module(options, "customers")
  local values = reads.customers(options) -- first: a wrong option shows without credentials too
  default = default or client.new()
  return listing.new(default, values)
end

local close = core.client_methods.close

--- Closes the client and its listings; calls that wait for them end with `closed`. May be called
-- twice.
function core.client_methods:close()
  driver.release(self)
  close(self)
  driver.wake(self)
  store.close(core.state(self))
end

core.client_meta.__close = core.client_methods.close

-- Raises if a method was called with a dot.
local function check_self(self, name, arguments)
  if getmetatable(self) ~= core.client_meta then
    problem.misuse("client:%s: is a method: write client:%s(%s)", name, name, arguments)
  end
end

--- Lists customers. Sends nothing until the first one is asked for.
-- @param options see doc/configuration.md
-- @return a listing
function core.client_methods:customers(options)
  check_self(self, "customers", "options")
  return listing.new(self, reads.customers(options))
end

--- Gets one customer.
-- @param id the customer's id
-- @return the customer, or nil if there is none
function core.client_methods:customer(id)
  check_self(self, "customer", "id")
  if type(id) ~= "string" or id == "" then
    problem.misuse("client:customer takes a customer's id, a string")
  end
  local list = listing.new(self, reads.customers { customer_ids = { id } })
  local found = list:first()
  list:close()
  return found
end

--- Lists any list of the API that is paged by pageIndex and pageSize.
-- @param path below base_url
-- @param options see doc/lists.md
-- @return a listing
function core.client_methods:list(path, options)
  check_self(self, "list", "path, options")
  return listing.new(self, reads.list(path, options))
end

--- Gets one object of the API.
-- @param path below base_url
-- @param query parameters by name, or nil
-- @param options `deadline` in seconds, or nil
-- @return the decoded object; nil if the service has none (status 204)
function core.client_methods:get(path, query, options)
  check_self(self, "get", "path, query")
  return request.get(self, reads.object(path, query, options))
end

return client
