-- In a list without ids a full page that was like the one before it was dropped without a word,
-- where there was no total, and pages in turns ended the list, though the total left rows for them.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local CUSTOMERS = "partner/external/v3/general/customers"

-- The rows of a list whose rows are these letters, and what ended it.
local function read(letters, options)
  local items, given = {}, {}
  for letter in letters:gmatch "." do items[#items + 1] = ('{"a":"%s"}'):format(letter) end
  local client = helper.client { raw_items = items, no_total = options.no_total,
    faults = options.faults }
  local listing = client:list(CUSTOMERS, { id = false, page_size = options.page_size })
  local row, err = listing:next()
  while row do
    given[#given + 1] = row.a
    row, err = listing:next()
  end
  return table.concat(given), err and err.kind, listing:stats().missing
end

describe("a list without ids", function()
  it("gives out a page that is like the one before it", function()
    for _, letters in ipairs { "aaaa", "aaaab", "abab", "aabbc", "aabbaabb", "aabb" } do
      for _, no_total in ipairs { false, true } do
        for _, page_size in ipairs { 2, 3, 4, 8 } do
          local given, kind, missing = read(letters, { page_size = page_size,
            no_total = no_total })
          assert.equal(letters, given, page_size)
          assert.is_nil(kind)
          assert.equal(0, missing)
        end
      end
    end
  end)

  it("takes pages in turns for rows as far as the total goes, and no further", function()
    local letters = ("ab"):rep(12)
    assert.equal(letters, (read(letters, { page_size = 1 })))
    local _, kind = read(letters, { page_size = 1, no_total = true })
    assert.equal("protocol", kind)
  end)

  it("ends where the server repeats its last page behind the end, or one page for ever", function()
    local given, kind = read("abcd", { page_size = 2, faults = { { on = "page", page = 3,
      times = -1, kind = "repeat_page", content = 2 } } })
    assert.equal("abcd", given)
    assert.is_nil(kind)
    given, kind = read("abcdefgh", { page_size = 2, faults = { { on = "page", times = -1,
      kind = "repeat_page", content = 1 } } })
    assert.equal("abab", given)
    assert.equal("protocol", kind)
  end)
end)
