--- Finds the known name that a misspelt name probably means.
-- SPDX-License-Identifier: MIT

local LONGEST = 31 -- bytes; a longer name is no slip of the pen

-- Returns the edit distance: how many bytes to change, add or remove until `a` is `b`.
local function distance(a, b)
  local row = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local corner = row[0]
    row[0] = i
    for j = 1, #b do
      local change = corner + (a:byte(i) == b:byte(j) and 0 or 1)
      corner = row[j]
      row[j] = math.min(change, row[j] + 1, row[j - 1] + 1)
    end
  end
  return row[#b]
end

--- Returns the name of the list that is nearest to the given one, or nil if none is near: at most a
-- third of the letters may be wrong. Of two that are equally near, returns the first.
-- @param name a string
-- @param names list of strings
local function nearest(name, names)
  local best, least = nil, math.floor(#name / 3) + 1
  for _, known in ipairs(names) do
    if #name <= LONGEST and #known <= LONGEST then
      local d = distance(name, known)
      if d < least then
        best, least = known, d
      end
    end
  end
  return best
end

return nearest
