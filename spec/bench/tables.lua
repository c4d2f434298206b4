--- What was found as tables of texts: { title =, head = list, rows = list of lists }. They are
-- printed, and written into the documentation.
-- SPDX-License-Identifier: MIT

local contenders = require "contenders"
local stats = require "stats"

local tables = {}

local function spread(figure, form)
  if figure.least == figure.greatest then
    return form:format(figure.median)
  end
  return (form .. " (" .. form .. " to " .. form .. ")"):format(figure.median, figure.least,
    figure.greatest)
end

local function row_of(one, first)
  if one.failed then
    return { one.title, "failed", "", "", "", "" }
  end
  local against, own = stats.ratio(one.wall, first.wall), stats.of(one.own)
  return { one.title, spread(stats.of(one.wall), "%.3f"), against and spread(against, "%.2f") or "",
    ("%.2f"):format(stats.of(one.cpu).median), ("%.1f"):format(stats.of(one.peak).median),
    own and ("%s: %.4g"):format(one.own_title, own.median) or "" }
end

--- A case: a row for each contender.
function tables.case(case)
  local rows = {}
  for i, one in ipairs(case.results) do
    rows[i] = row_of(one, case.results[1])
  end
  return { title = ("%s; rounds: %d"):format(case.title, case.rounds), rows = rows,
    head = { "client", "wall, s", "against the first", "CPU, s", "peak, MiB", "remark" } }
end

--- Instructions: `counted` is a table by contender.
function tables.instructions(counted)
  local rows = {}
  for i, who in ipairs(contenders.counted) do
    local found, row = counted[who] or {}, { contenders.all[who].title }
    for j, what in ipairs { "total", "libcurl", "decode", "src" } do
      row[j + 1] = found[what] and ("%.0f"):format(found[what]) or "failed"
    end
    rows[i] = row
  end
  return { title = "Instructions per customer", rows = rows,
    head = { "client", "all", "in libcurl", "in lua-cjson", "of our C files" } }
end

--- What is to be reached: a list of verdicts.
function tables.reach(list)
  local rows = {}
  for i, one in ipairs(list) do
    local figure = one.figure
    rows[i] = { one.title, ("%s %g"):format(one.sign, one.reach),
      figure and spread(figure, figure.median > 99 and "%.0f" or "%.2f") or "", one.verdict }
  end
  return { title = "To be reached", rows = rows,
    head = { "aim", "to be reached", "measured", "verdict" } }
end

return tables
