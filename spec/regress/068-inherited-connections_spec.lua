-- A program that the loop's body started had inherited the client's connections: it kept them open
-- after the client had closed them, and could read from them.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

describe("a program started from the loop's body", function()
  it("inherits no connection", function()
    local sockets = [[
      list, n = io.popen "ls -l /proc/self/fd", 0
      for line in list:lines() do
        if line:find("socket:", 1, true) then n = n + 1 end
      end
      list:close()
    ]]
    local id = helper.scenario { customers = 20 }
    local said = helper.run(sockets .. [[
      local before = n
      local avepoint = require "avepoint"
      for _ in avepoint.customers { page_size = 5 } do ]] .. sockets .. [[
        print(n - before)
      end
    ]], helper.environment(id))
    local most = 0
    for n in said:gmatch "[^\n]+" do most = math.max(most, (assert(tonumber(n), said))) end
    assert.is_true(most <= 0, said)
  end)
end)
