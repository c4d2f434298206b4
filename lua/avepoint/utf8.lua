--- Mends text that is no UTF-8, for files that must be.
-- SPDX-License-Identifier: MIT

local utf8 = {}

local REPLACEMENT = "\239\191\189" -- U+FFFD

-- Returns how many bytes a character has that begins with these two, 1 if none does.
local function size_of(first, second)
  if first < 0xc2 or first > 0xf4 or not second then
    return 1
  elseif first < 0xe0 then
    return 2
  end
  -- the second byte's range keeps out long forms, surrogates and what lies behind the last
  local low = first == 0xe0 and 0xa0 or first == 0xf0 and 0x90 or 0x80
  local high = first == 0xed and 0x9f or first == 0xf4 and 0x8f or 0xbf
  return second >= low and second <= high and (first < 0xf0 and 3 or 4) or 1
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
