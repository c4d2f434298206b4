--- Writes doc/performance.md and doc/bench.svg from what `make bench` found last.
--
--     document.lua            from the checkout's top
--
-- SPDX-License-Identifier: MIT

package.path = "spec/bench/?.lua;" .. package.path

local cjson = require "cjson"
local picture = require "picture"
local tables = require "tables"

local function read(path)
  local file = io.open(path, "rb")
  if not file then
    error("no figures: run `make bench` first", 0)
  end
  local text = file:read "*a"
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
end

-- A table of tables.lua in Markdown.
local function add_table(lines, one)
  lines[#lines + 1] = ("\n## %s\n"):format(one.title)
  for i, row in ipairs { one.head, {}, table.unpack(one.rows) } do
    lines[#lines + 1] = i == 2 and ("|---"):rep(#one.head) .. "|"
      or "| " .. table.concat(row, " | ") .. " |"
  end
end

local function machine(found)
  local versions = {}
  for i, pair in ipairs(found.versions) do
    versions[i] = ("%s %s"):format(pair[1], pair[2])
  end
  return ("Measured on %s: %s, %d cores, %s, Linux %s, load average before: %s. Clients and "
    .. "service share the machine. %s."):format(found.date, found.cpu, found.cores, found.system,
    found.kernel, found.load, table.concat(versions, ", "))
end

local INTRODUCTION = [[
# Performance

What `make bench` found last. It runs this module, what one would use instead, and a floor: bare C
with libcurl and lua-cjson and nothing between. All fetch a token, list all customers from the same
simulated service over TLS, 100 a page, and count those that have failed. `make bench-doc` writes
this page.

![Seconds that each client takes](bench.svg)
]]

local METHOD = [[

## How it is measured

- Each run is a new process. All contenders run in each round, in turns, and each round begins with
  another one. Shown are medians, with the least and the greatest in brackets; ratios are taken
  round by round.
- CPU is what the process and its children used, the peak that of the largest process.
- "50 ms away": a relay in front of token and API, two hosts, passes bytes on 25 ms later in each
  direction, however many are on their way. The kernel answers a connection's attempt at once, so
  the relay holds the first bytes of a connection back by one more round trip.
- "50 ms a page": the service thinks that long before it answers; there is no distance.
- Instructions: valgrind's callgrind counts a run on 3,100 customers less one on 100. "In libcurl"
  and "in lua-cjson" are all instructions from a call into it to its return; the collector's work
  falls to where it happens to be done.
- curl and jq: one curl for the token, one for page 1 and so the total, one for all other pages on
  one connection. LuaSocket asks for no compression, the others do.]]

local found = cjson.decode(read "build/bench/bench.json")
local lines = { INTRODUCTION, machine(found.machine) }
add_table(lines, tables.reach(found.reach))
for _, case in ipairs(found.cases) do
  add_table(lines, tables.case(case))
end
add_table(lines, tables.instructions(found.instructions))
lines[#lines + 1] = METHOD
os.execute "mkdir -p doc"
write("doc/performance.md", table.concat(lines, "\n") .. "\n")
write("doc/bench.svg", picture(found))
