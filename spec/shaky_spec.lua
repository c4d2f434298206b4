-- A hundred thousand customers through a server that fails one request in ten, in turns of every
-- kind of failure that is tried again: each comes exactly once, under every driver there is.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

local CUSTOMERS = 100000

local AT_ONCE = { ["Retry-After"] = "0" }
local TURNS = {
  { status = 408, headers = AT_ONCE }, { status = 429, headers = AT_ONCE },
  { status = 500, headers = AT_ONCE }, { status = 502, headers = AT_ONCE },
  { status = 503, headers = AT_ONCE }, { status = 504, headers = AT_ONCE },
  { status = 503, headers = { ["Retry-After"] = "date:-5" } }, { kind = "short_body" },
  { kind = "reset" }, { kind = "reset_body" }, { kind = "no_end_chunk" },
  { kind = "wait", seconds = 3 },
}

local function scenario()
  return helper.scenario { customers = CUSTOMERS, token = { uses = 150 }, faults = {
    { on = "page", every = 10, times = -1, turns = TURNS },
    { on = "token", every = 3, times = -1, status = 503, headers = AT_ONCE },
  } }
end

-- Reads all, and tells how many came, how many of them were different, and the retries.
local BODY = [[
  local seen, n, distinct = {}, 0, 0
  local listing = client:customers { page_size = 200 }
  for customer in listing do
    n = n + 1
    if not seen[customer.id] then
      seen[customer.id] = true
      distinct = distinct + 1
    end
  end
  local stats = listing:stats()
]]

-- A reset takes all pages of its connection with it, so one page may be unlucky many times.
local function client_text(id, driver)
  local base, token = helper.urls(id, "http1")
  return ("require('avepoint').client { base_url = %q, token_url = %q, ca_file = %q, "
    .. "client_id = %q, client_secret = %q, timeout = 1, max_retry_wait = 0.05, "
    .. "max_attempts = 8, driver = %s }"):format(base, token, helper.ca_file, helper.client_id,
    helper.client_secret, driver)
end

local function assert_whole(n, distinct, retries)
  assert.equal(CUSTOMERS, tonumber(n))
  assert.equal(CUSTOMERS, tonumber(distinct))
  assert.is_true(tonumber(retries) >= 40, tostring(retries))
end

describe("#long a server that fails one request in ten", function()
  for name, driver in pairs { blocking = "'blocking'", ["a table"] = [[{ wait = function(c, s)
    require("avepoint.core").poll(c, s or 1)
  end }]] } do
    it("is read whole under the driver " .. name, function()
      local out, code = helper.run(("local client = %s\n%s\nprint(n, distinct, stats.retries)")
        :format(client_text(scenario(), driver), BODY))
      assert.equal(0, code, out)
      assert_whole(out:match "(%d+)%s+(%d+)%s+(%d+)")
    end)
  end

  it("is read whole under the driver uv", function()
    local lines = hosts.nvim(([[
      local client = %s
      require("avepoint.driver.uv").run(function()
        %s
        return n, distinct, stats.retries
      end, function(err, ...) finish(err or "fine", ...) end)
    ]]):format(client_text(scenario(), "'auto'"), BODY))
    assert.equal("fine", lines[1])
    assert_whole(lines[2], lines[3], lines[4])
  end)

  it("is read whole under the driver nvim", function()
    local lines = hosts.nvim(("local client = %s\n%s\nfinish(n, distinct, stats.retries)")
      :format(client_text(scenario(), "'auto'"), BODY))
    assert_whole(lines[1], lines[2], lines[3])
  end)

  it("is read whole under the driver ngx", function()
    local nginx = hosts.nginx { server = ([[
      location = /x { content_by_lua_block {
        local client = %s
        %s
        ngx.say(n, " ", distinct, " ", stats.retries)
      } }
    ]]):format(client_text(scenario(), "'auto'"), BODY) }
    finally(nginx.stop)
    assert_whole(nginx.get("/x"):match "(%d+) (%d+) (%d+)")
  end)
end)
