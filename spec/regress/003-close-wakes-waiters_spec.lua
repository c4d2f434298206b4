-- Whoever waited for a listing hung for ever when another coroutine closed it, or its client:
-- nobody told the driver that there was something new to look at.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

local function client_text(id)
  local base, token = helper.urls(id)
  return ("avepoint.client { base_url = %q, token_url = %q, ca_file = %q, client_id = %q, "
    .. "client_secret = %q }"):format(base, token, helper.ca_file, helper.client_id,
    helper.client_secret)
end

local function scenario()
  return helper.scenario { customers = 30, latency = 20 }
end

describe("#hosts closing while another waits", function()
  for _, what in ipairs { "listing", "client" } do
    it("ends a task's wait: the " .. what, function()
      local lines = hosts.nvim(([[
        local avepoint = require "avepoint"
        local client = %s
        local listing = client:customers()
        local task = require("avepoint.driver.uv").run(function()
          local _, err = listing:next()
          return err.kind
        end, function(err, kind) finish(tostring(err), kind) end)
        vim.defer_fn(function() %s:close() end, 100)
      ]]):format(client_text(scenario()), what))
      assert.same({ "nil", "closed" }, lines)
    end)

    it("ends the wait of Neovim's main context: the " .. what, function()
      local lines = hosts.nvim(([[
        local avepoint = require "avepoint"
        local client = %s
        local listing = client:customers()
        vim.defer_fn(function() %s:close() end, 100)
        local _, err = listing:next()
        finish(err.kind)
      ]]):format(client_text(scenario()), what))
      assert.same({ "closed" }, lines)
    end)

    it("ends the wait of an nginx request: the " .. what, function()
      local nginx = hosts.nginx { server = ([[
        location = /x { content_by_lua_block {
          local avepoint = require "avepoint"
          local client = %s
          local listing = client:customers()
          ngx.timer.at(0.1, function() %s:close() end)
          local _, err = listing:next()
          ngx.say(err.kind)
        } }
      ]]):format(client_text(scenario()), what) }
      finally(nginx.stop)
      assert.equal("closed\n", (nginx.get "/x"))
    end)
  end

  it("ends both waits where two tasks share the client", function()
    local lines = hosts.nvim(([[
      local avepoint = require "avepoint"
      local uv = require "avepoint.driver.uv"
      local client = %s
      local kinds = {}
      for i = 1, 2 do
        uv.run(function()
          local _, err = client:customers():next()
          return err.kind
        end, function(_, kind)
          kinds[#kinds + 1] = kind
          if #kinds == 2 then finish(unpack(kinds)) end
        end)
      end
      vim.defer_fn(function() client:close() end, 100)
    ]]):format(client_text(scenario())))
    assert.same({ "closed", "closed" }, lines)
  end)
end)

describe("#hosts nginx that is told to quit", function()
  it("ends a listing with closed, and the worker leaves at once", function()
    local nginx = hosts.nginx { server = ([[
      location = /x { content_by_lua_block {
        local avepoint = require "avepoint"
        local _, err = %s:customers():next()
        ngx.say(err.kind)
      } }
    ]]):format(client_text(scenario())) }
    local pid = helper.read(nginx.dir .. "/nginx.pid"):match "%d+"
    local request = assert(io.popen(("curl -sS --max-time 60 --unix-socket %s/http.sock "
      .. "http://host/x"):format(nginx.dir)))
    local begun = os.time()
    os.execute("sleep 0.3; kill -QUIT " .. pid) -- the request must have been taken by then
    assert.equal("closed\n", request:read "*a")
    request:close()
    os.execute(("while kill -0 %s 2>/dev/null; do sleep 0.02; done"):format(pid))
    assert.is_true(os.time() - begun < 10)
  end)
end)
