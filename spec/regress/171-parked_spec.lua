-- Only nginx's driver parks a client, so that on other hosts no test ran that: what is under way is
-- cancelled, and asked again once somebody waits.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"
local helper = require "spec.helper"

describe("a client that is parked", function()
  it("has nothing under way, and reads the list whole all the same", function()
    local parked = 0
    local function wait(waiting, seconds)
      if core.in_flight(waiting) and parked < 2 then
        core.park(waiting)
        parked = parked + 1
        assert.is_false(core.in_flight(waiting))
      end
      core.poll(waiting, math.min(seconds or 0.1, 0.1))
    end
    local client, id = helper.client({ customers = 5 }, { driver = { wait = wait } })
    assert.is_false(core.in_flight(client))
    assert.equal(5, client:customers():count())
    assert.equal(2, parked)
    assert.equal(1, helper.pages(id)[#helper.pages(id)])
    client:close()
    core.park(client)
    assert.is_false(core.in_flight(client))
    assert.is_nil(client:fd())
  end)
end)
