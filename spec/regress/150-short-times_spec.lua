-- A connect_timeout below a millisecond became 0, which libcurl takes for its own: five minutes.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"
local rawserver = require "spec.support.faults.rawserver"

describe("a connect_timeout below a millisecond", function()
  setup(rawserver.start)
  teardown(rawserver.stop)

  it("is a short one, not none", function()
    rawserver.scene {} -- waits for a request, and gets a handshake
    local _, err = avepoint.client { base_url = "https://127.0.0.1:" .. rawserver.port,
      access_token = "t", ca_file = helper.ca_file, connect_timeout = 0.0005, max_attempts = 1,
      deadline = 5 }:customers():next()
    assert.equal("timeout", err.kind)
    assert.not_matches("deadline", err.message, 1, true)
  end)
end)
