-- What switched looking ahead off: first() whose callback raised, for good; a page whose first row
-- had come before, for that page. And counts of rows that no C integer holds.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local SIZE = 5

local function pull(listing, n)
  for _ = 1, n do
    assert.is_table(listing())
  end
end

describe("looking ahead", function()
  -- A listing whose on_progress has raised in first().
  local function after_first(method)
    local raises = true
    local listing = helper.client({ customers = 200 }, { concurrency = 3 }):customers {
      page_size = SIZE, on_progress = function()
        if raises then error("mine", 0) end
      end }
    assert.equal("mine", helper.error_of(method, listing))
    raises = false
    return listing
  end

  it("goes on after first() has raised", function()
    local listing = after_first(function(l) return l:first() end)
    pull(listing, 2)
    assert.equal(1 + 3, listing:stats().requests)
    pull(listing, 2 * SIZE)
    assert.equal(3 + 3, listing:stats().requests)
    assert.equal(200 - 2 - 2 * SIZE, listing:count())
  end)

  it("goes on after first() has raised, page by page", function()
    local listing = after_first(function(l) return l:first() end)
    local next_page = listing:pages()
    for n = 1, 3 do
      assert.equal(SIZE, #next_page())
      assert.equal(n + 3, listing:stats().requests)
    end
  end)

  it("goes on after take(2) has raised and was given up", function()
    local listing = after_first(function(l) return l:take(2)() end)
    pull(listing, SIZE + 1)
    assert.equal(2 + 3, listing:stats().requests)
  end)

  it("knows what a take still needs behind what another took from it", function()
    local listing = helper.client({ customers = 200 }, { concurrency = 3 }):customers {
      page_size = SIZE }
    local both = listing:take(2 * SIZE)
    assert.equal(SIZE, #both:take(SIZE):collect())
    assert.equal(1, listing:stats().requests)
    assert.equal(SIZE, #both:collect())
    assert.equal(2, listing:stats().requests)
  end)

  it("still asks for no page that first() and take do not need", function()
    local listing = helper.client({ customers = 200 }):customers { page_size = SIZE }
    for _ = 1, SIZE + 1 do assert.is_table(listing:first()) end
    assert.equal(2, listing:stats().requests)
    assert.equal(SIZE - 1, #listing:take(SIZE - 1):collect())
    assert.equal(2, listing:stats().requests)
    assert.equal(SIZE + 1, #listing:take(SIZE + 1):collect())
    assert.equal(4, listing:stats().requests)
  end)

  it("is not for a page's first row alone, which may have come before", function()
    -- before each page one is added in front: its first row is the last one of the page before
    local listing = helper.client({ customers = 60,
      changes_every = { requests = 1, insert = 1 } }):customers { page_size = SIZE,
      concurrency = 1 }
    pull(listing, SIZE) -- page 1; the other pages give a row less
    for page = 2, 6 do
      pull(listing, 1)
      assert.equal(page + 1, listing:stats().requests)
      pull(listing, SIZE - 2)
    end
  end)
end)

describe("a count of rows", function()
  it("is refused where Lua cannot count so far", function()
    local listing = helper.client({ customers = 12 }):customers { page_size = SIZE }
    for _, name in ipairs { "take", "skip" } do
      for _, n in ipairs { 1e300, -1e300, 2 ^ 53 + 2, 2 ^ 63, math.huge, -math.huge, 0 / 0 } do
        assert.matches("listing:" .. name .. " takes a whole number from 0 to 2^53",
          helper.error_of(listing[name], listing, n), 1, true)
      end
    end
    assert.equal(12, listing:count())
  end)

  it("is exact as far as Lua counts", function()
    local client = helper.client { customers = 12 }
    assert.equal(12, client:customers():take(2 ^ 53):count())
    assert.equal(0, client:customers():skip(2 ^ 53):count())
    local listing = client:customers { page_size = SIZE }
    local skipped = listing
    for _ = 1, 1025 do skipped = skipped:skip(2 ^ 53) end -- together more than 2^63
    assert.equal(0, skipped:take(1):count())
  end)
end)
