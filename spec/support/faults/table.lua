--- The table that `make faults` prints: a line a row of the fault matrix, and a line of numbers.
-- SPDX-License-Identifier: MIT

local table_of = {}

local tally = {} -- row: { cases begun, cases that held }

--- Counts a case of a row: begun (false), then held (true).
function table_of.count(row, held)
  tally[row] = tally[row] or { 0, 0 }
  local at = held and 2 or 1
  tally[row][at] = tally[row][at] + 1
end

--- An outcome in words.
function table_of.words(outcome)
  if not outcome then return "-" end
  local tries = outcome.tries > 1 and (" after %d tries"):format(outcome.tries) or ""
  if not outcome.whole then
    return outcome.kind .. (tries ~= "" and tries or " at once")
      .. (outcome.or_whole and ", or whole" or "")
  end
  if outcome.missing then return ("whole, %d missing, warned"):format(outcome.missing) end
  return (outcome.words or "whole") .. tries
end

local function line(row)
  local cases = tally[row] or { 0, 0 }
  local once, spent = table_of.words(row.once), table_of.words(row.spent)
  local holds = cases[1] > 0 and cases[1] == cases[2]
  return ("%-44s  %-34s  %-24s  %-28s  %s"):format(row.name, table.concat(row.at, " "), once, spent,
    holds and "ok" or "FAILED")
end

--- The calls that read the list at a place. What strikes pages is tried with both: one pager reads
-- for both. The choice of an endpoint is the customers' alone.
function table_of.calls(row, place)
  if row.only then
    return { row.only }
  end
  local both = place ~= "token" and place ~= "renewal" and not (row.listing or {}).endpoint
  return both and { "customers", "list" } or { "customers" }
end

--- How large the matrix is, in words.
function table_of.size(rows)
  local places, n, cases = {}, 0, 0
  for _, row in ipairs(rows) do
    for _, place in ipairs(row.at) do
      if not places[place] then n = n + 1 end
      places[place] = true
      cases = cases + #table_of.calls(row, place) * ((row.once and 1 or 0) + (row.spent and 1 or 0))
    end
  end
  return ("%d faults, %d places, %d cases"):format(#rows, n, cases)
end

local function numbers(rows)
  local begun, held = 0, 0
  for _, row in ipairs(rows) do
    begun = begun + (tally[row] or { 0, 0 })[1]
    held = held + (tally[row] or { 0, 0 })[2]
  end
  return ("%s: %d held, %d failed"):format(table_of.size(rows), held, begun - held)
end

--- Writes the table where the environment asks for it.
function table_of.write(rows)
  local path = os.getenv "AVP_FAULTS_TABLE"
  if not path then return end
  local file = assert(io.open(path, "w"))
  file:write(("%-44s  %-34s  %-24s  %-28s  %s\n"):format("fault", "places", "once", "until spent",
    ""))
  for _, row in ipairs(rows) do file:write(line(row), "\n") end
  file:write(numbers(rows), "\n")
  file:close()
end

return table_of
