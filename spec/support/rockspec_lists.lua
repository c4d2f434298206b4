--- Fails where the rockspecs' lists and the files on disk differ.
-- SPDX-License-Identifier: MIT

local ROCKSPECS = { "avepoint-scm-1.rockspec", "src/sign/avepoint-sign-scm-1.rockspec" }

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
for _, name in ipairs(ROCKSPECS) do
  local spec = {}
  assert(loadfile(name, "t", spec))()
  for _, module in pairs(spec.build.modules) do
    for _, path in ipairs(type(module) == "table" and module.sources or { module }) do
      named[path] = name
    end
  end
end

local failed = false
local present = files "src lua -name '*.c' -o -name '*.lua'"
for path in pairs(present) do
  if not named[path] then
    print("no rockspec names " .. path)
    failed = true
  end
end
for path, name in pairs(named) do
  if not present[path] then
    print(name .. " names what is not there: " .. path)
    failed = true
  end
end
os.exit(not failed)
