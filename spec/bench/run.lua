--- The benchmark: runs all cases (or the short form's), prints the tables, writes them as JSON.
-- spec/bench/bench starts the simulator and the relays, and then this.
--
--     run.lua [short]
--
-- SPDX-License-Identifier: MIT

local top = os.getenv "BENCH_TOP"
package.path = top .. "/spec/bench/?.lua;" .. package.path

local cases = require "cases"
local cjson = require "cjson"
local counted = require("contenders").counted
local instructions = require "instructions"
local machine = require "machine"
local print_table = require "print"
local runner = require "runner"
local tables = require "tables"
local verdicts = require "verdicts"

local short = arg[1] == "short"

io.stdout:setvbuf "line"
local found = { machine = machine(), cases = {}, instructions = {} }
print(("%s, %d cores, %s; load average before: %s"):format(found.machine.cpu,
  found.machine.cores, found.machine.system, found.machine.load))

-- The simulator's first requests are slower than all later ones.
runner.run { name = "warm-up", title = "warm-up", scenario = "usual", rounds = 1,
  runs = { { who = "floor_4" } } }

local failed = false
for i, case in ipairs(short and cases.short or cases.full) do
  found.cases[i] = runner.run(case)
  print_table(tables.case(found.cases[i]))
  for _, one in ipairs(found.cases[i].results) do
    failed = failed or one.failed ~= nil
  end
end

for _, who in ipairs(counted) do
  found.instructions[who] = instructions.of(who)
  failed = failed or not found.instructions[who]
end
print_table(tables.instructions(found.instructions))

local far_off
found.reach, far_off = verdicts.all(found, short)
print_table(tables.reach(found.reach))

local path = ("%s/build/bench/%s.json"):format(top, short and "short" or "bench")
local file = assert(io.open(path, "w"))
file:write(cjson.encode(found), "\n")
file:close()
os.exit(not failed and not far_off)
