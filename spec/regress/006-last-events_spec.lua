-- first(), take() and break never told the events of their last request: they were handed out only
-- by the next wait, which did not come.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local function kinds_of(use)
  local kinds = {}
  local client = helper.client({ customers = 30 }, { on_event = function(event)
    kinds[#kinds + 1] = event.event
  end })
  use(client:customers { page_size = 10, concurrency = 1 })
  return table.concat(kinds, " ")
end

describe("the events of the last request are told", function()
  local one = "request response token request response page"

  it("by first", function()
    assert.equal(one, kinds_of(function(listing) listing:first() end))
  end)

  it("by total", function()
    assert.equal(one, kinds_of(function(listing) listing:total() end))
  end)

  it("by take", function()
    assert.equal(one .. " request response page", kinds_of(function(listing)
      listing:take(11):collect()
    end))
  end)

  it("by pages", function()
    assert.matches(one, kinds_of(function(listing) listing:pages()() end), 1, true)
  end)

  it("and on_progress is called once a page, also for pages without a new row", function()
    local calls = 0
    local client = helper.client { customers = 60, changes = { { before = 4, remove = 1 } } }
    local listing = client:customers { page_size = 10, on_progress = function()
      calls = calls + 1
    end }
    assert.equal(60, listing:count())
    assert.equal(listing:stats().pages, calls)
    assert.is_true(calls > 6)
  end)
end)
