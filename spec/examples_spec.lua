-- The smaller examples that are scripts, against the simulator. jobs.lua, export.lua and those for
-- hosts have specs of their own.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"
local examples = dofile(helper.top .. "/spec/support/examples.lua")
local files = dofile(helper.top .. "/spec/support/files.lua")
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

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
    return examples.run("report", helper.scenario { items = customers_with(statuses) }, snapshot)
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
    local out, code = examples.run("report", id, snapshot)
    assert.equal(2, code)
    assert.matches("^avepoint: forbidden", out)
    assert.equal(before, helper.read(snapshot))
    -- nor without the module, or a place for the snapshot
    out, code = examples.run("report", id, snapshot,
      { environment = { LUA_PATH = "/nowhere/?.lua" } })
    assert.equal(2, code, out)
    assert.matches("module 'avepoint' not found", out, 1, true)
    out, code = report({ "Failed" }, "/nowhere/snapshot")
    assert.equal(2, code)
    assert.matches("/nowhere/snapshot", out, 1, true)
  end)
end)

describe("examples/throttled.lua", function()
  it("saves the position, waits in the next process, and goes on", function()
    local id = helper.scenario { customers = 250, faults = {
      { on = "page", page = 2, status = 429, headers = { ["Retry-After"] = "3" } },
    } }
    local path = helper.temporary ".position"
    local command = examples.command("throttled", id, ("%s 1 2>%s.log"):format(path, path))
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
    assert.same(wanted, examples.lines(first .. second))
    assert.equal(100, #examples.lines(first))
  end)

  it("waits by itself if it is not for long", function()
    local id = helper.scenario { customers = 150, faults = {
      { on = "page", page = 2, status = 429, headers = { ["Retry-After"] = "1" } },
    } }
    local out, code = examples.run("throttled", id, helper.temporary ".position")
    assert.equal(0, code)
    assert.matches("waiting 1 s: ", out, 1, true)
    assert.equal(151, #examples.lines(out))
  end)

  it("ends with 1, and without a position, if waiting does not help", function()
    local id, path = helper.scenario { endpoints = { get = 403, batch = 403 } }, helper.temporary()
    local out, code = examples.run("throttled", id, path)
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
    local out, code = examples.run("prometheus", id, path)
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
    local out, code = examples.run("prometheus",
      helper.scenario { endpoints = { get = 403, batch = 403 } }, path)
    assert.equal(1, code)
    assert.equal(1, #examples.lines(out), out)
    assert.equal("old", helper.read(path))
  end)
end)

describe("examples/tokens.lua", function()
  it("makes one token do for processes at once and after each other", function()
    local id, folder = helper.scenario { customers = 30, token_latency = 0.5 }, helper.temporary()
    local out = hosts.shell(("{ %s wait; }"):format((examples.command("tokens", id, folder)
      .. " & "):rep(4)))
    assert.equal(4, select(2, out:gsub("Failed", "")), out)
    assert.equal(0, select(2, examples.run("tokens", id, folder)))
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
    local pid = files.output_of("%s", "exec 2>&1; " .. examples.command("tokens", id, folder, more)
      .. " >/dev/null & echo $!"):match "%d+"
    while #helper.journal(id, "/token") == 0 do os.execute "sleep 0.02" end
    os.execute("kill -9 " .. pid)
    local out, code = examples.run("tokens", id, folder, more)
    assert.equal(0, code, out)
    assert.equal(2, #helper.journal(id, "/token"))
  end)
end)

describe("examples/luv.lua", function()
  it("lists while the loop goes on", function()
    local id = helper.scenario { customers = 250, latency = 0.1 }
    local out, code = examples.run("luv", id)
    assert.equal(0, code, out)
    local attention = avepoint.client(helper.options(id)):customers():needs_attention():count()
    assert.equal(attention + 1, #examples.lines(out))
    local ticks = out:match "3 pages in [%d.]+ s, while the clock ticked (%d+) times\n$"
    assert.is_true(tonumber(ticks) > 5, out)
    out, code = examples.run("luv", helper.scenario { endpoints = { get = 403, batch = 403 } })
    assert.equal(1, code)
    assert.matches("^avepoint: forbidden", out)
  end)

  it("ends at Ctrl-C", function()
    local id = helper.scenario { customers = 5, latency = 20 }
    local out, code = examples.run("luv", id, "", { before = "-e 'local uv = require [[luv]]; "
      .. "uv.new_timer():start(300, 0, function() uv.kill(uv.getpid(), [[sigint]]) end)'" })
    assert.equal(130, code, out)
    assert.equal(1, #examples.lines(out), out)
  end)
end)

describe("examples/repl.lua", function()
  -- What the prompt says to these lines.
  local function prompt(id, lines, environment)
    local path = helper.temporary ".in"
    helper.write(path, lines)
    return (hosts.shell(("{ %s; }"):format(examples.command("repl", id, "<" .. path,
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
