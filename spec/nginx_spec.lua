-- The module inside nginx's workers: across fork, reload and quit, shared by many requests, with a
-- resolver that never answers.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

-- Lua text that makes a client.
local function client_text(id, more)
  local base, token = helper.urls(id)
  return ("require('avepoint').client { base_url = %q, token_url = %q, ca_file = %q, "
    .. "client_id = %q, client_secret = %q, %s }"):format(base, token, helper.ca_file,
    helper.client_id, helper.client_secret, more or "")
end

local function location(name, body)
  return ("location = /%s { content_by_lua_block { %s } }\n"):format(name, body)
end

-- A client of the worker for all its requests, made in the master.
local function shared(id, more)
  return ("init_by_lua_block { package.loaded.shared = %s }\n"):format(client_text(id, more))
end

local COUNT = [[
  ngx.say(require("shared"):customers({ page_size = 50 }):count(), " ", ngx.worker.pid())
]]

local function tokens(id)
  return #helper.journal(id, "/token")
end

local function ms()
  local pipe = io.popen "date +%s%N"
  local text = pipe:read "*l"
  pipe:close()
  return tonumber(text:sub(1, -7))
end

describe("#hosts nginx: a client made in init_by_lua", function()
  -- Asks until each of the workers has answered; all answers must begin with the count.
  local function ask_all(nginx, workers, count)
    local seen, n = {}, 0
    for _ = 1, 40 do
      for line in nginx.many("/list", 20, 10):gmatch "[^\n]+" do
        local got, pid = line:match "^(%d+) (%d+)$"
        assert.equal(count, got, line)
        if not seen[pid] then
          seen[pid], n = true, n + 1
        end
      end
      if n == workers then break end
    end
    assert.equal(workers, n)
  end

  it("works in all workers", function()
    local id = helper.scenario { customers = 120 }
    local nginx = hosts.nginx { workers = 4, http = shared(id), server = location("list", COUNT) }
    finally(nginx.stop)
    ask_all(nginx, 4, "120")
    assert.equal(4, tokens(id))
  end)

  it("works in all workers when it was used there, with the token that it has", function()
    local id = helper.scenario { customers = 120 }
    local nginx = hosts.nginx { workers = 4, server = location("list", COUNT), http = ([[
      init_by_lua_block {
        local blocking = require "avepoint.driver.blocking"
        local function wait(client, seconds)
          local driver = ngx.get_phase() == "init" and blocking or require "avepoint.driver.ngx"
          driver.wait(client, seconds)
        end
        package.loaded.shared = %s
        half = require("shared"):customers { page_size = 50 } -- pages are in flight at the fork
        half() half()
      }
    ]]):format(client_text(id, "driver = { wait = wait }")) }
    finally(nginx.stop)
    ask_all(nginx, 4, "120")
    assert.equal(1, tokens(id))
  end)
end)

