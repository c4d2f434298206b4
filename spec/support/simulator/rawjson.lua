-- Cuts JSON text into the texts of its parts without decoding them, so that what a scenario
-- holds (empty arrays, long numbers, repeated keys) reaches the wire as it was written.
-- Expects text that a real decoder has accepted already.
-- SPDX-License-Identifier: MIT
local find, byte, sub = string.find, string.byte, string.sub

local QUOTE = byte('"')

local function string_end(text, pos)
  local at = pos + 1
  while true do
    local found = find(text, '["\\]', at)
    if byte(text, found) == QUOTE then return found end
    at = found + 2
  end
end

local function value_end(text, pos)
  local first = sub(text, pos, pos)
  if first == '"' then return string_end(text, pos) end
  if first ~= "{" and first ~= "[" then
    local _, last = find(text, "^[^,%]}%s]+", pos)
    return last
  end
  local depth, at = 1, pos
  repeat
    at = find(text, '["{}%[%]]', at + 1)
    local char = sub(text, at, at)
    if char == '"' then
      at = string_end(text, at)
    elseif char == "{" or char == "[" then
      depth = depth + 1
    else
      depth = depth - 1
    end
  until depth == 0
  return at
end

local M = {}

-- elements(text of an array): list of the texts of its elements
function M.elements(text)
  local list = {}
  local at = find(text, "%S", find(text, "[", 1, true) + 1)
  while sub(text, at, at) ~= "]" do
    local last = value_end(text, at)
    list[#list + 1] = sub(text, at, last)
    at = find(text, "[^%s,]", last + 1)
  end
  return list
end

-- members(text of an object): table from member name to the text of its value
function M.members(text)
  local found = {}
  local at = find(text, "%S", find(text, "{", 1, true) + 1)
  while sub(text, at, at) ~= "}" do
    local key_end = string_end(text, at)
    local start = find(text, "[^%s:]", key_end + 1)
    local last = value_end(text, start)
    found[sub(text, at + 1, key_end - 1)] = sub(text, start, last)
    at = find(text, "[^%s,]", last + 1)
  end
  return found
end

return M
