-- What holds for customers holds for any list: the specs of drift, readings and positions again,
-- with client:list in the place of client:customers.
-- SPDX-License-Identifier: MIT

require "avepoint"
local core = require "avepoint.core"
local helper = require "spec.helper"

local PATH = "partner/external/v3/general/customers"

local customers = core.client_methods.customers

-- The same rows as those of client:customers. Only customers have the option customer_ids.
local function list(client, options)
  local its_own = {}
  for name, value in pairs(options or {}) do its_own[name] = value end
  if its_own.customer_ids then
    return customers(client, options)
  elseif its_own.endpoint == "batch" or (its_own.resume or ""):find "^%s*ap1%-b" then
    its_own.method = "POST"
  end
  its_own.endpoint = nil
  return client:list(its_own.method and PATH .. "/batch" or PATH, its_own)
end

local environment = rawget(_G, "setfenv") and getfenv(1) or _ENV

-- Loads a file of specs into this one.
local function load(path)
  if rawget(_G, "setfenv") then
    return setfenv(assert(loadfile(path)), environment)
  end
  return assert(loadfile(path, "t", environment))
end

describe("read by client:list:", function()
  setup(function() core.client_methods.customers = list end)
  teardown(function() core.client_methods.customers = customers end)

  for _, name in ipairs { "drift", "readings", "position" } do
    load(("%s/spec/%s_spec.lua"):format(helper.top, name))()
  end
end)
