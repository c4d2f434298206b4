-- examples/jobs.lua: the failed backup jobs of all customers, against the simulator.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"
local examples = dofile(helper.top .. "/spec/support/examples.lua")

local NOON, DAY = 1773576000, "2026-03-14" -- 2026-03-15, 12:00 UTC, and the day before
local JOBS = "partner/external/v3/general/customers/%s/avpt-products/jobs/batch"

local function run(id, arguments)
  return examples.run("jobs", id, arguments)
end

-- What the example should find, customer by customer; and how many it should not.
local function expected(id)
  local client = avepoint.client(helper.options(id, {
    scope = "elements.customers.read.all elements.jobs.read.all",
  }))
  local found, others = {}, 0
  for customer in client:customers() do
    for job in client:list(JOBS:format(customer.id), { method = "POST", id = "jobId" }) do
      local failed = job.status == 3 or job.status == 7
      local is_scan = job.jobType == 0 or job.jobType == 10
      if failed and not is_scan and job.startTime:sub(1, #DAY) == DAY then
        found[#found + 1] = { job.startTime, customer.organization }
      elseif failed then
        others = others + 1 -- of another day, or a scan
      end
    end
  end
  return found, others
end

-- How long the requests for jobs took together, how long it was from the first to the last, and
-- how many there were at once at most, as the server saw it.
local function overlap(id)
  local entries = helper.journal(id, "/jobs/batch")
  local together, first, last, most = 0, math.huge, 0, 0
  for _, entry in ipairs(entries) do
    together = together + entry.answered - entry.time
    first, last = math.min(first, entry.time), math.max(last, entry.answered)
    local others = 0
    for _, other in ipairs(entries) do
      if other.time <= entry.time and entry.time < other.answered then
        others = others + 1
      end
    end
    most = math.max(most, others)
  end
  return together, last - first, most, #entries
end

describe("examples/jobs.lua", function()
  it("lists the backup jobs that failed that day, in the order of the customers", function()
    local id = helper.scenario { customers = 40, now = NOON }
    local out, code = run(id, "8 " .. DAY)
    assert.equal(0, code, out)
    local jobs, others = expected(id)
    local lines = examples.lines(out)
    assert.is_true(#jobs > 10 and others > 10)
    assert.equal(#jobs + 1, #lines, out)
    for i, job in ipairs(jobs) do
      assert.equal(job[1], lines[i]:sub(1, #job[1]))
      assert.equal(job[2], lines[i]:sub(-#job[2]))
      assert.is_nil(lines[i]:find("  ?  ", 1, true)) -- all that the simulator has are named
    end
    assert.equal(("%d backup jobs of 40 customers failed on %s"):format(#jobs, DAY), lines[#lines])
  end)

  it("takes yesterday without an argument", function()
    local before = os.date("!%Y-%m-%d", os.time() - 86400)
    local out, code = run(helper.scenario { customers = 20 })
    local after = os.date("!%Y-%m-%d", os.time() - 86400)
    assert.equal(0, code, out)
    local count, day = out:match "(%d+) backup jobs of 20 customers failed on (%S+)\n$"
    assert.is_true(tonumber(count) > 0 and (day == before or day == after), out)
  end)

  it("reads eight customers at once, in under a fifth of the time one by one takes", function()
    local id = helper.scenario { customers = 64, latency = 0.2, now = NOON }
    local out, code = run(id, "8 " .. DAY)
    assert.equal(0, code, out)
    local together, elapsed, most, requests = overlap(id)
    assert.equal(64, requests)
    assert.equal(8, most)
    assert.is_true(elapsed < together / 5, ("%.2f s of %.2f s"):format(elapsed, together))
  end)

  it("reads no more at once than it was told", function()
    local id = helper.scenario { customers = 5, latency = 0.02, now = NOON }
    assert.equal(0, select(2, run(id, "1 " .. DAY)))
    assert.equal(1, (select(3, overlap(id))))
  end)

  it("goes on behind failures that pass, and finds the same", function()
    local plain = run(helper.scenario { customers = 40, now = NOON }, "8 " .. DAY)
    local out, code = run(helper.scenario { customers = 40, now = NOON, faults = {
      { on = "jobs", status = 503, headers = { ["Retry-After"] = "0" }, every = 7, times = 5 },
      { on = "jobs", kind = "reset", every = 11, times = 2 },
    } }, "8 " .. DAY)
    assert.equal(0, code)
    assert.equal(plain, out)
  end)

  it("says in one line what is wrong", function()
    local out, code = run(helper.scenario { customers = 3, endpoints = { jobs = 403 } }, "2")
    assert.equal(1, code)
    assert.equal(1, #examples.lines(out), out)
    assert.matches("^avepoint: forbidden", out)
  end)

  it("lists nobody where there is nobody", function()
    local out, code = run(helper.scenario { customers = 0 }, "8 " .. DAY)
    assert.equal(0, code)
    assert.equal("0 backup jobs of 0 customers failed on " .. DAY .. "\n", out)
  end)
end)
