-- Lists that change while they are read: nothing lost, nothing twice, and no silence about it.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local moving = require "spec.support.moving"

local TOTAL, SIZE = moving.total, moving.size
local set_of, read = moving.set_of, moving.read
local assert_once, assert_nothing_lost = moving.assert_once, moving.assert_nothing_lost

-- Changes that leave a trace in one reading, whenever they happen.
local visible = {
  ["the first removed"] = { remove = 1 },
  ["one in the middle removed"] = { remove = 8 },
  ["the last removed"] = { remove = 23 },
  ["many removed"] = { remove = { 1, 1, 1, 1, 1, 1 } },
  ["one added in front"] = { insert = 1 },
  ["one added in the middle"] = { insert = 12 },
  ["one added at the end"] = { insert = 24 },
  ["many added"] = { insert = { 1, 1, 1, 1, 1, 1 } },
  ["the last moved to the front"] = { move = { 23, 1 } },
  ["two removed, one added"] = { remove = { 2, 2 }, insert = 20 },
}

local function copy(change, before)
  local result = { before = before }
  for k, v in pairs(change) do result[k] = v end
  return result
end

describe("repair and strict lose nothing and yield nothing twice with", function()
  for name, change in pairs(visible) do
    it(name, function()
      for _, drift in ipairs { "repair", "strict" } do
        for before = 1, 5 do
          for _, concurrency in ipairs { 1, 4 } do
            local ids, err, stats, _, client = read({ changes = { copy(change, before) } },
              { drift = drift, concurrency = concurrency })
            assert.is_nil(err and ("%s, before %d: %s"):format(drift, before, tostring(err)))
            assert_nothing_lost(ids, client)
            assert.is_true(stats.readings <= 3)
            assert.is_true(stats.requests <= 30)
          end
        end
      end
    end)
  end

  it("the same, page by page", function()
    for name, change in pairs(visible) do
      for before = 2, 5 do
        local client = helper.client { customers = TOTAL, changes = { copy(change, before) } }
        local ids = {}
        for page in client:customers({ page_size = SIZE, concurrency = 1 }):pages() do
          assert.is_true(#page > 0, name)
          for _, customer in ipairs(page) do ids[#ids + 1] = customer.id end
        end
        assert_nothing_lost(ids, client)
      end
    end
  end)

  it("changes one after another", function()
    for _, drift in ipairs { "repair", "strict" } do
      local ids, err, stats, _, client = read({ changes = { { before = 2, remove = 1 },
        { before = 4, insert = 3 }, { before = 6, remove = 9 }, { before = 9, insert = 1 },
        { before = 12, remove = { 5, 6 } } } }, { drift = drift })
      assert.is_nil(err and tostring(err))
      assert_nothing_lost(ids, client)
      assert.is_true(stats.went_back > 1)
    end
  end)

  it("in the batch, too", function()
    local ids, err, _, _, client = read({ changes = { { before = 3, remove = 1 } } },
      { endpoint = "batch" })
    assert.is_nil(err)
    assert_nothing_lost(ids, client)
  end)
end)

describe("strict", function()
  it("follows a clean reading with one more", function()
    local ids, err, stats = read({}, { drift = "strict" })
    assert.is_nil(err)
    assert.equal(TOTAL, #ids)
    assert.equal(2, stats.readings)
    assert.equal(10, stats.requests)
  end)

  it("finds what a removal and an addition hide from one reading", function()
    local ids, err, _, _, client = read({ changes = { { before = 3, remove = 1, insert = 20 } } },
      { drift = "strict" })
    assert.is_nil(err and tostring(err))
    assert_nothing_lost(ids, client)
  end)

  it("raises where the total counts what never comes", function()
    local ids, err = read({ total_add = 3 }, { drift = "strict" })
    assert.equal(TOTAL, #ids)
    assert_once(ids)
    assert.equal("drift", err.kind)
  end)
end)

describe("error", function()
  for name, change in pairs(visible) do
    local in_front = name:find "added" and not name:find "at the end" and not name:find "middle"
    if not in_front then it("raises at the first sign of " .. name, function()
      local ids, err, stats = read({ changes = { copy(change, 3) } }, { drift = "error" })
      assert.equal("drift", err and err.kind)
      assert.is_true(err.retryable)
      assert.is_string(err.position)
      assert.equal(1, stats.readings)
      assert.is_true(#ids <= TOTAL + 1)
      assert_once(ids)
    end) end
  end

  it("is silent about customers added in front, who take nobody's place", function()
    for _, places in ipairs { { 1 }, { 1, 1, 1, 1, 1, 1 } } do
      local ids, err = read({ changes = { { before = 3, insert = places } } }, { drift = "error" })
      assert.is_nil(err and tostring(err))
      assert.equal(TOTAL, #ids)
      assert_once(ids)
    end
  end)

  it("is silent about a list that stands still", function()
    local ids, err, stats = read({}, { drift = "error" })
    assert.is_nil(err)
    assert.equal(TOTAL, #ids)
    assert.equal(5, stats.requests)
  end)

  it("stays: a listing that raised drift does not go on as if nothing had been", function()
    local client = helper.client { customers = TOTAL, changes = { { before = 2, remove = 1 } } }
    local listing = client:customers { page_size = SIZE, drift = "error", concurrency = 1 }
    for _ = 1, 5 do assert.is_truthy(listing()) end
    for _ = 1, 3 do
      local customer, err = listing:next()
      assert.is_nil(customer)
      assert.equal("drift", err.kind)
    end
  end)
end)

describe("ignore", function()
  it("reads the pages as they come", function()
    local ids, err, stats = read({ changes = { { before = 3, remove = 1 } } },
      { drift = "ignore" })
    assert.is_nil(err)
    assert.equal(TOTAL - 1, #ids)
    assert.equal(1, stats.readings)
    ids = read({ changes = { { before = 3, insert = 1 } } }, { drift = "ignore" })
    assert.equal(TOTAL + 1, #ids) -- one of them twice
    local seen = set_of(ids)
    local n = 0
    for _ in pairs(seen) do n = n + 1 end
    assert.equal(TOTAL, n)
  end)
end)
