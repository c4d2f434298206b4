-- A resumed listing told on_progress only what it had read itself, rows that it gave out no more
-- included, of the total of the whole list: it never reached that. So did one with `first_page`.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local TOTAL, SIZE = 23, 5

-- What on_progress is told of a listing with these options, read to its end.
local function progress(client, options)
  local calls = {}
  options.on_progress = function(...)
    calls[#calls + 1] = { ... }
  end
  client:customers(options):count()
  return calls
end

describe("on_progress counts the whole list:", function()
  for given = 0, TOTAL do
    it("resumed behind customer " .. given, function()
      local client = helper.client { customers = TOTAL }
      local listing = client:customers { page_size = SIZE }
      for _ = 1, given do listing() end
      local last
      for i, call in ipairs(progress(client, { resume = listing:position() })) do
        assert.equal(TOTAL, call[2])
        assert.is_true(call[1] >= (last or given), ("call %d: %d done"):format(i, call[1]))
        last = call[1]
      end
      assert.equal(TOTAL, last)
    end)
  end

  it("read from a later page", function()
    local client = helper.client { customers = TOTAL }
    assert.same({ { 15, 23 }, { 20, 23 }, { 23, 23 } },
      progress(client, { page_size = SIZE, first_page = 3 }))
    assert.same({ 23, 23 }, progress(client, { page_size = SIZE, first_page = 9 })[1])
  end)

  it("resumed where the server cuts pages", function()
    local client = helper.client { customers = TOTAL, page_size_max = 3 }
    local listing = client:customers { page_size = SIZE }
    for _ = 1, 7 do listing() end
    local calls = progress(client, { resume = listing:position() })
    assert.same({ { 9, 23 }, { 12, 23 } }, { calls[1], calls[2] })
    assert.same({ 23, 23 }, calls[#calls])
  end)

  it("without a total too", function()
    local client = helper.client { customers = TOTAL, no_total = true }
    local calls = progress(client, { page_size = SIZE, first_page = 3, drift = "ignore" })
    assert.same({ { 15 }, { 20 }, { 23 } }, calls)
  end)
end)
