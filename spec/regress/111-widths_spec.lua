-- Widths were guessed by first bytes: half-width katakana took two columns, a decomposed letter
-- two, Devanagari and emoji of several characters the sum of theirs; a cut could fall between a
-- letter and its mark.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local core = require "avepoint.core"
local helper = require "spec.helper"

-- Characters by code point, since Lua 5.1 has no escape for them.
local function u(...)
  local parts = {}
  for i, code in ipairs { ... } do
    if code < 0x80 then
      parts[i] = string.char(code)
    elseif code < 0x800 then
      parts[i] = string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64)
    elseif code < 0x10000 then
      parts[i] = string.char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64,
        0x80 + code % 64)
    else
      parts[i] = string.char(0xF0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64,
        0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
    end
  end
  return table.concat(parts)
end

local WIDTHS = {
  { "abc", 3 },
  { "Zürich", 6 },
  { "東京", 4 },
  { "한국", 4 },
  { u(0x1112, 0x1161, 0x11AB), 2, "decomposed Hangul" },
  { u(0xFF76, 0xFF9E, 0xFF7D), 3, "half-width katakana and a sound mark" },
  { u(0xFF21), 2, "full-width A" },
  { u(0x65, 0x301), 1, "decomposed e acute" },
  { u(0x304B, 0x3099), 2, "decomposed kana" },
  { u(0x915, 0x94D, 0x937, 0x93F), 3, "a Devanagari conjunct with a vowel" },
  { u(0xE19, 0xE49, 0xE33), 2, "Thai with a tone" },
  { u(0x5E9, 0x5B8, 0x5DC), 2, "Hebrew with a vowel" },
  { u(0x1F600), 2, "an emoji" },
  { u(0x1F469, 0x200D, 0x1F4BB), 2, "a joined emoji" },
  { u(0x1F468, 0x200D, 0x1F469, 0x200D, 0x1F467), 2, "a family" },
  { u(0x2764), 1, "a heart as text" },
  { u(0x2764, 0xFE0F), 2, "a heart as emoji" },
  { u(0x1F44D, 0x1F3FD), 2, "a skin tone" },
  { u(0x261D, 0x1F3FD), 2, "a skin tone on a narrow hand" },
  { u(0x1F1E9, 0x1F1EA, 0x1F1EB, 0x1F1F7), 4, "two flags" },
  { u(0x31, 0xFE0F, 0x20E3), 2, "a keycap" },
}

describe("the columns of a text", function()
  for _, row in ipairs(WIDTHS) do
    it("are those of Unicode: " .. (row[3] or row[1]), function()
      assert.equal(row[2], (core.fit(row[1])))
      assert.equal(row[1], core.clean(row[1]))
    end)

    it("are never cut within a cluster: " .. (row[3] or row[1]), function()
      local text = row[1] .. row[1]
      for most = 0, 2 * row[2] do
        local columns, bytes = core.fit(text, most)
        assert.is_true(columns <= most)
        local behind = text:sub(bytes + 1)
        local again, rest = core.fit(text:sub(1, bytes))
        assert.same({ columns, bytes }, { again, rest })
        assert.equal(2 * row[2] - columns, (core.fit(behind)))
      end
    end)
  end

  it("align the next column", function()
    local rows, lines = {}, {}
    for i, row in ipairs(WIDTHS) do
      rows[i] = { a = row[1], b = "|" }
    end
    avepoint.show(rows, { write = function(_, text) lines[#lines + 1] = text end })
    assert.equal(#rows + 1, #lines)
    for i = 2, #lines do
      assert.equal(8, (core.fit(lines[i]:match "^(.*)|$"))) -- the widest takes 6
    end
  end)

  it("count on a terminal too, where long ones are cut", function()
    local script = [[
      local rows = {}
      for name in (%q):gmatch "[^\n]+" do
        rows[#rows + 1] = { name = name:rep(20), z = "|" }
      end
      require("avepoint").show(rows)
    ]]
    local names = {}
    for i, row in ipairs(WIDTHS) do
      names[i] = row[1]
    end
    local out = helper.run_on_terminal(script:format(table.concat(names, "\n")), 30,
      { NO_COLOR = 1 })
    local n = 0
    for line in out:gmatch "([^\n]*)|\n" do
      n = n + 1
      assert.equal(29, (core.fit(line)), line)
    end
    assert.equal(#WIDTHS, n)
  end)
end)
