-- A row that was read when on_progress, on_event or a filter raised was lost where the listing was
-- then used in another way: by pages, or past the filter.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local TOTAL, SIZE = 30, 10

-- A function that raises at its n-th call.
local function raises_at(n)
  local calls = 0
  return function()
    calls = calls + 1
    if calls == n then
      error("mine", 0)
    end
  end
end

local function take_pages(listing, rows)
  for list in listing:pages() do
    for _, customer in ipairs(list) do
      rows[#rows + 1] = customer
    end
  end
end

local function pull_some(listing, rows, n)
  while #rows < n do
    local customer = listing()
    rows[#rows + 1] = customer
    if not customer then
      return
    end
  end
end

-- Reads by turns in two ways, going on after each error.
local function read(listing, first, second)
  local rows = {}
  for _, way in ipairs { first, second, first, second } do
    pcall(way, listing, rows, #rows + 7)
  end
  pull_some(listing, rows, TOTAL + 1)
  assert.equal(TOTAL, #rows)
  assert.equal(TOTAL, helper.distinct(rows))
end

describe("an error of the user's function", function()
  for at = 1, 6 do
    it(("of on_progress or on_event, call %d, loses no row, by rows and by pages"):format(at),
      function()
        for _, option in ipairs { "on_progress", "on_event" } do
          for _, ways in ipairs { { take_pages, pull_some }, { pull_some, take_pages } } do
            local f = raises_at(at)
            local client = helper.client({ customers = TOTAL },
              { on_event = option == "on_event" and f or nil })
            read(client:customers { page_size = SIZE,
              on_progress = option == "on_progress" and f or nil }, ways[1], ways[2])
          end
        end
      end)
  end

  it("of a filter loses no row but the one it had, also if the listing is then used past it",
    function()
      local client = helper.client { customers = TOTAL }
      for _, method in ipairs { "filter", "map" } do
        local listing = client:customers { page_size = SIZE }
        local f = raises_at(5)
        local rows = {}
        pcall(function()
          for customer in listing[method](listing, function(c) f() return c end) do
            rows[#rows + 1] = customer
          end
        end)
        assert.equal(4, #rows)
        local position = listing:position()
        take_pages(listing, rows)
        assert.equal(TOTAL - 1, helper.distinct(rows))
        assert.equal(TOTAL - 1, #rows)
        assert.equal(TOTAL - 5, client:customers({ resume = position }):count())
      end
    end)

  it("of a filter that then goes on gives each row once", function()
    local client = helper.client { customers = TOTAL }
    local f = raises_at(5)
    local filtered = client:customers({ page_size = SIZE }):take(20):filter(function()
      f()
      return true
    end)
    local rows = {}
    for _ = 1, 2 do
      pcall(function()
        for customer in filtered do rows[#rows + 1] = customer end
      end)
    end
    assert.equal(19, #rows)
    assert.equal(19, helper.distinct(rows))
  end)
end)
