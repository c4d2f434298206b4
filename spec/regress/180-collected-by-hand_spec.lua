-- What a client holds is given back when the collector takes it, not when somebody calls its __gc:
-- a finalizer may do that whenever Lua makes a value, while a page is read or a token.
-- SPDX-License-Identifier: MIT

local finalizer = require "spec.support.finalizer"
local helper = require "spec.helper"

local SCRIPT = finalizer.ARM .. [[
local avepoint = require "avepoint"
local blocking = require "avepoint.driver.blocking"

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
    helper.lua = finalizer.checked_lua()
    local said, code = helper.run(SCRIPT, helper.environment(helper.scenario { customers = 3 }))
    assert.equal(0, code, said)
    assert.equal("done\n", said)
  end)
end)
