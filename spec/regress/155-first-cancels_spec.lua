-- first() cancels what is in flight, as a loop's end does: pages that nobody wants would be read.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"
local helper = require "spec.helper"

describe("first()", function()
  it("leaves nothing in flight, and the listing goes on", function()
    local client = helper.client { customers = 40, latency = 0.3 }
    local listing = client:customers { page_size = 2, endpoint = "get" }
    for _ = 1, 3 do listing() end
    assert.is_true(core.in_flight(client)) -- pages are read ahead
    assert.is_table(listing:first())
    assert.is_false(core.in_flight(client))
    assert.equal(36, listing:count())
  end)
end)
