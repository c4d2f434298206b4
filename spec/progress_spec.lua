-- What on_progress is told, and that its errors lose nothing.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local TOTAL, SIZE = 23, 5

describe("on_progress", function()
  local function calls_of(fields, options, use)
    local calls = {}
    fields.customers = fields.customers or TOTAL
    options.page_size = SIZE
    options.on_progress = function(...)
      assert.equal(2, select("#", ...))
      calls[#calls + 1] = { ... }
    end
    use(helper.client(fields):customers(options))
    return calls
  end

  it("is called once a page with what is done and the total", function()
    local wanted = { { 5, 23 }, { 10, 23 }, { 15, 23 }, { 20, 23 }, { 23, 23 } }
    for _, use in ipairs {
      function(l) l:collect() end,
      function(l) l:failed():count() end,
      function(l)
        local next_page = l:pages()
        while next_page() do assert.is_table(l) end
      end,
      function(l) l:skip(3):map(tostring):each(function() end) end,
    } do
      assert.same(wanted, calls_of({}, {}, use))
    end
    assert.same({ { 5, 23 } }, calls_of({}, {}, function(l) l:first() end))
    assert.same({}, calls_of({}, {}, tostring))
  end)

  it("has no total where the server gives none", function()
    local calls = calls_of({ no_total = true }, {}, function(l) l:count() end)
    assert.equal(12, #calls) -- five pages and an empty one, twice
    assert.equal(23, calls[5][1])
    assert.is_nil(calls[5][2])
  end)

  it("that raises loses no row, page by page neither", function()
    for at = 1, 5 do
      for _, raise_again in ipairs { false, true } do
        local n = 0
        local function progress()
          n = n + 1
          if n == at or raise_again and n == at + 1 then error("mine", 0) end
        end
        local client = helper.client { customers = TOTAL }
        local list, errors = helper.pull_all(client:customers { page_size = SIZE,
          on_progress = progress }, "mine")
        assert.is_true(errors >= 1)
        assert.equal(TOTAL, #list)
        assert.equal(TOTAL, helper.distinct(list))

        n = 0
        local rows, next_page = 0, client:customers({ page_size = SIZE,
          on_progress = progress }):pages()
        repeat
          local ok, page = pcall(next_page)
          rows = rows + (ok and page and #page or 0)
        until ok and not page
        assert.equal(TOTAL, rows, "pages, at " .. at)
      end
    end
  end)
end)
