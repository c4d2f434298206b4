--- Writes src/core/ground/text_table.h from the Unicode Character Database (Debian: unicode-data).
-- usage: text_table.lua [FOLDER]       FOLDER: /usr/share/unicode
-- SPDX-License-Identifier: MIT

local FOLDER = arg[1] or "/usr/share/unicode"
local TARGET = "src/core/ground/text_table.h"
local LAST = 0x10FFFF
local COLUMNS = 100

-- Calls f(first, last, property) for each line of a file of the database.
local function each_range(name, f)
  for line in io.lines(FOLDER .. "/" .. name) do
    local first, last, value = line:match "^(%x+)%.?%.?(%x*)%s*;%s*([%w_]+)"
    if first then
      f(tonumber(first, 16), tonumber(last ~= "" and last or first, 16), value)
    end
  end
end

local category, wide, pictograph = {}, {}, {} -- by code point

local function mark(set, value)
  return function(first, last, property)
    for code = first, last do
      if value == nil then
        set[code] = property
      elseif value[property] then
        set[code] = true
      end
    end
  end
end

each_range("extracted/DerivedGeneralCategory.txt", mark(category))
each_range("EastAsianWidth.txt", mark(wide, { W = true, F = true }))
each_range("emoji/emoji-data.txt", mark(pictograph, { Extended_Pictographic = true }))

local function is_in(code, list)
  for _, range in ipairs(list) do
    if code >= range[1] and code <= range[2] then
      return true
    end
  end
  return false
end

-- Format characters that are seen: number signs and the like.
local VISIBLE = { { 0x600, 0x605 }, { 0x6DD, 0x6DD }, { 0x70F, 0x70F }, { 0x890, 0x891 },
  { 0x8E2, 0x8E2 }, { 0x110BD, 0x110BD }, { 0x110CD, 0x110CD } }

-- Besides marks: joiners, and the vowels and finals of Hangul written letter by letter.
local MARKS = { { 0x200C, 0x200D }, { 0x1160, 0x11FF }, { 0xD7B0, 0xD7FB } }

-- The half-width voiced sound marks of katakana, letters by category.
local SOUND_MARKS = { { 0xFF9E, 0xFF9F } }

local TAGS = { { 0xE0000, 0xE007F } }

local UNSEEN = { Cf = true, Cc = true, Zl = true, Zp = true }

local function is_blank(code)
  return is_in(code, TAGS) or UNSEEN[category[code]] and not is_in(code, VISIBLE)
end

-- An emoji of the future counts as wide: so are those of its block.
local function is_wide(code)
  return wide[code] or pictograph[code] and category[code] == "Cn" and code >= 0x1F300
end

-- Returns the letters of text.c's flags, "" for most characters.
local function flags_of(code)
  local general = category[code]
  local takes_room = general == "Mc" or is_in(code, SOUND_MARKS)
  if is_in(code, MARKS) or general == "Mn" or general == "Me" or takes_room and wide[code] then
    return "M"
  elseif takes_room then
    return "S"
  elseif is_blank(code) then
    return "B"
  elseif is_wide(code) then
    return pictograph[code] and "W|P" or "W"
  end
  return pictograph[code] and "P" or ""
end

-- Lists the ranges of equal flags. One goes on over characters that are not assigned.
local function ranges()
  local list, range = {}, nil
  for code = 0, LAST do
    local flags = flags_of(code)
    if range and flags == range.flags then
      range.last = code
    elseif flags ~= "" then
      range = { first = code, last = code, flags = flags }
      list[#list + 1] = range
    elseif category[code] ~= "Cn" then
      range = nil
    end
  end
  return list
end

local function write(list)
  local out, line = {}, " "
  for _, range in ipairs(list) do
    local text = (" {0x%X, %d, %s},"):format(range.first, range.last - range.first, range.flags)
    if #line + #text > COLUMNS then
      out[#out + 1], line = line, " "
    end
    line = line .. text
  end
  out[#out + 1] = line
  local file = assert(io.open(TARGET, "wb"))
  assert(file:write([[
/* text_table.h - ranges of Unicode that text.c treats in some way of their own: the first, how many
 * more, the flags. Written by spec/support/text_table.lua (`make text-table`), not by hand.
 * SPDX-License-Identifier: MIT */
/* clang-format off */
static const struct range ranges[] = {
]], table.concat(out, "\n"), "\n};\n"))
  assert(file:close())
end

write(ranges())