describe("#hosts nginx: one client", function()
  it("serves twenty requests at once with one token", function()
    local id = helper.scenario { customers = 120, latency = 0.05, token_latency = 0.2 }
    local nginx = hosts.nginx { http = shared(id), server = location("list", COUNT) }
    finally(nginx.stop)
    local answers = 0
    for count in nginx.many("/list", 20, 20):gmatch "(%d+) %d+" do
      answers = answers + (count == "120" and 1 or 0)
    end
    assert.equal(20, answers)
    assert.equal(1, tokens(id))
    assert.equal(60, #helper.journal(id, "/customers"))
  end)

  it("serves ten light threads in about the time of one", function()
    local id = helper.scenario { customers = 100, latency = 0.2 }
    local nginx = hosts.nginx {
      http = shared(id, "concurrency = 10"),
      server = location("threads", [[
        local function list()
          local n = 0
          for _ in require("shared"):customers { page_size = 50 } do n = n + 1 end
          return n
        end
        local function since(begun) ngx.update_time() return ngx.now() - begun end
        list() -- signs in and connects
        ngx.update_time()
        local begun = ngx.now()
        list()
        local one = since(begun)
        begun = ngx.now()
        local threads, sum = {}, 0
        for i = 1, 10 do threads[i] = ngx.thread.spawn(list) end
        for i = 1, 10 do
          local _, n = ngx.thread.wait(threads[i])
          sum = sum + n
        end
        ngx.say(sum, " ", one, " ", since(begun))
      ]]),
    }
    finally(nginx.stop)
    local sum, one, ten = nginx.get("/threads"):match "(%S+) (%S+) (%S+)"
    assert.equal("1000", sum)
    if os.getenv "AVP_NAMES" then
      print(("ten listings %.3f s, one %.3f s: ratio %.2f"):format(ten, one, ten / one))
    end
    assert.is_true(ten / one < 2.5, ("one %s s, ten %s s"):format(one, ten))
  end)

  it("finishes a listing after ngx.eof, and is stopped by nothing that others raise", function()
    local id = helper.scenario { customers = 200, latency = 0.1 }
    local nginx = hosts.nginx { http = shared(id), server =
      location("eof", [[
        ngx.say("begun")
        ngx.eof()
        ngx.log(ngx.WARN, "finished with ", require("shared"):customers({ page_size = 50 }):count())
      ]])
      .. location("raises", [[
        for customer in require("shared"):customers() do error("mine: " .. customer.id) end
      ]])
      .. location("list", COUNT) }
    finally(nginx.stop)
    assert.equal("begun\n", (nginx.get "/eof"))
    assert.matches("500", (nginx.get("/raises", "-w '%{http_code}'")))
    assert.matches("^200 ", (nginx.get "/list"))
    assert.matches("finished with 200", nginx.error_log(), 1, true)
    assert.matches("mine: %x+%-", nginx.error_log())
  end)

  it("puts an uncaught error's line into the error log, from a timer too", function()
    local id = helper.scenario { faults = { { on = "page", status = 403, times = -1 } } }
    local nginx = hosts.nginx { http = shared(id), server = location("timer", [[
      ngx.timer.at(0, function() require("shared"):customers():collect() end)
      ngx.say("begun")
    ]]) }
    finally(nginx.stop)
    nginx.get "/timer"
    for _ = 1, 100 do
      if nginx.error_log():find "elements.customers.read.all" then
        break
      end
      os.execute "sleep 0.02"
    end
    assert.matches("elements.customers.read.all", nginx.error_log(), 1, true)
  end)
end)

describe("#hosts nginx in mid-listing", function()
  local function hanging()
    local id = helper.scenario { customers = 30, latency = 30 }
    local nginx = hosts.nginx { http = shared(id), server = location("list", [[
        local _, err = require("shared"):customers():next()
        ngx.say(err.kind)
      ]]) .. location("timer", [[
        ngx.timer.at(0, function()
          local _, err = require("shared"):customers():next()
          ngx.log(ngx.WARN, "the timer got ", err.kind)
        end)
        ngx.say("begun")
      ]]) }
    return nginx, id
  end

  for _, name in ipairs { "reload", "quit" } do
    it("ends it with closed at nginx -s " .. name .. ", and the worker leaves at once", function()
      local nginx, id = hanging()
      finally(nginx.stop)
      local request = nginx.begin "/list"
      nginx.get "/timer"
      repeat until #helper.journal(id, "/token") > 0
      os.execute "sleep 0.2"
      local _, old = nginx.pids()
      local begun = ms()
      nginx.signal(name == "reload" and "HUP" or "QUIT")
      assert.equal("closed\n", request:read "*a")
      request:close()
      assert.is_true(hosts.await_end(old[1]))
      assert.is_true(ms() - begun < 2000, ("left after %d ms"):format(ms() - begun))
      assert.matches("the timer got closed", nginx.error_log(), 1, true)
    end)
  end
end)

describe("#hosts a resolver that never answers", function()
  local function start()
    return hosts.nginx {
      environment = ("LD_PRELOAD='%s/build/hang.so'"):format(helper.top),
      http = [[
        init_by_lua_block {
          package.loaded.hanging = function(more)
            local options = { base_url = "https://api.hang", token_url = "https://id.hang/token",
              client_id = "me", client_secret = "secret", max_attempts = 1 }
            for k, v in pairs(more) do options[k] = v end
            return require("avepoint").client(options)
          end
          package.loaded.now = function() ngx.update_time() return ngx.now() end
        }
      ]],
      server = location("timeout", [[
          local begun = require("now")()
          local client = require("hanging") { connect_timeout = 0.3 }
          local _, err = client:customers():next()
          ngx.say(err.kind, " ", require("now")() - begun)
        ]])
        .. location("close", [[
          local client = require("hanging") {}
          local listing = client:customers()
          local took
          ngx.timer.at(0.2, function()
            local begun = require("now")()
            client:close()
            took = require("now")() - begun
          end)
          local begun = require("now")()
          local _, err = listing:next()
          ngx.say(err.kind, " ", require("now")() - begun - 0.2, " ", took)
        ]])
        .. location("listing", [[
          local client = require("hanging") {}
          local listing = client:customers()
          ngx.timer.at(0.2, function() listing:close() end)
          local begun = require("now")()
          local _, err = listing:next()
          ngx.say(err.kind, " ", require("now")() - begun - 0.2, " 0")
        ]])
        .. location("cancel", [[
          local client = require("hanging") {}
          local thread = ngx.thread.spawn(function() client:customers():next() end)
          ngx.sleep(0.2)
          local begun = require("now")()
          ngx.thread.kill(thread)
          client:close()
          client = nil
          collectgarbage()
          ngx.say("closed ", require("now")() - begun, " 0")
        ]])
        .. location("for-ever", [[ require("hanging") {}:customers():next() ]])
        .. location("other", [[ ngx.say("fine") ]]),
    }
  end

  it("delays neither a timeout nor other traffic", function()
    local nginx = start()
    finally(nginx.stop)
    local slow = nginx.begin "/for-ever"
    local begun = ms()
    for _ = 1, 5 do
      assert.equal("fine\n", (nginx.get "/other"))
    end
    local kind, took = nginx.get("/timeout"):match "^(%S+) (%S+)"
    assert.equal("timeout", kind)
    assert.is_true(tonumber(took) < 0.6, took)
    assert.is_true(ms() - begun < 5000)
    nginx.stop() -- with a look-up under way
    slow:close()
  end)

  for _, what in ipairs { "close", "listing", "cancel" } do
    it("delays no end: " .. what, function()
      local nginx = start()
      finally(nginx.stop)
      local answer = nginx.get("/" .. what)
      local kind, late, took = answer:match "^(%S+) (%S+) (%S+)"
      assert.equal("closed", kind, answer)
      assert.is_true(tonumber(late) < 0.2 and tonumber(took) < 0.1, answer)
    end)
  end

  it("does not hold up a worker that quits", function()
    local nginx = start()
    finally(nginx.stop)
    local request = nginx.begin "/for-ever"
    os.execute "sleep 0.3"
    local begun = ms()
    nginx.quit()
    assert.is_true(ms() - begun < 2000, ("it left after %d ms"):format(ms() - begun))
    request:close()
  end)

  it("does not hold up a script that ends, nor its break and close", function()
    local begun = ms()
    local out, code = helper.run([[
      local avepoint = require "avepoint"
      local client = avepoint.client { base_url = "https://api.hang", connect_timeout = 0.3,
        token_url = "https://id.hang/token", client_id = "me", client_secret = "secret",
        max_attempts = 1 }
      local _, err = client:customers():next()
      print(err.kind, err.message)
      local other = client:customers()
      other:close()
      client:close()
    ]], { LD_PRELOAD = helper.top .. "/build/hang.so" })
    assert.equal(0, code, out)
    assert.matches("^timeout", out)
    assert.is_true(ms() - begun < 3000, ("it took %d ms"):format(ms() - begun))
  end)
end)
