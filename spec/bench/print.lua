--- Prints what was found as tables for reading.
-- SPDX-License-Identifier: MIT

local stats = require "stats"

local print_found = {}

local function spread(figure, form)
  return (form .. " (" .. form .. " to " .. form .. ")"):format(figure.median, figure.least,
    figure.greatest)
end

local function print_result(one, base)
  if one.failed then
    print(("  %-34s failed"):format(one.title))
    return
  end
  local wall, against = stats.of(one.wall), stats.ratio(one.wall, base.wall)
  local own = stats.of(one.own)
  print(("  %-34s %-28s %-22s %7.2f %8.1f%s"):format(one.title, spread(wall, "%.3f"),
    against and spread(against, "%.2f") or "", stats.of(one.cpu).median, stats.of(one.peak).median,
    own and ("  longest stall of the loop: %.1f ms"):format(own.median) or ""))
end

--- A case: wall seconds and their ratio to the first one's, round by round; CPU seconds; MiB.
function print_found.case(case)
  print(("\n%s; rounds: %d"):format(case.title, case.rounds))
  print(("  %-34s %-28s %-22s %7s %8s"):format("", "wall, s", "against the first", "CPU, s", "MiB"))
  for _, one in ipairs(case.results) do
    print_result(one, case.results[1])
  end
end

function print_found.instructions(titles, counted)
  print "\nInstructions per customer (callgrind)"
  print(("  %-34s %9s %9s %9s %9s"):format("", "all", "libcurl", "decode", "src/"))
  for _, one in ipairs(titles) do
    local found = counted[one.who]
    if found then
      print(("  %-34s %9.0f %9.0f %9.0f %9.0f"):format(one.title, found.total, found.libcurl,
        found.decode, found.src))
    else
      print(("  %-34s failed"):format(one.title))
    end
  end
end

function print_found.verdicts(list)
  print "\nTo be reached"
  for _, row in ipairs(list) do
    local figure = row.figure
    print(("  %-88s %8s %-9g %-26s %s"):format(row.title, row.sign, row.reach,
      figure and spread(figure, figure.median > 99 and "%.0f" or "%.2f") or "-", row.verdict))
  end
end

return print_found
