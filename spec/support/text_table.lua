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

-- Format characters that are seen: number signs and the like.
local function is_visible(code)
  return code >= 0x600 and code <= 0x605 or code == 0x6DD or code == 0x70F or code == 0x890
    or code == 0x891 or code == 0x8E2 or code == 0x110BD or code == 0x110CD
end

local function is_joiner(code)
  return code == 0x200C or code == 0x200D
end

-- The vowels and finals of Hangul written letter by letter: they stand in the block of the first.
local function is_jamo(code)
  return code >= 0x1160 and code <= 0x11FF or code >= 0xD7B0 and code <= 0xD7FB
end

-- The half-width voiced sound marks of katakana, letters by category.
local function is_sound_mark(code)
  return code == 0xFF9E or code == 0xFF9F
end

-- Returns the letters of text.c's flags, "" for most characters.
local function flags_of(code)
  local general = category[code]
  if is_joiner(code) or is_jamo(code) or general == "Mn" or general == "Me" then
    return "M"
  elseif general == "Mc" or is_sound_mark(code) then
    return wide[code] and "M" or "S"
  elseif general == "Cf" and not is_visible(code) or general == "Cc" or general == "Zl"
    or general == "Zp" or code >= 0xE0000 and code <= 0xE007F then
    return "B"
  elseif pictograph[code] and general == "Cn" and code >= 0x1F300 then
    return "W|P" -- emoji to come
  end
  return (wide[code] and "W" or "") .. (wide[code] and pictograph[code] and "|" or "")
    .. (pictograph[code] and "P" or "")
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
