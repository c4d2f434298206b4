-- A finalizer may run whenever Lua makes a value, and it may close the client. The token's reply,
-- and the token, were handed to Lua from the client's own memory: on 5.1, 5.2 and LuaJIT the
-- finalizer runs before they are copied, on all Luas before the error about a reply that is no JSON
-- looks into it once more.
-- SPDX-License-Identifier: MIT

local finalizer = require "spec.support.finalizer"
local helper = require "spec.helper"

local SCRIPT = finalizer.ARM .. [[
local avepoint = require "avepoint"
local blocking = require "avepoint.driver.blocking"
local core = require "avepoint.core"

-- A client that is closed so in the first step behind its n-th wait.
local function closing_client(n)
  local waits = 0
  return avepoint.client { max_attempts = 1, driver = { wait = function(client, seconds)
    blocking.wait(client, seconds)
    waits = waits + 1
    if waits == n then
      arm(function() client:close() end)
    end
  end } }
end

for n = 1, 5 do
  closing_client(n):customers():next()
end
local client = avepoint.client { max_attempts = 1 }
if client:customers():next() then
  arm(function() client:close() end)
  local idle, token = core.token(client)
  print(idle, token == nil or #token > 10)
end
print "done"
]]

describe("a client that a finalizer closes", function()
  local replies = { ["as it should be"] = { customers = 3 },
    ["no JSON"] = { token = { reply = "<html>" .. ("x"):rep(3000) } } }
  for name, fields in pairs(replies) do
    it("while its token's reply is read leaves no memory in use: " .. name, function()
      local lua = helper.lua
      finally(function() helper.lua = lua end)
      helper.lua = finalizer.checked_lua()
      local said, code = helper.run(SCRIPT, helper.environment(helper.scenario(fields)))
      assert.equal(0, code, said)
      assert.equal((fields.customers and "true\ttrue\n" or "") .. "done\n", said)
    end)
  end
end)
