-- One token for many clients, processes and workers: the option token_store, as an object of the
-- user's and as an ngx.shared dictionary.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

-- A place for tokens, and how often each of its functions was called.
local function new_place()
  local place = { entries = {}, locks = {}, calls = { get = 0, put = 0, lock = 0, unlock = 0 } }
  function place:get(key)
    self.calls.get = self.calls.get + 1
    return self.entries[key]
  end
  function place:put(key, value, seconds)
    self.calls.put = self.calls.put + 1
    self.entries[key], self.seconds = value, seconds
  end
  function place:lock(key, seconds)
    self.calls.lock = self.calls.lock + 1
    if self.locks[key] then return nil end
    self.locks[key], self.lock_seconds = true, seconds
    return function()
      self.calls.unlock = self.calls.unlock + 1
      self.locks[key] = nil
    end
  end
  return place
end

local function new_client(id, place, more)
  local options = helper.options(id, more)
  options.token_store = place
  return avepoint.client(options)
end

local function tokens(id)
  return #helper.journal(id, "/token")
end

describe("a token store", function()
  it("makes one token do for many clients", function()
    local id, place = helper.scenario { customers = 5 }, new_place()
    for _ = 1, 10 do
      assert.equal(5, new_client(id, place):customers():count())
    end
    assert.equal(1, tokens(id))
    assert.equal(1, place.calls.put)
    assert.equal(1, place.calls.lock)
    assert.equal(1, place.calls.unlock)
    assert.equal(3600, place.seconds)
    assert.is_true(place.lock_seconds > 0 and place.lock_seconds <= 60)
  end)

  it("is keyed by token URL, client, scope and credential, none of them readable", function()
    local id, place = helper.scenario { customers = 5 }, new_place()
    new_client(id, place):customers():count()
    new_client(id, place, { scope = "elements.customers.read.all elements.jobs.read.all" })
      :customers():count()
    assert.equal(2, tokens(id))
    assert.is_nil((new_client(id, place, { client_secret = "another" }):customers():next()))
    assert.equal(3, tokens(id))
    for key, value in pairs(place.entries) do
      for _, secret in ipairs { helper.client_secret, helper.client_id } do
        assert.not_matches(secret, key .. value, 1, true)
      end
    end
    assert.is_nil(next(place.locks), "a failed fetch lets go too")
  end)

  it("whose contents are damaged, foreign or of the wrong type is not trusted", function()
    local id, place = helper.scenario { customers = 5 }, new_place()
    new_client(id, place):customers():count()
    local key, good = next(place.entries)
    local wrong = { "", "1", good .. "x", good:sub(1, -2), good:gsub("^1", "2"), 5, true, {},
      good:gsub(" (%d)", function(d) return " " .. (d + 1) % 10 end, 1), ("x"):rep(100000),
      "1 99999999999 00000000000000000000000000000000 evil\r\nX: y" }
    for i, entry in ipairs(wrong) do
      place.entries[key] = entry
      assert.equal(5, new_client(id, place):customers():count())
      assert.equal(1 + i, tokens(id))
    end
  end)

  it("whose token the service refuses is passed over, and gets the new one", function()
    local id, place = helper.scenario { customers = 5, token = { uses = 1 } }, new_place()
    assert.equal(5, new_client(id, place):customers({ page_size = 2 }):count())
    local _, last = next(place.entries)
    assert.equal(3, tokens(id))
    -- the token there is used up: the next client finds it, is refused, and fetches one more
    assert.equal(5, new_client(id, place):customers():count())
    assert.equal(4, tokens(id))
    assert.not_equal(last, select(2, next(place.entries)))
  end)

  it("whose entry has expired is passed over", function()
    local id, place = helper.scenario { customers = 5, token = { lifetime = 5 } }, new_place()
    new_client(id, place):customers():count()
    new_client(id, place):customers():count()
    assert.equal(2, tokens(id))
  end)

  it("that another holds is waited for, and then looked into", function()
    local id, place = helper.scenario { customers = 5 }, new_place()
    new_client(id, place):customers():count()
    local key, entry = next(place.entries)
    place.entries, place.locks[key] = {}, true
    local looks = 0
    function place.get(_, _)
      looks = looks + 1
      return looks > 4 and entry or nil -- the other one has put it there
    end
    assert.equal(5, new_client(id, place):customers():count())
    assert.equal(1, tokens(id))
    assert.equal(5, looks)
  end)

  it("with errors of its own passes them on and stays usable", function()
    for _, name in ipairs { "get", "put", "lock" } do
      local id, place = helper.scenario { customers = 5 }, new_place()
      local original = place[name]
      place[name] = function() error("mine: " .. name, 0) end
      local client = new_client(id, place)
      local listing = client:customers()
      assert.equal("mine: " .. name, helper.error_of(listing))
      place[name] = original
      assert.equal(5, listing:count())
    end
  end)

  it("is refused where it is none", function()
    local id = helper.scenario {}
    for _, place in ipairs { {}, { get = print, put = print }, { get = 1, put = 1, lock = 1 } } do
      local err = helper.error_of(new_client, id, place)
      assert.equal("config", err.kind)
      assert.matches("token_store needs a function", err.message, 1, true)
    end
    local err = helper.error_of(new_client, id, "tokens")
    assert.equal("config", err.kind)
    assert.matches("not nginx", err.message, 1, true)
  end)

  it("serves certificates and functions too", function()
    local id, place = helper.scenario { customers = 5 }, new_place()
    for _ = 1, 3 do
      local client = new_client(id, place, { client_secret = function()
        return helper.client_secret
      end })
      assert.equal(5, client:customers():count())
    end
    assert.equal(1, tokens(id))
  end)
end)

