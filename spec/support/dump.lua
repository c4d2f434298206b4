--- All that a program can read of some values, and whether a secret is in it in any spelling.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local lazy = require "avepoint.lazy"

local dump = {}

-- spellings -----------------------------------------------------------------------------------

local function each_byte(format)
  return function(text)
    return (text:gsub(".", function(c) return format:format(c:byte()) end))
  end
end

local function percent(format, keep)
  return function(text)
    return (text:gsub("[^%w._~-]", function(c)
      return keep == c and "+" or format:format(c:byte())
    end))
  end
end

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

-- The digits that stand for whole groups of three bytes, from the byte behind `skipped`.
local function base64(skipped, last)
  local digits = DIGITS .. last
  return function(text)
    local out = {}
    for i = skipped + 1, #text - 2, 3 do
      local a, b, c = text:byte(i, i + 2)
      local n = a * 65536 + b * 256 + c
      for k = 3, 0, -1 do
        local digit = math.floor(n / 64 ^ k) % 64
        out[#out + 1] = digits:sub(digit + 1, digit + 1)
      end
    end
    return table.concat(out)
  end
end

local spellings = {
  plain = function(text) return text end,
  ["percent-encoded"] = percent "%%%02X", ["percent-encoded, in small letters"] = percent "%%%02x",
  ["as a form's field"] = percent("%%%02X", " "),
  ["percent-encoded throughout"] = each_byte "%%%02X",
  ["in JSON"] = function(text) return (text:gsub('[\\"]', "\\%0")) end,
  ["in JSON, with escaped slashes"] = function(text) return (text:gsub('[\\/"]', "\\%0")) end,
  ["in JSON throughout"] = each_byte "\\u%04x",
  ["in hexadecimal digits"] = each_byte "%02x",
}
for skipped = 0, 2 do -- where it stands behind something else
  spellings["in base64, behind " .. skipped] = base64(skipped, "+/")
  spellings["in base64 of URLs, behind " .. skipped] = base64(skipped, "-_")
end

-- what is to be read --------------------------------------------------------------------------

-- What avepoint.show writes of a value. A listing would be read to its end.
local function shown(value)
  if lazy.is_listing(value) then return "" end
  local parts = {}
  pcall(avepoint.show, value, { write = function(_, ...)
    for i = 1, select("#", ...) do parts[#parts + 1] = tostring(select(i, ...)) end
  end })
  return table.concat(parts)
end

-- Tables of Lua's own and of other modules are not looked into.
local function foreign()
  local seen = { [_G] = true, [getmetatable ""] = true, [getmetatable(io.stdout)] = true }
  for name, loaded in pairs(package.loaded) do
    if not name:find "^avepoint" then seen[loaded] = true end
  end
  return seen
end

local function walk(value, seen, texts)
  if seen[value] or value == nil or value ~= value then return end
  seen[value] = true
  texts[#texts + 1] = tostring(value)
  local kind = type(value)
  if kind ~= "table" and kind ~= "userdata" then return end
  texts[#texts + 1] = shown(value)
  walk(getmetatable(value), seen, texts)
  for k, v in next, kind == "table" and value or {} do
    walk(k, seen, texts)
    walk(v, seen, texts)
  end
end

--- All texts that stand in a value, in what it refers to, or in what is printed of these.
function dump.of(value)
  local texts = {}
  walk(value, foreign(), texts)
  return table.concat(texts, "\n")
end

-- the search ----------------------------------------------------------------------------------

local PART, STEP = 8, 4 -- so any twelve bytes in a row are found

--- Returns nil, or what of a secret stands in a text. `text` is as `dump.of` gives it.
function dump.find(text, secret)
  for name, spell in pairs(spellings) do
    local size = name:find "base64" and PART + 4 or PART
    for from = 1, math.max(#secret - size + 1, 1), STEP do
      local part = spell(secret:sub(from, from + size - 1))
      local at = text:find(part, 1, true)
      if at then
        return ("%s, %s: %s"):format(part, name, text:sub(math.max(at - 100, 1), at + 100))
      end
    end
  end
end

return dump
