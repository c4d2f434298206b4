--- Counts which lines of lua/ this process runs. In `make coverage` each interpreter that the specs
-- start loads it first (LUA_INIT); at the end it adds a file to the folder AVP_COVERAGE.
-- SPDX-License-Identifier: MIT
-- luacheck: globals coroutine os

local folder = os.getenv "AVP_COVERAGE"
local getinfo, sethook = debug.getinfo, debug.sethook
local lines = {} -- by source, then by number
local ours = setmetatable({}, { -- what to count for a source: a table, or false
  __index = function(t, source)
    local path = source:match "^@.*/(lua/avepoint/.*)$"
    local found = path and (lines[path] or {}) or false
    if path then
      lines[path] = found
    end
    t[source] = found
    return found
  end,
})

local function on_line(_, line)
  local counted = ours[getinfo(2, "S").source]
  if counted then
    counted[line] = true
  end
end

local function save()
  local stat = io.open "/proc/self/stat"
  local name = ("%s/%s-%s"):format(folder, stat:read "*n", tostring(lines):match "%w+$")
  local file = io.open(name, "w")
  stat:close()
  for path, counted in pairs(lines) do
    for line in pairs(counted) do
      file:write(path, ":", line, "\n")
    end
  end
  file:close()
end

-- A coroutine has a hook of its own.
local create, wrap, exit = coroutine.create, coroutine.wrap, os.exit
function coroutine.create(f)
  local made = create(f)
  sethook(made, on_line, "l")
  return made
end

function coroutine.wrap(f)
  return wrap(function(...)
    sethook(on_line, "l")
    return f(...)
  end)
end

function os.exit(...)
  save()
  exit(...)
end

debug.getregistry()[save] = setmetatable({}, { __gc = save }) -- for those that end otherwise
sethook(on_line, "l")
