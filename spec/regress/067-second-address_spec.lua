-- Where a name has two addresses and the first is silent, libcurl tries the second at half of the
-- connect timeout, but sets no timer for that, and does not announce the second one's socket if it
-- has the number of the first one's: the client never connected.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local relay = require "spec.support.relay"

describe("a name whose first address is silent", function()
  it("is reached by its second, within the connect timeout", function()
    local silent = relay.start("silent " .. helper.ports.https)
    finally(function() silent:stop() end)
    local id = helper.scenario { customers = 3 }
    local base = ("https://service.two:%s/~%s"):format(helper.ports.https, id)
    local library = helper.top .. "/build/hang.so"
    local checker = os.getenv "LD_PRELOAD" -- a sanitizer's runtime, which has to come first
    if checker then library = checker .. ":" .. library end
    local said = helper.run([[
      local avepoint = require "avepoint"
      local client = avepoint.client { connect_timeout = 2, timeout = 5, max_attempts = 1 }
      print(client:customers():count())
    ]], helper.environment(id, { AVEPOINT_BASE_URL = base,
      AVEPOINT_TOKEN_URL = base .. "/connect/token", LD_PRELOAD = library }))
    assert.equal("3\n", said)
  end)
end)
