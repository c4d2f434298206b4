--- Finds the known name that a misspelt one was probably meant to be.
-- SPDX-License-Identifier: MIT

local LONGEST = 32 -- characters; longer names are no slips of the hand

-- Levenshtein's distance, row by row.
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

-- camelCase, snake_case and capitals are no differences.
local function plain(name)
  return (name:lower():gsub("_", ""))
end

--- Returns the nearest of some names, or nil if none is near.
-- @param name what was written
-- @param names table whose keys are the known names
return function(name, names)
  local best, least
  if type(name) ~= "string" or #name > LONGEST then
    return nil
  end
  for known in pairs(names) do
    if type(known) == "string" then
      local d = distance(plain(name), plain(known))
      if d <= #name / 3 and (not least or d < least or d == least and known < best) then
        best, least = known, d
      end
    end
  end
  return best
end
