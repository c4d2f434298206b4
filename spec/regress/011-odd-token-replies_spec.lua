-- The fault matrix found token replies that were taken for good, or for bad in the wrong way: an
-- expires_in of a wrong type (true, a list, an object) counted as absent, an infinite one (1e400)
-- as for ever; JSON nested too deep was "not JSON", kind protocol, where a page's is kind limit.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local REPLY = '{"access_token":"regress-token-0123456789","expires_in":%s}'

local function error_with(body)
  local client = helper.client { customers = 3, faults = { { on = "token", status = 200,
    body = body, times = -1 } }, token = { known = "regress-token-0123456789" } }
  return select(2, client:customers():next())
end

describe("a token reply", function()
  it("whose expires_in is no number is a protocol error", function()
    for _, value in ipairs { "true", "false", "[]", "[3600]", "{}", "1e400", '"1e999"' } do
      local err = error_with(REPLY:format(value))
      assert.equal("protocol", err and err.kind, value)
      assert.matches("expires_in", err.message, 1, true)
    end
    for _, value in ipairs { "null", "3600", '"3600"', "1e300", "0.5" } do
      assert.is_nil(error_with(REPLY:format(value)), value)
    end
  end)

  it("that is nested too deep is a limit", function()
    local err = error_with(('{"a":'):rep(200) .. "1" .. ("}"):rep(200))
    assert.equal("limit", err and err.kind)
    assert.matches("nested too deep", err.message, 1, true)
  end)
end)
