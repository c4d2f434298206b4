-- "Returns to the host between two pages" went through vim.schedule alone. Inside vim.wait Neovim
-- runs what is scheduled until nothing is left, without a look at its loop: while somebody waited
-- so, a task with many pages at hand held all timers until it had worked them off.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

describe("#hosts a task's turns", function()
  it("let timers fire between them, inside vim.wait too", function()
    local lines = hosts.nvim [[
      local uv = require "avepoint.driver.uv"
      local loop = vim.uv or vim.loop
      local ticks, done = 0, false
      local timer = loop.new_timer()
      uv.run(function()
        timer:start(0, 1, function() ticks = ticks + 1 end)
        for _ = 1, 20 do
          local from = loop.hrtime()
          while loop.hrtime() - from < 5e6 do end -- a page to be worked off
          uv.wait({}, 0)
        end
        timer:close()
        done = true
      end)
      vim.wait(10000, function() return done end, 10)
      finish(tostring(done), ticks)
    ]]
    assert.equal("true", lines[1])
    assert.is_true(tonumber(lines[2]) >= 10, "the timer fired only " .. lines[2] .. " times")
  end)
end)
