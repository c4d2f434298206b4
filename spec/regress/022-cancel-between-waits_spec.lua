-- A task that was cancelled while it had yielded for a reason of its own waited for the next page
-- all the same where another task had taken the client on meanwhile, and was ended only when that
-- had come: with a slow service, long after.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

describe("#hosts a task cancelled between two waits", function()
  it("ends at the next one", function()
    local id = helper.scenario {
      customers = 30,
      faults = { { on = "page", page = 2, kind = "wait", seconds = 30, times = -1 } },
    }
    local base, token = helper.urls(id)
    local lines = hosts.nvim(([[
      local client = require("avepoint").client { base_url = %q, token_url = %q, ca_file = %q,
        client_id = %q, client_secret = %q }
      local uv = require "avepoint.driver.uv"
      local loop = vim.uv or vim.loop
      local n, resumed = 0, nil
      uv.run(function() client:customers { page_size = 10 }:count() end, function() end)
      local task = uv.run(function()
        for _ in client:customers { page_size = 10 } do
          n = n + 1
          if n == 2 then -- the second page is in flight
            coroutine.yield()
          end
        end
      end, function(err)
        finish(err, n, loop.now() - resumed)
      end)
      vim.wait(10000, function() return n == 2 end, 10)
      task:cancel()
      vim.wait(300)
      resumed = loop.now()
      coroutine.resume(task.co)
    ]]):format(base, token, helper.ca_file, helper.client_id, helper.client_secret))
    assert.equal("avepoint: cancelled", lines[1])
    assert.equal("10", lines[2])
    assert.is_true(tonumber(lines[3]) < 5000, lines[3] .. " ms")
  end)
end)
