-- A task that had yielded for a reason of its own, and then came to its end in the coroutine.resume
-- of whoever woke it, never called on_done, and an error of its body was lost.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

local script = [[
  local uv = require "avepoint.driver.uv"
  local done = {}
  local function sleep(ms) -- as other libraries do it
    local co = coroutine.running()
    vim.defer_fn(function() coroutine.resume(co) end, ms)
    coroutine.yield()
  end
  uv.run(function()
    sleep(20)
    return "value", nil, 3
  end, function(...)
    done = { n = select("#", ...), ... }
  end)
  uv.run(function()
    sleep(100)
    error({ text = "thrown" })
  end, function(err)
    finish(tostring(done[1]), done.n, done[2], done[4], err.text)
  end)
  vim.defer_fn(function() finish "on_done was not called" end, 5000)
]]

describe("#hosts a task that ends in somebody else's resume", function()
  it("calls on_done, with its values and with its error", function()
    assert.same({ "nil", "4", "value", "3", "thrown" }, hosts.nvim(script))
  end)
end)
