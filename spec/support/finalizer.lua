--- What specs of finalizers share, which run in the midst of anything.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local finalizer = {}

--- The Lua under test. valgrind sees it, where it is at hand; AddressSanitizer brings its own eyes.
function finalizer.checked_lua()
  local found = os.execute "command -v valgrind >/dev/null"
  local use = (found == true or found == 0) and os.getenv "AVP_CHECKER" ~= "asan"
  return (use and "valgrind --quiet --error-exitcode=99 " or "") .. helper.lua
end

--- Lua that stands before a script.
finalizer.ARM = [[
-- The next thing that Lua makes runs f.
local function arm(f)
  collectgarbage()
  collectgarbage "stop"
  if newproxy then -- luacheck: read globals newproxy
    local proxy = newproxy(true)
    getmetatable(proxy).__gc = f
  else
    setmetatable({}, { __gc = f })
  end
  collectgarbage("setpause", 0)
  collectgarbage("setstepmul", 1000000)
  collectgarbage "restart"
end
]]

return finalizer
