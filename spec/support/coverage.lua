--- Reads what gcov and coverage_hook.lua have counted, and prints a table by folder, then the lines
-- that never ran. Fails below the least percentages, which count lines that are named in
-- spec/coverage.txt as if they were not there, and for a name of which nothing is left.
--
-- usage: coverage.lua FOLDER OBJECTS ...
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"

local LEAST = { core = { 97, 90 }, bind = { 97, 90 }, lua = { 97, 0 } }

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local function lines_of(path)
  local list = {}
  for line in io.lines(path) do
    list[#list + 1] = line
  end
  return list
end

local files = {} -- by path: { lines = { [n] = count }, taken =, branches = }

local function file_of(path)
  files[path] = files[path] or { lines = {}, taken = 0, branches = 0, missed = {} }
  return files[path]
end

-- A branch that is counted in several objects (of a header) counts as taken if it is in one.
local function add_line(file, line)
  local n = line.line_number
  file.lines[n] = (file.lines[n] or 0) + line.count
  for i, branch in ipairs(line.branches) do
    local key = n .. " " .. i
    file.missed[key] = file.missed[key] ~= false and branch.count == 0
  end
end

local function read_c(objects)
  local command = ("find %s -name '*.gcno' -exec gcov -b -c --json-format --stdout {} +")
    :format(table.concat(objects, " ")) .. " 2>/dev/null"
  for report in output_of(command):gmatch "[^\n]+" do
    for _, source in ipairs(cjson.decode(report).files) do
      if source.file:find "^src/" then
        for _, line in ipairs(source.lines) do
          add_line(file_of(source.file), line)
        end
      end
    end
  end
  for _, file in pairs(files) do
    for _, missed in pairs(file.missed) do
      file.branches = file.branches + 1
      file.taken = file.taken + (missed and 0 or 1)
    end
  end
end

-- Lines with code, as the compiler lists them; those that only end something always run with it.
local function read_lua(folder)
  for path in output_of("find lua -name '*.lua' | sort"):gmatch "[^\n]+" do
    local file, text = file_of(path), lines_of(path)
    for n, instruction in output_of("luac5.4 -l -p " .. path):gmatch "\t%[(%d+)%]\t(%u+)" do
      local code = text[tonumber(n)]
      -- no hook is called for what makes room for a function's `...`
      if instruction ~= "VARARGPREP" and not code:find "^%s*[%]%)}end,;]*%s*$"
        and not code:find "^%-%-" then
        file.lines[tonumber(n)] = 0
      end
    end
  end
  for line in output_of(("find %s -type f -exec cat {} + | sort -u"):format(folder))
    :gmatch "[^\n]+" do
    local path, n = line:match "^(.*):(%d+)$"
    if files[path] and files[path].lines[tonumber(n)] then
      files[path].lines[tonumber(n)] = 1
    end
  end
end

-- spec/coverage.txt: "PATH: TEXT" names the lines of a file that hold the text (none: all).
local function read_named()
  local list = {}
  for _, line in ipairs(lines_of "spec/coverage.txt") do
    local path, text = line:match "^(%g+%.%a+): ?(.*)$"
    if path then
      list[#list + 1] = { path = path, text = text, line = line }
    end
  end
  return list
end

local named = read_named()

local function name_of(path, text)
  for _, entry in ipairs(named) do
    if entry.path == path and text:find(entry.text, 1, true) then
      entry.used = true
      return entry
    end
  end
end

local function percent(part, whole)
  return whole == 0 and 100 or 100 * part / whole
end

local function new_sum(name, kind)
  return { name = name, kind = kind, lines = 0, run = 0, named = 0, branches = 0, taken = 0 }
end

local FIELDS = { "lines", "run", "named", "branches", "taken" }

local function add(sum, more)
  for _, field in ipairs(FIELDS) do
    sum[field] = sum[field] + more[field]
  end
end

-- Sums up a file, and adds to `never` its lines that did not run and are not named.
local function sum_of(path, file, never)
  local sum, text = new_sum(path), lines_of(path)
  sum.branches, sum.taken = file.branches, file.taken
  for n, count in pairs(file.lines) do
    sum.lines = sum.lines + 1
    if count > 0 then
      sum.run = sum.run + 1
    elseif name_of(path, text[n]) then
      sum.named = sum.named + 1
    else
      never[#never + 1] = ("%s:%d: %s"):format(path, n, text[n]:match "^%s*(.*)")
    end
  end
  return sum
end

-- The rows of the table: by folder, then by what has a least percentage.
local function rows_of(never)
  local folders, rows = {}, {}
  local sums = { core = new_sum("src/core, all", "core"), bind = new_sum("src/bind, all", "bind"),
    sign = new_sum "src/sign, all", lua = new_sum("lua, all", "lua") }
  for path, file in pairs(files) do
    local name = path:match "^src/core/%a+" or path:match "^src/%a+"
      or path:match "^lua/avepoint/%a+/" or "lua/avepoint"
    local sum = sum_of(path, file, never)
    folders[name] = folders[name] or new_sum(name)
    add(folders[name], sum)
    add(sums[path:match "^src/(%a+)" or "lua"], sum)
  end
  for _, folder in pairs(folders) do
    rows[#rows + 1] = folder
  end
  table.sort(rows, function(a, b)
    return a.name < b.name
  end)
  for _, kind in ipairs { "core", "bind", "sign", "lua" } do
    rows[#rows + 1] = sums[kind]
  end
  return rows
end

-- Prints a row; returns whether it is below its least.
local function print_row(row)
  local least = LEAST[row.kind] or { 0, 0 }
  local run, taken = percent(row.run, row.lines - row.named), percent(row.taken, row.branches)
  local low = run < least[1] or taken < least[2]
  print(("%-22s %6d %6.1f %6d %8s%s"):format(row.name, row.lines, run, row.named,
    row.branches > 0 and ("%.1f"):format(taken) or "", low and "  TOO LOW" or ""))
  return low
end

local function report()
  local never, failed = {}, false
  local rows = rows_of(never)
  print(("%-22s %6s %6s %6s %8s"):format("", "lines", "run %", "named", "branch %"))
  for _, row in ipairs(rows) do
    failed = print_row(row) or failed
  end
  table.sort(never)
  print(("\nnever run, and not named in spec/coverage.txt: %d lines"):format(#never))
  print(table.concat(never, "\n"))
  for _, entry in ipairs(named) do
    if not entry.used then
      print("named in spec/coverage.txt, but nothing of it is left: " .. entry.line)
      failed = true
    end
  end
  return not failed
end

read_c { select(2, ...) }
read_lua((...))
os.exit(report())
