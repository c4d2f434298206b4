--- Runs contenders on the simulator, round after round, and keeps what each run took.
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"
local contenders = require "contenders"
local scenarios = require("cases").scenarios

local quoted = contenders.quoted
local dir = os.getenv "BENCH_DIR"
local LONGEST = 300 -- seconds: a contender that hangs must not hang the benchmark

local runner = {}

local function write_scenario(name)
  local scenario = { journal = false }
  for field, value in pairs(scenarios[name]) do
    scenario[field] = value
  end
  local file = assert(io.open(("%s/scenarios/%s.json"):format(dir, name), "w"))
  file:write(cjson.encode(scenario))
  file:close()
end

for name in pairs(scenarios) do
  write_scenario(name)
end

-- The ports of the API and of the token's host.
local PORTS = {
  near = { os.getenv "SIMULATOR_HTTPS_PORT", os.getenv "SIMULATOR_HTTPS_PORT" },
  http1 = { os.getenv "SIMULATOR_HTTP1_PORT", os.getenv "SIMULATOR_HTTP1_PORT" },
  far = { os.getenv "BENCH_FAR_API", os.getenv "BENCH_FAR_TOKEN" },
}

--- The words that come before a command: variables by which a contender finds a scenario.
function runner.environment(who, scenario, at)
  local ports = PORTS[at or "near"]
  return ("env AVEPOINT_BASE_URL=https://localhost:%s/~%s "
    .. "AVEPOINT_TOKEN_URL=https://localhost:%s/~%s/connect/token BENCH_FILE=%s %s")
    :format(ports[1], scenario, ports[2], scenario, quoted(dir .. "/written"),
      contenders.all[who].variables)
end

-- Gives wall, cpu, peak and a figure of the contender's own; or nil and what went wrong.
local function run_once(run, case)
  local scenario = run.scenario or case.scenario
  local pipe = assert(io.popen(("%s timeout %d %s %s %s 2>&1"):format(
    runner.environment(run.who, scenario, run.at or case.at), LONGEST,
    quoted(os.getenv "BENCH_TOP" .. "/build/bench/measure"), contenders.all[run.who].command,
    run.arguments or "")))
  local out = pipe:read "*a"
  pipe:close()
  local said, wall, cpu, peak, status = out:match "^(.*)measured (%S+) (%S+) (%S+) (%S+)\n$"
  local expected = scenarios[scenario].customers * (run.expects or 0.1)
  local counted, own = (said or ""):match "^(%d+)%s*(%S*)\n$"
  if status ~= "0" or tonumber(counted) ~= expected then
    return nil, out
  end
  return { wall = tonumber(wall), cpu = tonumber(cpu), peak = peak / 1024, own = tonumber(own) }
end

local function new_result(run)
  return { name = run.name or run.who, title = run.title or contenders.all[run.who].title,
    wall = {}, cpu = {}, peak = {}, own = {}, own_title = run.own_title }
end

local function run_into(result, run, case)
  local taken, problem = run_once(run, case)
  if not taken then
    result.failed = problem
    io.stderr:write(("%s, %s: failed:\n%s"):format(case.name, result.name, problem))
    return
  end
  for what, value in pairs(taken) do
    table.insert(result[what], value)
  end
end

--- Runs a case: all its contenders in each round, each round beginning with another one.
-- @return { name =, title =, results = list in the order of the runs }
function runner.run(case)
  local done = { name = case.name, title = case.title, rounds = case.rounds, results = {} }
  for i, run in ipairs(case.runs) do
    done.results[i] = new_result(run)
  end
  for round = 1, case.rounds do
    for i = 0, #case.runs - 1 do
      local at = (i + round - 1) % #case.runs + 1
      local run, result = case.runs[at], done.results[at]
      if not result.failed then
        run_into(result, run, case)
      end
    end
  end
  return done
end

return runner
