-- The examples that are scripts, against the simulator. Those for hosts have specs of their own.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local cjson = require "cjson"
local helper = require "spec.helper"
local files = dofile(helper.top .. "/spec/support/files.lua")
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

local NOON, DAY = 1773576000, "2026-03-14" -- 2026-03-15, 12:00 UTC, and the day before
local JOBS = "partner/external/v3/general/customers/%s/avpt-products/jobs/batch"

-- Runs an example. `more`: words of the command line before the script, variables.
local function run_example(name, id, arguments, more)
  more = more or {}
  return helper.run_with(("%s %s/examples/%s.lua %s"):format(more.before or "", helper.top, name,
    arguments or ""), helper.environment(id, more.environment))
end

-- The same as a command of the shell, whose streams are free.
local function command_of(name, id, arguments, more)
  more = more or {}
  local preload = os.getenv "LD_PRELOAD" -- a sanitizer's, which hosts.shell takes away
  local words = { "env", preload and "LD_PRELOAD=" .. preload }
  for variable, value in pairs(helper.environment(id, more.environment)) do
    words[#words + 1] = ("%s='%s'"):format(variable, value)
  end
  return ("%s %s %s %s/examples/%s.lua %s"):format(table.concat(words, " "), helper.lua,
    more.before or "", helper.top, name, arguments or "")
end

local function run(id, arguments)
  return run_example("jobs", id, arguments)
end

local function in_lines(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  return lines
end

-- What the example should find: a pattern for each line, read one after the other.
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
    local lines = in_lines(out)
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
    assert.equal(1, #in_lines(out), out)
    assert.matches("^avepoint: forbidden", out)
  end)

  it("lists nobody where there is nobody", function()
    local out, code = run(helper.scenario { customers = 0 }, "8 " .. DAY)
    assert.equal(0, code)
    assert.equal("0 backup jobs of 0 customers failed on " .. DAY .. "\n", out)
  end)
end)

-- Customers with these statuses, as the simulator sends them; their numbers count from `first`.
local function customers_with(statuses)
  local items = {}
  for i, status in ipairs(statuses) do
    items[i] = { id = ("id-%d"):format(i), organization = "Org " .. i, jobStatus = status }
  end
  return items
end

describe("examples/report.lua", function()
  local function report(statuses, snapshot)
    return run_example("report", helper.scenario { items = customers_with(statuses) }, snapshot)
  end

  it("says what needs attention and what is new since the last run", function()
    local snapshot = helper.temporary ".snapshot"
    local out, code = report({ "Failed", "N/A", "Working", "Failed" }, snapshot)
    assert.equal(1, code, out)
    assert.matches("^2 of 4 customers need attention, this is the first run\n", out)
    -- 1 as before, 2 new, 3 still well, 4 with another status
    out, code = report({ "Failed", "Failed", "Working", "No Backup Update" }, snapshot)
    assert.equal(1, code, out)
    assert.matches("^3 of 4 customers need attention, 2 of them new since the last run\n", out)
    local new, all = out:match "\nNew:\n(.*)\nAll:\n(.*)$"
    for i, is_new in ipairs { false, true, false, true } do
      assert.equal(is_new, new:find("Org " .. i, 1, true) ~= nil, out)
      assert.equal(i ~= 3, all:find("Org " .. i, 1, true) ~= nil, out)
    end
    out, code = report({ "Failed", "Failed", "Working", "No Backup Update" }, snapshot)
    assert.equal(1, code, out)
    assert.matches("^3 of 4 customers need attention, 0 of them new since the last run\n", out)
    assert.not_matches("New:", out, 1, true)
  end)

  it("ends with 0 if no customer needs attention", function()
    local out, code = report({ "N/A", "Working" }, helper.temporary ".snapshot")
    assert.equal("0 of 2 customers need attention, this is the first run\n", out)
    assert.equal(0, code)
  end)

  it("ends with 2 if that is not known, and keeps its snapshot", function()
    local snapshot = helper.temporary ".snapshot"
    report({ "Failed" }, snapshot)
    local before = helper.read(snapshot)
    local id = helper.scenario { customers = 3, endpoints = { get = 403, batch = 403 } }
    local out, code = run_example("report", id, snapshot)
    assert.equal(2, code)
    assert.matches("^avepoint: forbidden", out)
    assert.equal(before, helper.read(snapshot))
    -- nor without the module, or a place for the snapshot
    out, code = run_example("report", id, snapshot,
      { environment = { LUA_PATH = "/nowhere/?.lua" } })
    assert.equal(2, code, out)
    assert.matches("module 'avepoint' not found", out, 1, true)
    out, code = report({ "Failed" }, "/nowhere/snapshot")
    assert.equal(2, code)
    assert.matches("/nowhere/snapshot", out, 1, true)
  end)
end)

-- Loaded before an example: kills the process by kill -9 just before its K-th step with a file.
local KILLER = [[
local left = tonumber(os.getenv "KILL_AT")
local function step()
  left = left - 1
  if left == 0 then
    os.execute "kill -9 $PPID"
    while true do end
  end
end
local function counted(f)
  return function(...) step() return f(...) end
end
local file = getmetatable(io.stdout).__index
local write, rows = file.write, 0
function file.write(self, ...)
  rows = rows + 1
  if rows % 10 == 0 then
    self:flush() -- so that part of a row can be all there is of what was not saved
    step()
  end
  return write(self, ...)
end
file.close, os.rename, os.remove = counted(file.close), counted(os.rename), counted(os.remove)
return true
]]

describe("examples/export.lua", function()
  local read = {
    csv = files.read_objects,
    jsonl = files.read_json,
    json = function(path) return cjson.decode(helper.read(path)) end,
  }

  -- Exports into a file, killed at step `at` (nil: not at all). Returns the exit code and output.
  local killer
  local function export(id, path, at)
    if not killer then
      killer = helper.temporary ".lua"
      helper.write(killer, KILLER)
    end
    local out, code = run_example("export", id, path .. " 20", at and {
      before = ("-e 'dofile [[%s]]'"):format(killer), environment = { KILL_AT = at },
    })
    return code, out
  end

  local function check(id, path, format)
    local wanted = helper.ids(avepoint.client(helper.options(id)):customers():collect())
    assert.same(wanted, helper.ids(read[format](path)))
    assert.is_nil(helper.read(path .. ".part"))
    assert.is_nil(helper.read(path .. ".state"))
  end

  for _, format in ipairs { "csv", "json", "jsonl" } do
    it("writes " .. format, function()
      for _, n in ipairs { 0, 1, 20, 130 } do
        local id, path = helper.scenario { customers = n }, helper.temporary("." .. format)
        assert.equal(0, (export(id, path)))
        if format == "csv" and n == 0 then
          assert.matches("^id,organization,[%w,]*tenantIds\r\n$", helper.read(path))
        else
          check(id, path, format)
        end
      end
    end)

    it("#long goes on without loss or doubles after kill -9 at any step: " .. format, function()
      local id = helper.scenario { customers = 130 }
      local at, killed = 0, 0
      repeat
        at = at + 1
        local path = helper.temporary("." .. format)
        local code, out = export(id, path, at)
        if code ~= 0 then
          assert.equal(137, code, out)
          killed = killed + 1
          code, out = export(id, path)
          assert.equal(0, code, out)
        end
        check(id, path, format)
      until killed < at
      assert.is_true(killed > 20, killed .. " steps")
    end)
  end

  it("#long goes on after each of many kills", function()
    local id, path = helper.scenario { customers = 400 }, helper.temporary ".csv"
    local kills = 0
    local code, out
    repeat
      code, out = export(id, path, 15)
      kills = kills + 1
      assert.is_true(kills < 100, "no progress")
    until code == 0
    assert.is_true(kills > 5, out)
    check(id, path, "csv")
  end)

  it("goes on after an error, and keeps the old file until the new one is whole", function()
    local id, path = helper.scenario { customers = 400, faults = {
      { on = "page", page = 3, status = 403 },
    } }, helper.temporary ".csv"
    helper.write(path, "old")
    local code, out = export(id, path)
    assert.equal(1, code)
    assert.equal(1, #in_lines(out), out)
    assert.equal("old", helper.read(path))
    assert.equal(0, (export(id, path)))
    local asked = helper.pages(id)
    local firsts = 0
    for _, page in ipairs(asked) do firsts = firsts + (page == 1 and 1 or 0) end
    assert.equal(1, firsts, "the list is begun once")
    check(id, path, "csv")
  end)

  it("begins anew if the list has changed meanwhile, by itself", function()
    local id, path = helper.scenario { customers = 400, changes = { { before = 5, remove = 2 } },
      faults = { { on = "page", page = 3, status = 403 } } }, helper.temporary ".csv"
    assert.equal(1, (export(id, path)))
    local code, out = export(id, path)
    assert.equal(0, code, out)
    check(id, path, "csv")
  end)
end)

describe("examples/throttled.lua", function()
  it("saves the position, waits in the next process, and goes on", function()
    local id = helper.scenario { customers = 250, faults = {
      { on = "page", page = 2, status = 429, headers = { ["Retry-After"] = "3" } },
    } }
    local path = helper.temporary ".position"
    local command = command_of("throttled", id, ("%s 1 2>%s.log"):format(path, path))
    local first, code = hosts.shell("{ " .. command .. "; }")
    assert.equal(75, code, helper.read(path .. ".log"))
    assert.matches("throttled", helper.read(path .. ".log"), 1, true)
    local second
    second, code = hosts.shell("{ " .. command .. "; }")
    assert.equal(0, code, second)
    assert.matches("waiting %d s, as the service asked", helper.read(path .. ".log"))
    local refused
    for _, entry in ipairs(helper.journal(id)) do
      if entry.status == 429 then refused = entry.answered end
    end
    local token = helper.journal(id, "/connect/token")[2] -- the next process's first request
    assert.is_true(token.time - refused > 1.9) -- times are saved in whole seconds
    assert.is_nil(helper.read(path))
    local wanted = {}
    for customer in avepoint.client(helper.options(id)):customers() do
      wanted[#wanted + 1] = ("%s  %s"):format(customer.organization, customer.jobStatus)
    end
    assert.same(wanted, in_lines(first .. second))
    assert.equal(100, #in_lines(first))
  end)

  it("waits by itself if it is not for long", function()
    local id = helper.scenario { customers = 150, faults = {
      { on = "page", page = 2, status = 429, headers = { ["Retry-After"] = "1" } },
    } }
    local out, code = run_example("throttled", id, helper.temporary ".position")
    assert.equal(0, code)
    assert.matches("waiting 1 s: ", out, 1, true)
    assert.equal(151, #in_lines(out))
  end)

  it("ends with 1, and without a position, if waiting does not help", function()
    local id, path = helper.scenario { endpoints = { get = 403, batch = 403 } }, helper.temporary()
    local out, code = run_example("throttled", id, path)
    assert.equal(1, code)
    assert.matches("^avepoint: forbidden", out)
    assert.is_nil(helper.read(path))
  end)
end)

describe("examples/prometheus.lua", function()
  -- The samples of a file in the text format: name with labels to value. Each has a type before.
  local function parse(text)
    local samples, typed = {}, {}
    assert.equal("\n", text:sub(-1))
    for line in text:gmatch "([^\n]*)\n" do
      local name = line:match "^# TYPE ([%a_]+) gauge$"
      if name then
        typed[name] = true
      elseif not line:find "^# HELP [%a_]+ %S" then
        local key, value = line:match "^([%a_]+) ([%d.e+]+)$"
        if not key then
          key, value = line:match '^([%a_]+{status="[^"\\%c]*"}) ([%d.e+]+)$'
        end
        assert.is_true(key and typed[key:match "^[%a_]+"], line)
        assert.is_nil(samples[key], line)
        samples[key] = tonumber(value)
      end
    end
    return samples
  end

  it("writes numbers that node_exporter reads", function()
    local path = helper.temporary ".prom"
    local id = helper.scenario { items = customers_with { "Failed", "Failed", "N/A", "Strange" } }
    local out, code = run_example("prometheus", id, path)
    assert.equal(0, code, out)
    local samples = parse(helper.read(path))
    for status, n in pairs { Failed = 2, ["N/A"] = 1, Strange = 1, Working = 0, unknown = 0 } do
      assert.equal(n, samples[('avepoint_customers{status="%s"}'):format(status)], status)
    end
    assert.equal(3, samples.avepoint_customers_needing_attention)
    assert.is_true(os.time() - samples.avepoint_last_success_timestamp_seconds < 60)
    assert.is_nil(helper.read(path .. ".new"))
  end)

  it("leaves the file as it was if the list cannot be read", function()
    local path = helper.temporary ".prom"
    helper.write(path, "old")
    local out, code = run_example("prometheus",
      helper.scenario { endpoints = { get = 403, batch = 403 } }, path)
    assert.equal(1, code)
    assert.equal(1, #in_lines(out), out)
    assert.equal("old", helper.read(path))
  end)
end)

describe("examples/tokens.lua", function()
  it("makes one token do for processes at once and after each other", function()
    local id, folder = helper.scenario { customers = 30, token_latency = 0.5 }, helper.temporary()
    local out = hosts.shell(("{ %s wait; }"):format((command_of("tokens", id, folder)
      .. " & "):rep(4)))
    assert.equal(4, select(2, out:gsub("Failed", "")), out)
    assert.equal(0, select(2, run_example("tokens", id, folder)))
    assert.equal(1, #helper.journal(id, "/token"))
    local modes = files.output_of("stat -c '%%a %%F' %s %s/*", folder, folder)
    for mode in modes:gmatch "[^\n]+" do
      assert.is_true(mode == "700 directory" or mode:find "^600 regular" ~= nil, modes)
    end
    assert.matches("600 regular file\n", modes, 1, true)
  end)

  it("lets others sign in once the lock of a process that died has expired", function()
    local id = helper.scenario { customers = 3, faults = { { on = "token", kind = "wait",
      seconds = 60 } } }
    local folder, short = helper.temporary(), helper.temporary ".lua"
    helper.write(short, "require('avepoint.store').lock_seconds = 1")
    local more = { before = ("-e 'dofile [[%s]]'"):format(short) }
    local pid = files.output_of("%s", "exec 2>&1; " .. command_of("tokens", id, folder, more)
      .. " >/dev/null & echo $!"):match "%d+"
    while #helper.journal(id, "/token") == 0 do os.execute "sleep 0.02" end
    os.execute("kill -9 " .. pid)
    local out, code = run_example("tokens", id, folder, more)
    assert.equal(0, code, out)
    assert.equal(2, #helper.journal(id, "/token"))
  end)
end)

describe("examples/luv.lua", function()
  it("lists while the loop goes on", function()
    local id = helper.scenario { customers = 250, latency = 0.1 }
    local out, code = run_example("luv", id)
    assert.equal(0, code, out)
    local attention = avepoint.client(helper.options(id)):customers():needs_attention():count()
    assert.equal(attention + 1, #in_lines(out))
    local ticks = out:match "3 pages in [%d.]+ s, while the clock ticked (%d+) times\n$"
    assert.is_true(tonumber(ticks) > 5, out)
    out, code = run_example("luv", helper.scenario { endpoints = { get = 403, batch = 403 } })
    assert.equal(1, code)
    assert.matches("^avepoint: forbidden", out)
  end)

  it("ends at Ctrl-C", function()
    local id = helper.scenario { customers = 5, latency = 20 }
    local out, code = run_example("luv", id, "", { before = "-e 'local uv = require [[luv]]; "
      .. "uv.new_timer():start(300, 0, function() uv.kill(uv.getpid(), [[sigint]]) end)'" })
    assert.equal(130, code, out)
    assert.equal(1, #in_lines(out), out)
  end)
end)

describe("examples/repl.lua", function()
  -- What the prompt says to these lines.
  local function prompt(id, lines, environment)
    local path = helper.temporary ".in"
    helper.write(path, lines)
    return (hosts.shell(("{ %s; }"):format(command_of("repl", id, "<" .. path,
      { before = "-i", environment = environment }))))
  end

  it("has a client, help, and values that can be read", function()
    local id = helper.scenario { items = customers_with { "Failed", "N/A", "Failed" } }
    local out = prompt(id, [[
print(help)
print(client:customers():failed():collect())
print(client:customers():count_by "jobStatus")
print(client:customers())
print(client:customers():first())
print(1, nil, "two")
print(client:customer())
]])
    assert.matches("client:customer(\"id\")", out, 1, true)
    assert.matches("Org 1 +Failed", out)
    assert.matches("Failed +2", out)
    assert.matches("avepoint.listing (0", out, 1, true)
    assert.matches("organization +Org 1\n", out)
    assert.matches("1\tnil\ttwo\n", out, 1, true)
  end)

  it("says what is missing, and stays", function()
    local out = prompt(helper.scenario {}, "print(6 * 7)\n", { AVEPOINT_CLIENT_SECRET = false })
    assert.matches("avepoint: config", out, 1, true)
    assert.matches("avepoint.doctor()", out, 1, true)
    assert.matches("42\n", out, 1, true)
  end)
end)
