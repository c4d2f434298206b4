-- A task that waited for a client missed what others did to it. Its watch of the descriptor was
-- refused while Neovim's main context had one, and not asked for again; and when a step elsewhere
-- took its reply, or a collected listing freed the place that its request waited for, nothing told
-- it to look.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

-- What stands before each script. Once the task has its first row, `ended` is how many ms after
-- start_clock that was.
local function prelude(id)
  local base, token = helper.urls(id)
  return ([[
    local avepoint = require "avepoint"
    local loop = vim.uv or vim.loop
    local function make_client(more)
      return avepoint.client(vim.tbl_extend("force", { base_url = %q, token_url = %q,
        ca_file = %q, client_id = %q, client_secret = %q }, more or {}))
    end
    local ended, begun
    local function start_clock() begun = loop.hrtime() end
    local function start_task(client)
      start_clock()
      require("avepoint.driver.uv").run(function()
        client:customers { page_size = 5 }:first()
        ended = (loop.hrtime() - begun) / 1e6
      end)
    end
  ]]):format(base, token, helper.ca_file, helper.client_id, helper.client_secret)
end

local function run(fields, script)
  return hosts.nvim(prelude(helper.scenario(fields)) .. script)
end

describe("#hosts a task beside another user of its client", function()
  it("gets its first row while the main context lists", function()
    local lines = run({ customers = 400, latency = 0.25 }, [[
      local client = make_client { concurrency = 2 }
      vim.defer_fn(function() start_task(client) end, 300)
      local n = 0
      for _ in client:customers { page_size = 10 } do
        n = n + 1
        if ended then break end
      end
      finish(n, ended)
    ]])
    assert.is_true(tonumber(lines[1]) < 400, "the main context had listed all before")
    assert.is_true(tonumber(lines[2]) < 1500, "first row after " .. lines[2] .. " ms")
  end)

  -- The main context holds page 1; page 2 never comes.
  local slow_second = { customers = 100, latency = 0.2,
    faults = { { on = "page", page = 2, kind = "wait", seconds = 60, times = -1 } } }

  for what, step in pairs {
    ["a look-ahead"] = "listing()",
    ["a step of another driver"] = [[client:step() client:step()]],
  } do
    it("gets the reply that " .. what .. " took", function()
      local lines = run(slow_second, ([[
        local client = make_client()
        local listing = client:customers { page_size = 10 }
        listing()
        start_task(client)
        vim.wait(100, function() return false end, 10)
        os.execute "sleep 0.5" -- the reply is there, and the loop has not seen it
        %s
        start_clock()
        vim.wait(10000, function() return ended end, 10)
        finish(ended)
      ]]):format(step))
      assert.is_true((tonumber(lines[1]) or 1e9) < 1000, "first row after " .. lines[1] .. " ms")
    end)
  end

  it("gets the place in flight that a collected listing leaves", function()
    local lines = run(slow_second, [[
      local client = make_client { concurrency = 1 }
      local listing = client:customers { page_size = 10 }
      listing()
      listing() -- page 2 is asked for, and takes the one place
      start_task(client)
      vim.wait(300, function() return false end, 10)
      listing = nil
      collectgarbage()
      collectgarbage()
      start_clock()
      vim.wait(10000, function() return ended end, 10)
      finish(ended)
    ]])
    assert.is_true((tonumber(lines[1]) or 1e9) < 1500, "first row after " .. lines[1] .. " ms")
  end)
end)
