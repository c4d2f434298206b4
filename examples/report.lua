-- Reports the customers that need attention, and which of them are new since the last run: not in
-- the snapshot that the last run left, or with another status. Made for cron and monitors.
--
--     lua examples/report.lua                         the snapshot is report.snapshot, here
--     lua examples/report.lua /var/lib/me/snapshot    or this file
--
-- Exit codes: 0 no customer needs attention, 1 some do, 2 it could not be found out (then the
-- snapshot stays as it was).
-- SPDX-License-Identifier: MIT

local path = arg[1] or "report.snapshot"

-- Returns the last run's statuses by customer, or nil if there was no run.
local function read_snapshot()
  local file = io.open(path)
  if not file then return nil end
  local statuses = {}
  for line in file:lines() do
    local id, status = line:match "^(%S+) (.*)$"
    statuses[id or ""] = status
  end
  file:close()
  return statuses
end

-- Written beside and renamed: there is never half a snapshot.
local function write_snapshot(lines)
  local file = assert(io.open(path .. ".new", "w"))
  assert(file:write(table.concat(lines)) and file:close() and os.rename(path .. ".new", path))
end

local function report()
  local avepoint = require "avepoint" -- in here: a missing module is exit code 2 as well
  local last = read_snapshot()
  local listing = avepoint.customers { deadline = 300, on_progress = avepoint.progress() }
  local attention, new, lines = {}, {}, {}
  for customer in listing:needs_attention() do
    local status = tostring(customer.jobStatus):gsub("%c", " ")
    attention[#attention + 1] = customer
    lines[#lines + 1] = ("%s %s\n"):format(customer.id, status)
    if last and last[customer.id] ~= status then new[#new + 1] = customer end
  end
  print(("%d of %s customers need attention, %s"):format(#attention, listing:total() or "?",
    last and #new .. " of them new since the last run" or "this is the first run"))
  if #new > 0 then
    print "\nNew:\n"
    avepoint.show(new)
  end
  if #attention > #new then
    print "\nAll:\n"
    avepoint.show(attention)
  end
  write_snapshot(lines)
  return #attention == 0 and 0 or 1
end

local ok, result = pcall(report)
if not ok then io.stderr:write(tostring(result), "\n") end
os.exit(ok and result or 2)
