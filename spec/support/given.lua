--- Credentials that a user's functions give, and a service that knows a given token.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

local given = { token = "made-up-token-123456" }

local REPLY = ('{"access_token":"%s","expires_in":3600}'):format(given.token)

--- A function that gives the values of a list one after another, and the number of its calls.
function given.giving(...)
  local values, calls = { ... }, { n = 0 }
  return function(...)
    calls.n = calls.n + 1
    calls[calls.n] = { ... }
    local value = values[math.min(calls.n, #values)]
    if type(value) == "function" then return value() end
    return value
  end, calls
end

--- A scenario whose service knows given.token.
function given.knowing_token(fields)
  fields.token = fields.token or {}
  fields.token.reply = REPLY
  local id = helper.scenario(fields)
  avepoint.client(helper.options(id)):customers():first()
  return id
end

return given
