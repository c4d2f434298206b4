-- One listing in each host that must not block: Neovim's loop and an nginx worker. A timer, and
-- another location, show that the host goes on meanwhile.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

local LATENCY = 0.05 -- seconds a page

local function options_text(id)
  local base, token = helper.urls(id)
  return ("{ base_url = %q, token_url = %q, ca_file = %q, client_id = %q, client_secret = %q }")
    :format(base, token, helper.ca_file, helper.client_id, helper.client_secret)
end

describe("#hosts Neovim", function()
  it("lists in a task while its loop goes on, and the loop's body may use vim.api", function()
    local id = helper.scenario { customers = 1000, latency = LATENCY }
    local lines = hosts.nvim(([[
      local avepoint = require "avepoint"
      local uv = require "avepoint.driver.uv"
      local loop = vim.uv or vim.loop
      local ticks = 0
      local timer = loop.new_timer()
      timer:start(0, 5, function() ticks = ticks + 1 end)
      local client = avepoint.client(%s)
      uv.run(function()
        local n = 0
        for customer in client:customers() do
          n = n + 1
          vim.api.nvim_buf_set_lines(0, n - 1, n, false, { customer.organization })
        end
        return n
      end, function(err, n)
        timer:close()
        finish(tostring(err), n, ticks, vim.api.nvim_buf_line_count(0))
      end)
    ]]):format(options_text(id)))
    assert.equal("nil", lines[1])
    assert.equal("1000", lines[2])
    assert.equal("1000", lines[4])
    -- ten pages, four at a time: at least two waits of a page's latency
    assert.is_true(tonumber(lines[3]) >= 15, "the timer fired only " .. lines[3] .. " times")
    assert.equal(11, #helper.journal(id, "/customers")) -- one more behind a full last page
  end)

  it("lists in the main context with vim.wait while timers go on", function()
    local id = helper.scenario { customers = 500, latency = LATENCY }
    local lines = hosts.nvim(([[
      local client = require("avepoint").client(%s)
      local ticks = 0
      local timer = (vim.uv or vim.loop).new_timer()
      timer:start(0, 5, function() ticks = ticks + 1 end)
      local n = client:customers():count()
      timer:close()
      finish(n, ticks)
    ]]):format(options_text(id)))
    assert.equal("500", lines[1])
    assert.is_true(tonumber(lines[2]) >= 10, "the timer fired only " .. lines[2] .. " times")
  end)

  it("gives an error to on_done, and cancels", function()
    local id = helper.scenario { customers = 500, latency = 5 }
    local lines = hosts.nvim(([[
      local uv = require "avepoint.driver.uv"
      local client = require("avepoint").client(%s)
      local task = uv.run(function()
        client:customers():first()
      end, function(err)
        finish(tostring(err))
      end)
      vim.defer_fn(function() task:cancel() end, 50)
    ]]):format(options_text(id)))
    assert.equal("avepoint: cancelled", lines[1])
  end)
end)

describe("#hosts nginx", function()
  it("lists in a location while the worker serves others", function()
    -- so slow that even a busy machine asks the other location five times meanwhile
    local id = helper.scenario { customers = 200, latency = 2 }
    local nginx = hosts.nginx {
      server = ([[
        location = /customers {
          content_by_lua_block {
            local client = require("avepoint").client(%s)
            local n = 0
            for customer in client:customers() do n = n + 1 end
            ngx.say(n)
            client:close()
          }
        }
        location = /meanwhile { content_by_lua_block { ngx.say("fine") } }
        location = /header {
          content_by_lua_block { ngx.say("body") }
          header_filter_by_lua_block {
            local client = require("avepoint").client(%s)
            local _, err = pcall(client.customers(client).first, client:customers())
            ngx.header["X-Error"] = tostring(err)
          }
        }
        location = /raises {
          content_by_lua_block {
            local options = %s
            options.client_secret = "wrong-secret"
            require("avepoint").client(options):customers():first()
          }
        }
      ]]):format(options_text(id), options_text(id), options_text(id)),
    }
    finally(nginx.stop)
    -- the other location is asked while the listing waits for its second page
    local slow = assert(io.popen(("curl -sS --max-time 60 --unix-socket %s/http.sock "
      .. "http://host/customers"):format(nginx.dir)))
    local answers = 0
    for _ = 1, 5 do
      if nginx.get "/meanwhile" == "fine\n" then
        answers = answers + 1
      end
    end
    assert.equal(5, answers)
    assert.is_true(#helper.journal(id, "/customers") < 2, "the worker served them only afterwards")
    assert.equal("200\n", slow:read "*a")
    slow:close()
    assert.matches("header_filter", (nginx.get("/header", "-D - -o /dev/null")))
    nginx.get "/raises"
    assert.matches("invalid_client", nginx.error_log())
    assert.is_nil(nginx.error_log():find("wrong-secret", 1, true))
  end)
end)
