-- Where a wait is broken off by an error, the attempts' time stands still until somebody waits
-- again: what the user's code does meanwhile counts against no attempt.
-- SPDX-License-Identifier: MIT

local blocking = require "avepoint.driver.blocking"
local helper = require "spec.helper"

describe("a wait that is broken off", function()
  it("stops the time of the attempts", function()
    local sent, broken = false, false
    local function wait(client, seconds)
      if sent and not broken then
        broken = true
        error("broken off", 0)
      end
      blocking.wait(client, seconds)
    end
    local function on_event(event)
      sent = sent or event.event == "request" and event.page == 1
    end
    local list = helper.client({ customers = 4, latency = 2 }, { timeout = 1.6, endpoint = "get",
      driver = { wait = wait }, on_event = on_event }):customers()
    assert.same({ false, "broken off" }, { pcall(list) })
    os.execute "sleep 1"
    assert.equal(4, list:count())
    assert.equal(0, list:stats().retries)
  end)
end)
