-- The `drift` error of a resumed listing held a position, which failed again.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local SIZE, TOTAL = 5, 23

-- Reads to the end or to an error; gives the error.
local function error_at_end(listing)
  local customer, err
  repeat
    customer, err = listing:next()
  until customer == nil
  return err
end

local function assert_final(err)
  assert.equal("drift", err and err.kind)
  assert.is_false(err.retryable)
  assert.is_nil(err.position)
end

describe("a resumed listing's drift error", function()
  -- The first listing reads two pages; the change comes before the request `before`.
  local function resumed(change, drift)
    local client = helper.client { customers = TOTAL, changes = { change } }
    local listing = client:customers { page_size = SIZE, concurrency = 1 }
    for _ = 1, 6 do listing() end
    local position = listing:position()
    listing:close()
    return client:customers { resume = position, concurrency = 1, drift = drift }
  end

  for _, drift in ipairs { "repair", "strict", "error" } do
    it("says that no position helps, under " .. drift, function()
      for before, name in pairs { [3] = "before it began", [4] = "while it was read" } do
        local err = error_at_end(resumed({ before = before, remove = 1 }, drift))
        assert.has_no_error(function() assert_final(err) end, name)
      end
    end)
  end

  it("is raised where the total alone tells of a change", function()
    assert_final(error_at_end(resumed { before = 3, insert = TOTAL + 1 }))
  end)

  it("says so for a position taken while a page was read again", function()
    local client = helper.client { customers = 20, changes = { { before = 3, remove = 1 } } }
    local listing = client:customers { page_size = SIZE, concurrency = 1 }
    for _ = 1, 11 do listing() end -- the eleventh is on the page of the sign
    assert_final(error_at_end(client:customers { resume = listing:position() }))
  end)

  it("says so where the page is gone", function()
    local client = helper.client { customers = 11, past_end = 404,
      changes = { { before = 4, remove = { 1, 2 } } } }
    local listing = client:customers { page_size = SIZE, concurrency = 1 }
    for _ = 1, 11 do listing() end
    local position = listing:position()
    listing:close()
    assert_final(error_at_end(client:customers { resume = position }))
  end)

  it("is not like other errors, which can be resumed", function()
    local client = helper.client({ customers = TOTAL, faults = {
      { on = "page", page = 3, status = 403, times = -1 } } }, { endpoint = "get" })
    local listing = client:customers { page_size = SIZE, concurrency = 1 }
    for _ = 1, 6 do listing() end
    local err = error_at_end(client:customers { resume = listing:position() })
    assert.equal("forbidden", err.kind)
    assert.is_string(err.position)
  end)
end)
