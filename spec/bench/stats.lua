--- Medians, and how far the figures lie apart.
-- SPDX-License-Identifier: MIT

local stats = {}

--- Returns { median =, least =, greatest = } of a list of numbers, or nil where it is empty.
function stats.of(list)
  local sorted, n = {}, #list
  if n == 0 then
    return nil
  end
  for i, value in ipairs(list) do
    sorted[i] = value
  end
  table.sort(sorted)
  local middle = sorted[math.ceil(n / 2)] + sorted[math.floor(n / 2) + 1]
  return { median = middle / 2, least = sorted[1], greatest = sorted[n] }
end

--- The same of a / b, round by round: what slows a round down slows both.
function stats.ratio(a, b)
  local list = {}
  for i = 1, math.min(#a, #b) do
    list[i] = a[i] / b[i]
  end
  return stats.of(list)
end

return stats
