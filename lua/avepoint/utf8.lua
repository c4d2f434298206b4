--- Mends text that is no UTF-8, for files that must be.
-- SPDX-License-Identifier: MIT

local utf8 = {}

local REPLACEMENT = "\239\191\189" -- U+FFFD

-- The range of the second byte behind some first ones: keeps out long forms, surrogates and what
-- lies behind the last character.
local LOWEST = { [0xe0] = 0xa0, [0xf0] = 0x90 }
local HIGHEST = { [0xed] = 0x9f, [0xf4] = 0x8f }

-- Returns how many bytes a character has that begins with these two, 1 if none does.
local function size_of(first, second)
  if not second or first < 0xc2 or first > 0xf4 or second < (LOWEST[first] or 0x80)
    or second > (HIGHEST[first] or 0xbf) then
    return 1
  end
  return first < 0xe0 and 2 or first < 0xf0 and 3 or 4
end

-- Takes a byte above 127 and the continuing ones behind it. Returns nothing if they are a
-- character.
local function mended(bytes)
  local first, second = bytes:byte(1, 2)
  local size = size_of(first, second)
  if size == #bytes and size > 1 then
    return nil
  elseif size > 1 and #bytes > size then
    return bytes:sub(1, size) .. REPLACEMENT:rep(#bytes - size)
  end
  -- what begins a character and is cut short counts as one
  return REPLACEMENT:rep(size > 1 and 1 or #bytes)
end

--- Returns the text with U+FFFD in place of all that is no UTF-8.
function utf8.mend(text)
  if not text:find "[\128-\255]" then
    return text
  end
  return (text:gsub("[\128-\255][\128-\191]*", mended))
end

return utf8
