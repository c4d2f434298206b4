--- Fails where a file or a function is longer than the house allows.
-- SPDX-License-Identifier: MIT

local FILE = { c = 700, lua = 500 }
local FUNCTION = 80

local failed = false

local function complain(...)
  print((...):format(select(2, ...)))
  failed = true
end

-- Functions of a C file: from a line that begins one at the margin to the brace that ends it.
local function c_functions(path, lines)
  local start
  for i, line in ipairs(lines) do
    if line:match "^[%a].*[^;]$" and line:match "%(" and not start then
      start = i
    elseif line == "}" then
      if start and i - start + 1 > FUNCTION then
        complain("%s:%d: function of %d lines", path, start, i - start + 1)
      end
      start = nil
    elseif line:match "^};?" or line:match ";$" and line:match "^%a" then
      start = nil
    end
  end
end

local function lua_functions(path, lines)
  local start
  for i, line in ipairs(lines) do
    if line:match "^local function" or line:match "^function" then
      start = i
    elseif line == "end" and start then
      if i - start + 1 > FUNCTION then
        complain("%s:%d: function of %d lines", path, start, i - start + 1)
      end
      start = nil
    end
  end
end

for _, path in ipairs(arg) do
  local lines = {}
  for line in io.lines(path) do
    lines[#lines + 1] = line
  end
  local kind = path:match "%.(%a+)$"
  if #lines > FILE[kind] then
    complain("%s: %d lines, more than %d", path, #lines, FILE[kind])
  end
  local functions = kind == "c" and c_functions or lua_functions
  functions(path, lines)
end
os.exit(not failed)
