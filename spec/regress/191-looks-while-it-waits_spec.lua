-- No test failed when a driver took seconds for milliseconds, and so looked hundreds of times a
-- second at a client with nothing to do, or came back to Lua, and to Ctrl-C, at a wait's end only.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

local PAUSE = { customers = 5, faults = { { on = "page", page = 1, times = 1, status = 429,
  headers = { ["Retry-After"] = "2" } } } }

-- What stands before each script: the customers, and how often their client has been stepped.
local function prelude()
  local base, token = helper.urls(helper.scenario(PAUSE))
  return ([[
    local avepoint = require "avepoint"
    local core = require "avepoint.core"
    local steps, step = 0, core.client_methods.step
    core.client_methods.step = function(client)
      steps = steps + 1
      return step(client)
    end
    local customers = avepoint.client({ base_url = %q, token_url = %q, ca_file = %q,
      client_id = %q, client_secret = %q }):customers { endpoint = "get" }
  ]]):format(base, token, helper.ca_file, helper.client_id, helper.client_secret)
end

local function assert_few(n, steps)
  assert.equal("5", n)
  assert.is_true(tonumber(steps) < 200, steps .. " steps in 2 s")
end

describe("a client that has to pause is looked at a few times a second by the driver", function()
  it("blocking", function()
    local out = helper.run(prelude() .. "print(customers:count(), steps)")
    assert_few(out:match "^(%d+)\t(%d+)\n$")
  end)

  it("uv #hosts", function()
    local lines = hosts.nvim(prelude() .. [[
      avepoint.async(function() return customers:count() end, function(err, n)
        finish(err or n, steps)
      end)
    ]])
    assert_few(lines[1], lines[2])
  end)

  it("nvim #hosts", function()
    local lines = hosts.nvim(prelude() .. "finish(customers:count(), steps)")
    assert_few(lines[1], lines[2])
  end)
end)

describe("the driver blocking", function()
  it("comes back to Lua soon from the longest wait", function()
    local core = require "avepoint.core"
    local blocking = require "avepoint.driver.blocking"
    local client = helper.client { customers = 1 }
    for _, seconds in ipairs { 20, false } do
      local begun = core.now()
      blocking.wait(client, seconds or nil)
      assert.is_true(core.now() - begun < 5)
    end
  end)
end)
