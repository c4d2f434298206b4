-- Lists the backup jobs of all customers that failed yesterday (UTC). Reads the jobs of several
-- customers at once, each in a coroutine, with one client.
--
--     lua examples/jobs.lua                 eight customers at once
--     lua examples/jobs.lua 16 2026-03-14   sixteen at once, another day
--
-- Credentials come from the environment, see the README; they need both permissions of the scope.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local blocking = require "avepoint.driver.blocking"

local at_once = tonumber(arg[1]) or 8
local day = arg[2] or os.date("!%Y-%m-%d", os.time() - 24 * 60 * 60)
if not day:find "^%d%d%d%d%-%d%d%-%d%d$" then
  io.stderr:write("a day is written like 2026-03-14\n")
  os.exit(1)
end

local JOBS = "partner/external/v3/general/customers/%s/avpt-products/jobs/batch"
local SCANS = { [0] = true, [10] = true } -- types of jobs that back nothing up
local FAILED = { [3] = "failed", [7] = "failed to start" }
local TYPES = { [7] = "Microsoft 365", [11] = "Google Workspace", [12] = "IaaS + PaaS",
  [15] = "Salesforce", [16] = "Dynamics 365" }
local MODULES = { [0] = "no module", [302] = "SharePoint Online", [303] = "Exchange Online",
  [304] = "Microsoft 365 Groups", [305] = "OneDrive", [308] = "Teams", [356] = "Azure VM",
  [501] = "Gmail", [504] = "Drive" }

-- The service sends codes as numbers or as text.
local function name(names, code) return names[tonumber(code)] or code and "code " .. code end

local client -- where a coroutine has to wait for it, the coroutine yields client and seconds

-- Calls f(i) for all numbers up to `last`, for several at once. In each round every coroutine goes
-- on until it has to wait; then the loop waits for the client that they share.
local function each_at_once(last, f)
  local coroutines, i = {}, 0
  for n = 1, math.min(at_once, last) do
    coroutines[n] = coroutine.wrap(function()
      while i < last do
        i = i + 1
        f(i)
      end
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

local customers, failed = nil, {}
local ok, err = pcall(function()
  client = avepoint.client { scope = "elements.customers.read.all elements.jobs.read.all",
    driver = { wait = coroutine.yield }, concurrency = at_once }
  each_at_once(1, function() customers = client:customers():collect() end)
  each_at_once(#customers, function(i)
    local jobs = client:list(JOBS:format(customers[i].id), { method = "POST", id = "jobId" })
    failed[i] = jobs:filter(function(job)
      return FAILED[tonumber(job.status)] and not SCANS[tonumber(job.jobType)]
        and (job.startTime or ""):sub(1, 10) == day
    end):collect()
  end)
end)
if not ok then
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end
local count = 0
for i, customer in ipairs(customers) do
  for _, job in ipairs(failed[i]) do
    count = count + 1
    print(("%s  %-15s  %-37s  %s"):format(job.startTime, name(FAILED, job.status),
      ("%s, %s"):format(name(TYPES, job.jobType), name(MODULES, job.jobModule)),
      (tostring(customer.organization):gsub("%c", " "))))
  end
end
print(("%d backup jobs of %d customers failed on %s"):format(count, #customers, day))
