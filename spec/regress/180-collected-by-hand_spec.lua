-- What a client holds is given back when the collector takes it, not when somebody calls its __gc:
-- a finalizer may do that whenever Lua makes a value, while a page is read or a token.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

-- valgrind sees it, where it is at hand; AddressSanitizer brings its own eyes.
local function checked_lua()
  local found = os.execute "command -v valgrind >/dev/null"
  local use = (found == true or found == 0) and os.getenv "AVP_CHECKER" ~= "asan"
  return (use and "valgrind --quiet --error-exitcode=99 " or "") .. helper.lua
end

local SCRIPT = [[
local avepoint = require "avepoint"
local blocking = require "avepoint.driver.blocking"

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

for n = 1, 5 do
  local waits, list = 0, nil
  local client = avepoint.client { max_attempts = 1, driver = { wait = function(client, seconds)
    blocking.wait(client, seconds)
    waits = waits + 1
    if waits == n then
      arm(function()
        getmetatable(client).__gc(client)
        list:close()
      end)
    end
  end } }
  list = client:customers { endpoint = "get", page_size = 1 }
  local row, err = list:next()
  assert(row or err.kind == "closed" or err.kind == "protocol", err)
  getmetatable(client).__gc(client)
  assert(select(2, list:next()).kind == "closed")
  assert(select(2, list:next()).kind == "closed" and tostring(client):find "closed")
end
print "done"
]]

describe("a client whose __gc is called by hand", function()
  it("is closed, and leaves no memory in use", function()
    local lua = helper.lua
    finally(function() helper.lua = lua end)
    helper.lua = checked_lua()
    local said, code = helper.run(SCRIPT, helper.environment(helper.scenario { customers = 3 }))
    assert.equal(0, code, said)
    assert.equal("done\n", said)
  end)
end)
