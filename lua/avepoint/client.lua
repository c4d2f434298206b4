--- Clients: what Lua adds to the userdata that src/bind/client.c makes.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"
local driver = require "avepoint.driver"
local listing = require "avepoint.listing"

local client = {}

-- Levels count from the C function: it, the function here, its caller.
local CALLER = 2

local function make(options, level)
  if options ~= nil and type(options) == "table" then
    driver.check(options.driver, level + 1)
  end
  local made = core.client(options == nil and {} or options, level + 1)
  local state = core.state(made)
  if state.certificate then
    error("avepoint.client: signing in with a certificate is not part of this version", level + 1)
  end
  return made
end

--- Makes a client. Sends nothing.
-- @param options the README's table of client options; nil reads all from the environment
-- @return a client
-- Raises an argument error for wrong options and a `config` error object where something is
-- missing or refused.
function client.new(options)
  return make(options, CALLER)
end

--- Makes the default client, for avepoint.customers.
function client.from_environment()
  return make({}, CALLER + 1)
end

--- Lists customers through a client, for avepoint.customers.
function client.list(of, options)
  return listing.new(of, options, CALLER + 1)
end

--- Lists customers. Sends nothing until the first one is asked for.
-- @param options the README's table of listing options
-- @return a listing (on Lua 5.4: listing, nil, nil, listing, so that a generic for closes it)
function core.client_methods:customers(options)
  return listing.new(self, options, CALLER)
end

return client
