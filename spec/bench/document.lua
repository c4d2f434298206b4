--- Writes doc/performance.md and doc/bench.svg from what `make bench` found last.
--
--     document.lua            from the checkout's top
--
-- SPDX-License-Identifier: MIT

package.path = "spec/bench/?.lua;" .. package.path

local cjson = require "cjson"
local picture = require "picture"
local stats = require "stats"

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

local function spread(figure, form)
  if figure.least == figure.greatest then
    return form:format(figure.median)
  end
  return (form .. " (" .. form .. " to " .. form .. ")"):format(figure.median, figure.least,
    figure.greatest)
end

local function row(...)
  return "| " .. table.concat({ ... }, " | ") .. " |"
end

local function machine(lines, found)
  local versions = {}
  for i, pair in ipairs(found.versions) do
    versions[i] = ("%s: %s"):format(pair[1], pair[2])
  end
  lines[#lines + 1] = ("Measured on %s: %s, %d cores, %s, Linux %s; client and server share the "
    .. "machine. %s."):format(found.date, found.cpu, found.cores, found.system, found.kernel,
    table.concat(versions, "; "))
end

local function reach(lines, rows)
  lines[#lines + 1] = "\n## To be reached\n"
  lines[#lines + 1] = row("figure", "to be reached", "measured (least to greatest)", "")
  lines[#lines + 1] = row("---", "---", "---", "---")
  for _, one in ipairs(rows) do
    local figure = one.figure
    lines[#lines + 1] = row(one.title, ("%s %g"):format(one.sign, one.reach),
      figure and spread(figure, figure.median > 99 and "%.0f" or "%.2f") or "-", one.verdict)
  end
end

local function instructions(lines, counted)
  lines[#lines + 1] = "\n## Instructions per customer\n"
  lines[#lines + 1] = row("", "all", "in libcurl", "in lua-cjson", "of our C files")
  lines[#lines + 1] = row("---", "--:", "--:", "--:", "--:")
  for _, pair in ipairs { { "ours", "avepoint, Lua 5.4" }, { "ours_jit", "avepoint, LuaJIT" },
    { "floor_4", "floor: C, 4 in flight" }, { "decode", "lua-cjson alone, LuaJIT" } } do
    local one = counted[pair[1]]
    if one then
      lines[#lines + 1] = row(pair[2], ("%.0f"):format(one.total), ("%.0f"):format(one.libcurl),
        ("%.0f"):format(one.decode), ("%.0f"):format(one.src))
    end
  end
end

local function case_table(lines, case)
  lines[#lines + 1] = ("\n## %s\n"):format(case.title)
  lines[#lines + 1] = row("", "wall, s", "against the first", "CPU, s", "peak, MiB")
  lines[#lines + 1] = row("---", "---", "---", "--:", "--:")
  for _, one in ipairs(case.results) do
    if not one.failed then
      local own = stats.of(one.own)
      local title = one.title
        .. (own and ("; longest stall of its loop %.1f ms"):format(own.median) or "")
      lines[#lines + 1] = row(title, spread(stats.of(one.wall), "%.2f"),
        spread(stats.ratio(one.wall, case.results[1].wall), "%.2f"),
        ("%.2f"):format(stats.of(one.cpu).median), ("%.1f"):format(stats.of(one.peak).median))
    end
  end
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
local lines = { INTRODUCTION }
machine(lines, found.machine)
reach(lines, found.reach)
for _, case in ipairs(found.cases) do
  case_table(lines, case)
end
instructions(lines, found.instructions)
lines[#lines + 1] = METHOD
os.execute "mkdir -p doc"
write("doc/performance.md", table.concat(lines, "\n") .. "\n")
write("doc/bench.svg", picture(found))
