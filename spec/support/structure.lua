--- The structure of the sources: `make figures` prints its numbers, `make lint` fails where an
-- include goes up a floor, or where units include each other in a circle.
-- SPDX-License-Identifier: MIT

-- Floors, lowest first; a file may include those of its own floor and of the floors below.
local FLOORS = { "src/core/ground", "src/core/wire", "src/core/requests", "src/core/list",
  "src/bind" }
-- The second module stands beside: it may use the dialect of the Lua versions, no more.
local BESIDE = { ["src/sign"] = { ["src/bind/compat"] = true } }

local CIRCLES = 0 -- of includes that are allowed

local failed = false

local function complain(...)
  print((...):format(select(2, ...)))
  failed = true
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local function listed(pattern)
  local paths = {}
  local pipe = assert(io.popen("git ls-files -co --exclude-standard " .. pattern))
  for path in pipe:lines() do
    local file = io.open(path)
    if file then -- else it was removed and not yet committed
      file:close()
      paths[#paths + 1] = path
    end
  end
  pipe:close()
  return paths
end

local function folder_of(path)
  return path:match "^(.*)/[^/]+$"
end

-- A unit is a header and the sources that implement it.
local function unit_of(path)
  return (path:gsub("%.[ch]$", ""))
end

local function resolve(folder, include)
  local path = folder .. "/" .. include
  local n
  repeat
    path, n = path:gsub("[^/]+/%.%./", "", 1)
  until n == 0
  return path
end

local height = {}
for i, floor in ipairs(FLOORS) do
  height[floor] = i
end

local function check_direction(path, target)
  local from, to = folder_of(path), folder_of(target)
  local beside = BESIDE[from]
  if from == to then
    return
  elseif beside then
    if not beside[to] and not beside[unit_of(target)] then
      complain("%s includes %s, which is not beside it", path, target)
    end
  elseif not height[from] or not height[to] then
    complain("%s includes %s: one of them lies on no floor", path, target)
  elseif height[to] > height[from] then
    complain("%s includes %s, a floor above", path, target)
  end
end

-- Units that each includes; itself left out.
local function includes_of(paths)
  local graph = {}
  for _, path in ipairs(paths) do
    local unit = unit_of(path)
    graph[unit] = graph[unit] or {}
    for include in read(path):gmatch '#include "([^"]+)"' do
      local target = resolve(folder_of(path), include)
      check_direction(path, target)
      if unit_of(target) ~= unit then
        graph[unit][unit_of(target)] = true
      end
    end
  end
  return graph
end

-- Depth first; a unit that is met again on the way to it closes a circle.
local function count_circles(graph)
  local state, way, circles = {}, {}, 0
  local function visit(unit)
    state[unit] = "open"
    way[#way + 1] = unit
    for other in pairs(graph[unit] or {}) do
      if state[other] == "open" then
        circles = circles + 1
        print(("units include each other: %s -> %s"):format(table.concat(way, " -> "), other))
      elseif not state[other] then
        visit(other)
      end
    end
    way[#way] = nil
    state[unit] = "done"
  end
  for unit in pairs(graph) do
    if not state[unit] then
      visit(unit)
    end
  end
  return circles
end

local function lines_of(paths)
  local n = 0
  for _, path in ipairs(paths) do
    for _ in io.lines(path) do
      n = n + 1
    end
  end
  return n
end

-- Functions that a header declares: a name and a parenthesis behind a type at the margin, up to a
-- semicolon.
local function count_functions(path)
  local text = read(path):gsub("/%*.-%*/", ""):gsub("\n#[^\n]*", "\n")
  local n = 0
  for declaration in text:gmatch "\n(%a[^;{}]-%([^;{}]*%)[^;{}]*);" do
    if not declaration:find "typedef" then
      n = n + 1
    end
  end
  return n
end

local function largest_header(paths)
  local most, where = 0, nil
  for _, path in ipairs(paths) do
    local n = path:match "%.h$" and not path:match "compat%.h$" and count_functions(path) or 0
    if n > most then
      most, where = n, path
    end
  end
  return most, where
end

local c_files = listed "'src/*.c' 'src/*.h'"
local lua_files = {}
for _, path in ipairs(listed "'lua/*.lua'") do
  if not path:match "types%.lua$" then
    lua_files[#lua_files + 1] = path
  end
end
local circles = count_circles(includes_of(c_files))
if circles > CIRCLES then
  complain("%d circles of includes", circles)
end
if arg[1] == "figures" then
  print(("lines in src (C and headers)              %6d"):format(lines_of(c_files)))
  print(("lines in lua (without types)              %6d"):format(lines_of(lua_files)))
  print(("functions in the largest internal header  %6d  %s"):format(largest_header(c_files)))
  print(("circles of includes                       %6d"):format(circles))
end
os.exit(not failed)
