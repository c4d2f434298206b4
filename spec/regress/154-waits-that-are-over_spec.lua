-- A wait that is over counts no more: under nginx the next one steps the client at once, and a task
-- that was cancelled keeps no loop alive.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local rawserver = require "spec.support.faults.rawserver"

describe("a wait that is over", function()
  -- The driver for nginx, in an nginx whose clock stands still but for its sleeps.
  local function driver_of_nginx()
    local now, names = 0, { "avepoint.core", "avepoint.store" }
    local fakes = { { progress = function(client) return client.progress end }, {} }
    local loaded = {}
    rawset(_G, "ngx", {
      now = function() return now end,
      get_phase = function() return "content" end,
      sleep = function(seconds) now = now + seconds end,
      timer = { at = function() return true end },
      worker = { exiting = function() return false end },
    })
    for i, name in ipairs(names) do
      loaded[name], package.loaded[name] = package.loaded[name], fakes[i]
    end
    local driver = dofile(helper.top .. "/lua/avepoint/driver/ngx.lua")
    for _, name in ipairs(names) do package.loaded[name] = loaded[name] end
    return driver, function() return now end
  end

  it("leaves its place at the client to the next one", function()
    local driver, now = driver_of_nginx()
    finally(function() rawset(_G, "ngx", nil) end)
    local client = { progress = 0, timeout = function() end,
      step = function(self) self.progress = self.progress + 1 end }
    for wait = 1, 5 do
      driver.wait(client)
      assert.equal(wait, client.progress)
    end
    assert.is_true(now() < 0.02, now()) -- five of the shortest sleeps
  end)

  -- Runs a script with luv, where a client waits for its token for ever. Returns what it prints.
  local function run_with_luv(script)
    rawserver.start()
    finally(rawserver.stop)
    rawserver.scene { token = rawserver.script "hang" }
    return (helper.run(([[
      local avepoint, uv = require "avepoint", require "luv"
      local client = avepoint.client { base_url = %q, client_secret = "s", client_id = "x",
        token_url = %q }
      local guard = uv.new_timer()
      guard:start(10000, 0, function() print "the loop is alive" os.exit(1) end)
      guard:unref()
      local function after(ms, f)
        local timer = uv.new_timer()
        timer:start(ms, 0, function() timer:close() f() end)
      end
    ]]):format(rawserver.options().base_url, rawserver.options().token_url) .. script))
  end

  it("keeps no loop alive once its task was cancelled", function()
    assert.equal("true\nover\n", run_with_luv [[
      local task = avepoint.async(function() client:customers():first() end, function(err)
        print(err == require "avepoint.driver.uv".cancelled)
      end)
      after(100, function() task:cancel() end)
      uv.run()
      print "over"
    ]])
  end)

  it("ends at once if its listing is closed", function()
    assert.equal("closed\n", run_with_luv [[
      local listing, ended = client:customers(), nil
      avepoint.async(function() return listing:next() end, function(_, _, err) ended = err.kind end)
      local function look(turns)
        if ended or turns == 0 then print(ended or "it waits") os.exit(0) end
        after(0, function() look(turns - 1) end)
      end
      local methods, steps = require "avepoint.core".client_methods, 0
      local step = methods.step
      function methods.step(...)
        steps = steps + 1
        if steps == 5 then -- the task's driver has just looked: the next look is far
          after(0, function() listing:close() look(9) end)
        end
        return step(...)
      end
      uv.run()
    ]])
  end)
end)
