-- The user's on_event, or token store, yielded in a task just before it would wait; meanwhile
-- another task's step brought what it was going to wait for, or its deadline passed. Nothing ever
-- woke it.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"
local uv = require "luv"

-- The pcall of PUC 5.1 cannot be yielded across.
local yields = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

local function sleep(ms)
  local co = coroutine.running()
  local timer = uv.new_timer()
  timer:start(ms, 0, function()
    timer:close()
    assert(coroutine.resume(co))
  end)
  coroutine.yield()
end

-- Runs the loop until all tasks have ended, or for so many ms.
local function run_loop(results, n, ms)
  uv.update_time() -- the loop's clock stood still since the last turn
  local timer = uv.new_timer()
  local over = false
  timer:start(ms, 0, function() over = true end)
  while not over and #results < n do
    uv.run "once"
  end
  timer:close()
  uv.run "nowait"
end

describe("a task whose function yields before a wait", function()
  if not yields then
    return
  end
  local driver = require "avepoint.driver.uv"

  it("sees what came meanwhile: on_event", function()
    local first
    local client = helper.client({ customers = 10, latency = 0.05 }, { on_event = function()
      if coroutine.running() == first then
        sleep(400)
      end
    end })
    local results = {}
    local function list()
      first = first or coroutine.running()
      return client:customers():count()
    end
    for _ = 1, 2 do
      driver.run(list, function(err, n) results[#results + 1] = err or n end)
    end
    run_loop(results, 2, 10000)
    assert.same({ 10, 10 }, results)
  end)

  it("sees that its deadline has passed: a token store", function()
    local place = { put = function() end }
    function place.get() sleep(20) end
    function place.lock() sleep(20) end
    local options = helper.options(helper.scenario { customers = 10 })
    options.token_store = place
    local client = avepoint.client(options)
    local results = {}
    for _ = 1, 4 do
      driver.run(function() return client:customers({ deadline = 0.5 }):count() end,
        function(err) results[#results + 1] = err.kind end)
    end
    run_loop(results, 4, 10000)
    assert.same({ "timeout", "timeout", "timeout", "timeout" }, results)
  end)

  it("lets go of a lock though the client is closed outside of a task", function()
    local held = false
    local place = { get = function() end, put = function() end }
    function place.lock()
      held = true
      return function()
        sleep(10)
        held = false
      end
    end
    local options = helper.options(helper.scenario { customers = 10, token_latency = 1 })
    options.token_store = place
    local client = avepoint.client(options)
    local results = {}
    driver.run(function() return client:customers():count() end,
      function(err) results[#results + 1] = err.kind end)
    uv.update_time()
    local timer = uv.new_timer()
    timer:start(100, 0, function()
      timer:close()
      assert.is_true(held)
      client:close()
    end)
    run_loop(results, 1, 5000)
    assert.same({ "closed" }, results)
    run_loop(results, 2, 100)
    assert.is_false(held)
  end)
end)
