-- examples/openresty on two machines that share the list and the token in one Redis.
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"
local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")
local redis_server = dofile(helper.top .. "/spec/support/redis.lua")

local INTERVAL = 1
local QUICK = "{ interval = 1, retry = 0.3, look = 0.02, lock = 3 }"
local ONCE = "{ interval = 600, retry = 0.3, look = 0.02, lock = 60 }"

local function machine(id, redis, settings)
  return hosts.service { id = id, settings = settings, workers = 2,
    environment = { AVEPOINT_REDIS = redis.url } }
end

-- One Redis, and two machines with the list of one scenario. Returns stop() too.
local function fleet(fields, settings, login)
  local id, redis = helper.scenario(fields), redis_server.start(login)
  local machines = { machine(id, redis, settings), machine(id, redis, settings) }
  return machines, id, redis, function()
    for _, one in ipairs(machines) do
      one.stop()
    end
    redis.stop()
  end
end

-- Waits until f gives something, at most 30 seconds; returns it.
local function await(what, f)
  local ends = os.time() + 30
  repeat
    local value = f()
    if value then
      return value
    end
    os.execute "sleep 0.02"
  until os.time() > ends
  error("never came: " .. what, 2)
end

local function ask(service, path)
  local body, status = service.get(path or "/customers", "-w '\n%{http_code}'")
    :match "^(.*)\n(%d+)%s*$"
  local ok, answer = pcall(cjson.decode, body or "")
  return tonumber(status), ok and answer or body
end

local function await_list(service)
  return await("a list", function()
    local status, answer = ask(service)
    return status == 200 and answer
  end)
end

local function metric(service, name)
  return tonumber(service.get("/metrics"):match("\n" .. name .. " (%S+)\n"))
end