describe("#hosts an ngx.shared dictionary as token store", function()
  local function server(id, extra)
    local base, token = helper.urls(id)
    return ([[
      location = /list { content_by_lua_block {
        local avepoint = require "avepoint"
        client = client or avepoint.client { base_url = %q, token_url = %q, ca_file = %q,
          client_id = %q, client_secret = %q, token_store = "tokens" }
        ngx.say(client:customers():count(), " ", ngx.worker.id())
      } }
      %s
    ]]):format(base, token, helper.ca_file, helper.client_id, helper.client_secret, extra or "")
  end

  local LOCKED = [[
    location = /locked { content_by_lua_block {
      for _, key in ipairs(ngx.shared.tokens:get_keys()) do
        if key:find("lock", 1, true) then ngx.say(ngx.worker.pid()) end
      end
    } }
  ]]

  it("makes one token request of forty listings in four workers", function()
    local id = helper.scenario { customers = 30, token_latency = 0.3, latency = 0.05 }
    local nginx = hosts.nginx { workers = 4, http = "lua_shared_dict tokens 1m;",
      server = server(id) }
    finally(nginx.stop)
    local out = nginx.many("/list", 40, 20)
    local counts, workers, n = 0, {}, 0
    for count, worker in out:gmatch "(%d+) (%d+)" do
      counts = counts + (count == "30" and 1 or 0)
      if not workers[worker] then
        workers[worker], n = true, n + 1
      end
    end
    assert.equal(40, counts, out)
    assert.is_true(n > 1, "one worker served them all")
    assert.equal(1, tokens(id))
  end)

  it("that nginx.conf lacks is a config error", function()
    local id = helper.scenario {}
    local nginx = hosts.nginx { server = server(id) }
    finally(nginx.stop)
    nginx.get "/list"
    assert.matches("lua_shared_dict tokens", nginx.error_log(), 1, true)
  end)

  it("outlives the death of whoever held its lock", function()
    local id = helper.scenario { customers = 3, faults = { { on = "token", kind = "wait",
      seconds = 30 } } }
    local nginx = hosts.nginx { http = [[
      lua_shared_dict tokens 1m;
      init_worker_by_lua_block { require("avepoint.store").lock_seconds = 1 }
    ]], server = server(id, LOCKED) }
    finally(nginx.stop)
    local held = io.popen(("curl -sS --max-time 60 --unix-socket %s/http.sock http://host/list "
      .. "2>&1")
      :format(nginx.dir))
    local pid
    repeat
      pid = nginx.get("/locked"):match "%d+"
    until pid and tokens(id) == 1 -- the lock is held before the request for a token leaves
    os.execute("kill -KILL " .. pid)
    held:read "*a"
    held:close()
    assert.matches("^3 ", (nginx.get "/list"))
    assert.equal(2, tokens(id))
  end)

  it("is unlocked after its holder's request was ended", function()
    local id = helper.scenario { customers = 3, faults = { { on = "token", kind = "wait",
      seconds = 30 } } }
    local nginx = hosts.nginx { http = [[
      lua_shared_dict tokens 1m;
      lua_check_client_abort on;
      init_worker_by_lua_block { require("avepoint.driver.ngx").grace = 0.3 }
    ]], server = server(id, LOCKED) }
    finally(nginx.stop)
    local held = io.popen(("curl -sS --max-time 1 --unix-socket %s/http.sock http://host/list 2>&1")
      :format(nginx.dir))
    repeat until nginx.get("/locked"):match "%d+"
    held:read "*a"
    held:close()
    local locked
    for _ = 1, 100 do -- for less than the lock's time
      locked = nginx.get "/locked"
      if locked == "" then break end
      os.execute "sleep 0.05"
    end
    assert.equal("", locked)
  end)
end)
