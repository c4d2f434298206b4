--- Fails where the rockspec's lists and the files on disk differ.
-- SPDX-License-Identifier: MIT

local spec = {}
assert(loadfile("avepoint-scm-1.rockspec", "t", spec))()

local function files(pattern)
  local pipe = assert(io.popen(("find %s | sort"):format(pattern)))
  local list = {}
  for path in pipe:lines() do
    list[path] = true
  end
  pipe:close()
  return list
end

local named = {}
for _, module in pairs(spec.build.modules) do
  for _, path in ipairs(type(module) == "table" and module.sources or { module }) do
    named[path] = true
  end
end

local failed = false
local present = files "src lua -name '*.c' -o -name '*.lua'"
for path in pairs(present) do
  if not named[path] then
    print("avepoint-scm-1.rockspec does not name " .. path)
    failed = true
  end
end
for path in pairs(named) do
  if not present[path] then
    print("avepoint-scm-1.rockspec names what is not there: " .. path)
    failed = true
  end
end
os.exit(not failed)
