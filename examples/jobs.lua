-- Lists the backup jobs of all customers that failed yesterday (UTC). Reads the jobs of several
-- customers at once, each in a coroutine, with one client.
--
--     lua examples/jobs.lua 16 2026-03-14     sixteen at once, another day; without: eight
-- The app needs both permissions of `scope`. Exit codes: 0 listed, 1 failed.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local blocking = require "avepoint.driver.blocking"
local at_once, day = tonumber(arg[1]) or 8, arg[2] or os.date("!%Y-%m-%d", os.time() - 86400)
local JOBS = "partner/external/v3/general/customers/%s/avpt-products/jobs/batch"
local FAILED = { [3] = "failed", [7] = "failed to start" }
local SCANS = { [0] = true, [10] = true } -- types of jobs that back nothing up
local TYPES = { [7] = "Microsoft 365", [11] = "Google Workspace", [12] = "IaaS + PaaS",
  [15] = "Salesforce", [16] = "Dynamics 365" }

-- Calls f(i) for all numbers up to `last`, several at once: each coroutine goes on until it has to
-- wait (`driver`, below, yields); when all do, the loop waits for the client that they share.
local function each_at_once(client, last, f)
  local coroutines, i = {}, 0
  for n = 1, math.min(at_once, last) do
    coroutines[n] = coroutine.wrap(function()
      while i < last do i = i + 1; f(i) end
    end)
  end
  while #coroutines > 0 do
    local soonest = math.huge
    for n = #coroutines, 1, -1 do
      local waits, seconds = coroutines[n]()
      soonest = math.min(waits and seconds or soonest, soonest)
      if not waits then table.remove(coroutines, n) end -- it has ended
    end
    if #coroutines > 0 then blocking.wait(client, soonest) end
  end
end

local ok, err = pcall(function()
  if not day:find "^%d%d%d%d%-%d%d%-%d%d$" then error("a day is written like 2026-03-14", 0) end
  local client = avepoint.client { scope = "elements.customers.read.all elements.jobs.read.all",
    driver = { wait = coroutine.yield }, concurrency = at_once }
  local customers, lines, count = {}, {}, 0
  each_at_once(client, 1, function() customers = client:customers():collect() end)
  each_at_once(client, #customers, function(i)
    local jobs = client:list(JOBS:format(customers[i].id), { method = "POST", id = "jobId" })
    jobs = jobs:filter(function(job)
      return FAILED[tonumber(job.status)] and not SCANS[tonumber(job.jobType)]
        and tostring(job.startTime):sub(1, #day) == day
    end):collect()
    for n, job in ipairs(jobs) do
      jobs[n] = ("%s  %-15s  %-16s  %s\n"):format(job.startTime, FAILED[tonumber(job.status)],
        TYPES[tonumber(job.jobType)] or "?", (tostring(customers[i].organization):gsub("%c", " ")))
    end
    count, lines[i] = count + #jobs, table.concat(jobs)
  end)
  io.write(table.concat(lines))
  print(("%d backup jobs of %d customers failed on %s"):format(count, #customers, day))
end)
if not ok then io.stderr:write(tostring(err), "\n") end
os.exit(ok and 0 or 1)
