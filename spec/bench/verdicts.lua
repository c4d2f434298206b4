--- Judges what was found by the rows of reach.lua.
-- SPDX-License-Identifier: MIT

local rows = require "reach"

local verdicts = {}

local function judge(row, value, limit)
  if value == nil then
    return "not measured"
  end
  local ratio = row.most and value / limit or limit / value
  if ratio <= 1 then
    return "reached"
  end
  return ("missed, by %.0f %%"):format((ratio - 1) * 100)
end

--- All rows: { title =, reach =, figure = (median, least, greatest; nil where not measured),
-- verdict = }. With `short` those that have a limit for it, and whether one is far off.
function verdicts.all(found, short)
  local list, far_off = {}, false
  for _, row in ipairs(rows) do
    if not short or row.far_off then
      local figure = row.figure(found)
      if type(figure) == "number" then
        figure = { median = figure, least = figure, greatest = figure }
      end
      local value = figure and figure.median
      list[#list + 1] = { title = row.title, reach = row.most or row.least,
        sign = row.most and "at most" or "at least", figure = figure or nil,
        verdict = judge(row, value, row.most or row.least) }
      if short and judge(row, value, row.far_off) ~= "reached" then
        list[#list].verdict = ("far off: the limit is %g"):format(row.far_off)
        far_off = true
      end
    end
  end
  return list, far_off
end

return verdicts