-- The times when a page was asked for, oldest first.
local function times(id, page)
  local found = {}
  for _, entry in ipairs(helper.journal(id, "/customers")) do
    if entry.args.pageIndex == tostring(page) then
      found[#found + 1] = entry.time
    end
  end
  return found
end

local function count(text, plain)
  return select(2, text:gsub(plain:gsub("%p", "%%%0"), ""))
end

-- Ends a machine as a power cut does.
local function kill(service)
  local master, workers = service.pids()
  hosts.shell(("kill -KILL %s %s"):format(master, table.concat(workers, " ")))
  os.remove(service.dir .. "/nginx.pid") -- stop() has nothing left to end
end

-- Which of the machines has the lock, and which not.
local function lister(machines, redis)
  local pid = redis.cli("get avepoint:lock"):match "^%d+"
  for i, one in ipairs(machines) do
    local _, workers = one.pids()
    for _, worker in ipairs(workers) do
      if worker == pid then
        return one, machines[3 - i]
      end
    end
  end
end

describe("#hosts two machines of the OpenResty service with one Redis", function()
  it("serve one list, listed once an interval, with one token", function()
    local machines, id, _, stop = fleet({ customers = 250, token_latency = 0.1 }, QUICK)
    finally(stop)
    await("four listings", function() return #times(id, 3) >= 4 end)
    local seen = await("the same list on both", function()
      local _, one = ask(machines[1])
      local _, other = ask(machines[2])
      return one.fetched_at and one.fetched_at == other.fetched_at and { one, other }
    end)
    assert.equal(250, helper.distinct(seen[1].customers))
    assert.same(helper.ids(seen[1].customers), helper.ids(seen[2].customers))
    assert.equal(1, metric(machines[1], "avepoint_redis_up"))
    stop()
    assert.equal(1, #helper.journal(id, "/token"))
    local begun = times(id, 1)
    for i = 2, #begun do
      assert.is_true(begun[i] - begun[i - 1] > 0.88 * INTERVAL, "listed sooner than asked for")
    end
  end)

  -- Lock and interval are to each other as they are by default, nearly: who takes over does so
  -- before the next interval ends.
  it("answer all the while when the one that lists is killed, and list once an interval", function()
    local interval, lock = 3, 2
    local machines, id, redis, stop = fleet({ customers = 250, faults = {
      { on = "page", page = 2, kind = "wait", seconds = 0 }, -- the first listing is well
      { on = "page", page = 2, kind = "wait", seconds = 60 },
    } }, ("{ interval = %d, retry = 0.3, look = 0.02, lock = %d }"):format(interval, lock))
    finally(stop)
    await_list(machines[1])
    await_list(machines[2])
    await("the second listing", function() return #times(id, 2) == 2 end)
    local killed, left = lister(machines, redis)
    assert.is_table(killed, "nobody has the lock")
    kill(killed)
    local answers, oldest, lists = 0, 0, {} -- when each list that came was finished
    await("three more lists", function()
      local status, answer = ask(left)
      assert.equal(200, status)
      assert.equal(250, #answer.customers)
      answers, oldest = answers + 1, math.max(oldest, answer.age)
      if answer.fetched_at ~= lists[#lists] then
        lists[#lists + 1] = answer.fetched_at
      end
      return #lists == 4
    end)
    stop()
    local begun = times(id, 1)
    assert.equal(5, #begun) -- the second was cut short
    local taken_over = begun[3] - begun[2]
    assert.is_true(taken_over > 0.9 * lock and taken_over < lock + 1.5, taken_over)
    for i = 2, #lists do
      local apart = lists[i] - lists[i - 1]
      assert.is_true(apart > 0.88 * interval and apart < 1.1 * interval + lock + 1.5, apart)
    end
    assert.is_true(oldest < 1.1 * interval + lock + 1.5, oldest)
    assert.equal(1, #helper.journal(id, "/token"))
    if os.getenv "AVP_NAMES" then
      print(("%d answers, all 200, the oldest list %.2f s old; lists %.2f, %.2f and %.2f s apart; "
        .. "taken over %.2f s after the killed one began"):format(answers, oldest,
        lists[2] - lists[1], lists[3] - lists[2], lists[4] - lists[3], taken_over))
    end
  end)

  it("hand over at once when the one that lists reloads", function()
    local machines, id, redis, stop = fleet({ customers = 40, faults = {
      { on = "page", kind = "wait", seconds = 60 },
    } }, ONCE) -- whoever waited for the lock to expire would wait for a minute
    finally(stop)
    local listing = await("a listing", function()
      return #helper.journal(id, "/customers") == 1 and lister(machines, redis)
    end)
    listing.signal "HUP"
    for _, one in ipairs(machines) do
      assert.equal(40, #await_list(one).customers)
    end
    assert.equal(2, #helper.journal(id, "/customers"))
    assert.equal(1, #helper.journal(id, "/token"))
  end)

  it("serve their last list while Redis is away, list seldom, and go on when it is back", function()
    local machines, id, redis, stop = fleet({ customers = 40 }, QUICK)
    finally(stop)
    await_list(machines[1])
    await_list(machines[2])
    redis.stop()
    local before = #times(id, 1)
    local since = os.time()
    await("lists of their own", function()
      local fresh = 0
      for _, one in ipairs(machines) do
        local status, answer = ask(one)
        assert.equal(200, status)
        assert.equal(40, #answer.customers)
        fresh = fresh + (answer.fetched_at > since + 1 and 1 or 0)
      end
      return fresh == 2
    end)
    local n, seconds = #times(id, 1) - before, os.time() - since + 1
    assert.is_true(n <= 2 * seconds / INTERVAL, ("%d listings in %d s"):format(n, seconds))
    for _, one in ipairs(machines) do
      assert.equal(0, metric(one, "avepoint_redis_up"))
    end
    redis.start()
    await("one list", function()
      local _, one = ask(machines[1])
      local _, other = ask(machines[2])
      return one.fetched_at == other.fetched_at and metric(machines[1], "avepoint_redis_up") == 1
    end)
    stop()
    for _, one in ipairs(machines) do
      local log = one.error_log()
      assert.equal(1, count(log, "connection refused"))
      assert.equal(1, count(log, "answers again"))
      assert.equal(0, count(log, "connect() failed"))
    end
  end)

  it("list for themselves when Redis is away from the start", function()
    local id, redis = helper.scenario { customers = 40 }, redis_server.start()
    redis.stop()
    local service = machine(id, redis, QUICK)
    finally(service.stop)
    assert.equal(40, #await_list(service).customers)
    assert.equal(1, count(service.error_log(), "connection refused"))
  end)

  it("leave a lock alone that another has taken meanwhile, and its list too", function()
    local machines, id, redis, stop = fleet({ customers = 40, faults = {
      { on = "page", kind = "wait", seconds = 4 }, -- longer than it takes to notice it
    } }, ONCE)
    finally(stop)
    await("a listing", function() return #helper.journal(id, "/customers") == 1 end)
    redis.cli "set avepoint:lock another PX 60000"
    await("the end of the listing", function()
      return (metric(machines[1], 'avepoint_listings_total{result="done"}') or 0)
        + (metric(machines[2], 'avepoint_listings_total{result="done"}') or 0) == 1
    end)
    assert.equal("another", redis.cli "get avepoint:lock")
    assert.equal("", redis.cli "get avepoint:state")
    assert.equal(503, (ask(machines[1])))
    redis.cli "del avepoint:lock"
    await_list(machines[1])
    await_list(machines[2])
  end)

  it("tell each other why a listing failed", function()
    local machines, _, _, stop = fleet({ token = { client_secret = "another" } }, ONCE)
    finally(stop)
    for _, one in ipairs(machines) do
      await("the reason", function()
        local status, answer = ask(one)
        return status == 503 and answer.error:find "invalid_client"
      end)
    end
  end)

  it("sign in to Redis, and never show its password", function()
    local machines, id, redis, stop = fleet({ customers = 40 }, ONCE, { password = "s3cr3t%21" })
    finally(stop)
    -- the URL's is decoded: not the server's
    await("the refusal", function() return machines[1].error_log():find "WRONGPASS" end)
    for _, one in ipairs(machines) do
      assert.not_matches("s3cr3t", one.error_log() .. one.get "/customers" .. one.get "/metrics", 1,
        true)
    end
    redis.url = redis.url:gsub("%%", "%%25")
    local service = machine(id, redis, ONCE)
    assert.equal(40, #await_list(service).customers)
    assert.equal(1, metric(service, "avepoint_redis_up"))
    service.stop()
  end)

  it("refuse a URL that is none, and do not show it", function()
    for _, url in ipairs { "10.0.0.5:6379", "rediss://:s3cr3t@host", "redis://",
      "redis://a:s3cr3t" } do
      local ok, said = pcall(machine, "none", { url = url }, ONCE)
      assert.is_false(ok, url)
      assert.matches("AVEPOINT_REDIS must look like", said, 1, true)
      assert.not_matches("s3cr3t", said, 1, true)
    end
  end)
end)
