-- nginx does not unwind a request that ends in mid-loop: its caller has gone
-- (lua_check_client_abort), or the body calls ngx.exit. Nothing told the client, and what was
-- in flight stayed so until the collector came round, which in an idle worker is never.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

-- A worker with one client for all its requests. Page 5 never comes, or so it seems.
local function start(fields)
  fields.customers, fields.latency = 2000, 0.02
  local id = helper.scenario(fields)
  local base, token = helper.urls(id)
  local nginx = hosts.nginx {
    http = ([[
      lua_check_client_abort on;
      init_by_lua_block {
        require("avepoint.driver.ngx").grace = 0.5
        package.loaded.shared = require("avepoint").client { base_url = %q, token_url = %q,
          ca_file = %q, client_id = %q, client_secret = %q }
      }
    ]]):format(base, token, helper.ca_file, helper.client_id, helper.client_secret),
    server = [[
      location = /all { content_by_lua_block {
        ngx.say(require("shared"):customers({ page_size = 10 }):count())
      } }
      location = /exit { content_by_lua_block {
        local n = 0
        for _ in require("shared"):customers { page_size = 10 } do
          n = n + 1
          if n == 15 then ngx.exit(204) end
        end
      } }
      location = /slow { content_by_lua_block {
        local n = 0
        local listing = require("shared"):customers({ page_size = 10 }):take(100)
        for _ in listing do
          n = n + 1
          if n == 15 or n == 45 then ngx.sleep(1) end
        end
        ngx.say(n, " ", listing:stats().requests)
      } }
      location = /in-flight { content_by_lua_block {
        ngx.print(tostring(require("avepoint.core").in_flight(require "shared")))
      } }
    ]],
  }
  return nginx, id
end

local function await_silence(nginx)
  for _ = 1, 100 do
    if nginx.get "/in-flight" == "false" then
      return true
    end
    os.execute "sleep 0.05"
  end
  return false
end

local hangs = { on = "page", page = 5, kind = "wait", seconds = 60, times = 2 }

describe("#hosts a listing that nobody waits for any more", function()
  it("leaves nothing in flight, and the client serves others", function()
    local nginx, id = start { faults = { hangs } }
    finally(nginx.stop)
    assert.matches("timed out", (nginx.get("/all", "-m 0.7")))
    assert.equal("true", (nginx.get "/in-flight"))
    assert.is_true(await_silence(nginx), "in flight after the caller has gone")
    local before = #helper.journal(id, "/customers")
    assert.matches("^HTTP/1.1 204", (nginx.get("/exit", "-i")))
    assert.is_true(await_silence(nginx), "in flight after ngx.exit")
    assert.is_true(#helper.journal(id, "/customers") - before <= 8)
    assert.equal("2000\n", (nginx.get "/all"))
    assert.equal(1, #helper.journal(id, "/token"))
  end)

  it("gives back the lock of the token that it was fetching, and shares the token", function()
    local id = helper.scenario { customers = 10, token_latency = 1 }
    local base, token = helper.urls(id)
    local nginx = hosts.nginx {
      http = ([[
        lua_check_client_abort on;
        lua_shared_dict tokens 1m;
        init_by_lua_block {
          function new_client()
            return require("avepoint").client { base_url = %q, token_url = %q, ca_file = %q,
              client_id = %q, client_secret = %q, token_store = "tokens" }
          end
          first = new_client()
        }
      ]]):format(base, token, helper.ca_file, helper.client_id, helper.client_secret),
      server = [[
        location = /first { content_by_lua_block { ngx.say(first:customers():count()) } }
        location = /second { content_by_lua_block {
          ngx.say(new_client():customers({ deadline = 15 }):count())
        } }
      ]],
    }
    finally(nginx.stop)
    assert.matches("timed out", (nginx.get("/first", "-m 0.5")))
    assert.equal("10\n", (nginx.get "/second"))
    assert.equal(1, #helper.journal(id, "/token"))
  end)

  it("is read ahead while its loop is busy elsewhere, and asked again for what did not come",
    function()
      local nginx = start {}
      finally(nginx.stop)
      assert.equal("100 10\n", (nginx.get "/slow"))
      local other = start { faults = { { on = "page", page = 4, kind = "wait", seconds = 60 } } }
      finally(function() nginx.stop() other.stop() end)
      assert.equal("100 11\n", (other.get "/slow"))
    end)
end)
