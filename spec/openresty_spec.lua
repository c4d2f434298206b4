-- examples/openresty, the service that shares one copy of the list among nginx's workers.
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"
local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

local QUICK = "{ interval = 0.5, retry = 0.3, look = 0.02, lock = 3 }"
local ONCE = "{ interval = 600, retry = 0.3, look = 0.02, lock = 60 }"

-- What the example has no need of and a spec has.
local PEEK = [[
  add_header X-Worker $pid always;
  location = /lock { content_by_lua_block { ngx.print(ngx.shared.customers:get "lock" or "") } }
]]

local function start(fields, settings, more)
  local given = { id = helper.scenario(fields), settings = settings, workers = 4, server = PEEK }
  for name, value in pairs(more or {}) do
    given[name] = value
  end
  return hosts.service(given), given.id
end

-- Asks until `enough` is true of the decoded answer and its status; gives them.
local function await(service, path, enough)
  local body, status
  for _ = 1, 200 do
    body, status = service.get(path, "-w '\n%{http_code}'"):match "^(.*)\n(%d+)$"
    status = tonumber(status)
    local ok, answer = pcall(cjson.decode, body)
    if ok and enough(answer, status) then
      return answer, status
    end
    os.execute "sleep 0.02"
  end
  error(("%s gave %s, %s"):format(path, tostring(status), tostring(body)), 2)
end

local function is_there(_, status)
  return status == 200
end

-- The list requests of a scenario, as the numbers of the pages.
local function pages(id)
  return table.concat(helper.pages(id), " ")
end

describe("#hosts the OpenResty service", function()
  it("serves one copy from all workers, listed by one of them at a time with one token", function()
    local service, id = start({ customers = 250, token_latency = 0.1, latency = 0.02 }, QUICK)
    finally(service.stop)
    await(service, "/customers", is_there)
    local begun = os.time()
    local workers, n = {}, 0
    repeat
      for pid in service.many("/customers", 40, 20, "-o /dev/null -w '%{header_json}'")
        :gmatch '"x%-worker":%["(%d+)"' do
        if not workers[pid] then
          workers[pid], n = true, n + 1
        end
      end
    until n == 4 or os.time() - begun > 30
    assert.equal(4, n)
    os.execute "sleep 1"
    service.stop()
    assert.matches("^1 2 3 1 2 3 ", pages(id) .. " ")
    assert.equal("", (pages(id):gsub("1 2 3 ?", ""):gsub("^1 ?2?$", ""))) -- the last was cut short
    assert.equal(1, #helper.journal(id, "/token"))
    local last
    for _, entry in ipairs(helper.journal(id, "/customers")) do
      if entry.args.pageIndex == "1" then
        assert.is_true(not last or entry.time - last > 0.44, "listed sooner than asked for")
        last = entry.time
      end
    end
  end)

  it("gives all customers, or those that the query selects", function()
    local service = start({ customers = 250 }, ONCE)
    finally(service.stop)
    local all = await(service, "/customers", is_there)
    assert.equal(250, all.total)
    assert.equal(250, helper.distinct(all.customers))
    assert.is_false(all.stale)
    assert.equal(cjson.null, all.error)
    assert.is_true(all.age >= 0 and all.age < 60)
    assert.matches('"tenants":[]', service.get "/customers", 1, true)
    local counts = await(service, "/status", is_there).counts
    local sum = 0
    for _, count in pairs(counts) do
      sum = sum + count
    end
    assert.equal(250, sum)

    local function found(query)
      local answer = cjson.decode((service.get("/customers?" .. query)))
      assert.equal(250, answer.total)
      return answer.customers
    end
    assert.equal(counts.Failed, #found "status=Failed")
    assert.same(helper.ids(found "status=Failed"), helper.ids(found "status=2"))
    assert.equal(counts.Failed + counts["N/A"], #found "status=failed&status=n%2Fa")
    for _, customer in ipairs(found "status=No%20Backup%20Update") do
      assert.equal("No Backup Update", customer.jobStatus)
    end
    local one = all.customers[7]
    assert.same({ one.id }, helper.ids(found("search=" .. one.id:upper())))
    assert.same({ one.id }, helper.ids(found("search=" .. one.ownerEmail)))
    assert.same({}, found "search=%25%2E%2A&status=Working")
    assert.equal(250, #found "search=")
    local text = service.get("/customers?status=Faild", "-w ' %{http_code}'")
    assert.matches("no such status: Faild.* 400$", text)
  end)

  it("tells Prometheus of customers by status, age, the last failure and the listing", function()
    local service, id = start({ customers = 40, faults = {
      { on = "page", status = 403, lasting = true, times = -1 },
    } }, QUICK)
    finally(service.stop)
    local function metric(name)
      local text = service.get "/metrics"
      return tonumber(text:match("\n" .. name:gsub("%p", "%%%0") .. " (%S+)\n")) or text
    end
    local function await_metric(name, value)
      for _ = 1, 200 do
        if metric(name) == value then
          return
        end
        os.execute "sleep 0.02"
      end
      error(("no %s %s in %s"):format(name, value, service.get "/metrics"), 2)
    end
    await_metric("avepoint_listing_failing", 1)
    assert.equal(1, metric "avepoint_list_stale")
    assert.not_matches("avepoint_customers", service.get "/metrics")
    assert.is_true(math.abs(metric "avepoint_last_failure_timestamp_seconds" - os.time()) < 60)
    assert.is_true(metric 'avepoint_listings_total{result="failed"}' >= 1)

    helper.write(("%s/scenarios/%s.over"):format(helper.directory, id), "")
    await(service, "/customers", is_there)
    await_metric("avepoint_listing_failing", 0)
    local counts = await(service, "/status", is_there).counts
    assert.equal(counts.Failed, metric 'avepoint_customers{status="Failed"}')
    assert.equal(counts["N/A"] or 0, metric 'avepoint_customers{status="N/A"}')
    assert.equal(0, metric "avepoint_list_stale")
    assert.is_true(metric "avepoint_last_failure_timestamp_seconds" > 0)
    assert.is_true(metric "avepoint_list_age_seconds" < 60)
    assert.is_true(metric "avepoint_listing_seconds" > 0)
    assert.is_true(metric 'avepoint_listings_total{result="done"}' >= 1)
    assert.not_matches("redis", service.get "/metrics")
    assert.matches("Content-Type: text/plain; version=0.0.4\r\n", service.get("/metrics", "-i"), 1,
      true)
  end)

  it("gives a series to each documented status, and quotes what others are called", function()
    local service = start({ items = { { id = "1", organization = "A", jobStatus = 'odd"\\\n' } } },
      ONCE)
    finally(service.stop)
    await(service, "/customers", is_there)
    local text = service.get "/metrics"
    assert.matches('\navepoint_customers{status="No Backup Update"} 0\n', text, 1, true)
    assert.matches([[avepoint_customers{status="odd\"\\\n"} 1]], text, 1, true)
    for line in text:gmatch "[^\n]+" do
      assert.is_true(line:find "^# [HT]" ~= nil or line:find "^[%w_]+{?.-}? [%d.]+$" ~= nil, line)
    end
  end)

  it("logs each failure once, and that it is over", function()
    local service, id = start({ customers = 5, faults = {
      { on = "page", status = 403, times = -1, lasting = true },
    } }, "{ interval = 0.2, retry = 0.1, look = 0.02 }")
    finally(service.stop)
    repeat until #helper.journal(id, "/customers/batch") > 3 -- tried several times
    helper.write(("%s/scenarios/%s.over"):format(helper.directory, id), "")
    await(service, "/customers", is_there)
    service.stop()
    local log = service.error_log()
    assert.equal(1, select(2, log:gsub("elements%.customers%.read%.all", "")))
    assert.equal(1, select(2, log:gsub("is not renewed", "")))
    assert.equal(1, select(2, log:gsub("is renewed again", "")))
  end)

  it("names no variable for systemd or a container that nginx.conf keeps from workers", function()
    local example = helper.top .. "/examples/openresty/"
    local conf, n = helper.read(example .. "nginx.conf"), 0
    for _, file in ipairs { "customers.service", "customers.service.d/variables.conf",
      "Dockerfile" } do
      local text = helper.read(example .. file)
      for name in text:gmatch "%f[%w_]AVEPOINT_[%u_]+" do
        n = n + 1
        assert.matches("\nenv " .. name .. ";", conf, 1, true)
      end
      for name in text:gmatch "Environment=([%w_]+)=" do
        assert.matches("\nenv " .. name .. ";", conf, 1, true)
      end
    end
    assert.is_true(n > 10)
  end)

  it("says when to come back while there is no list yet", function()
    local service = start({ customers = 5, latency = 1 }, ONCE)
    finally(service.stop)
    for _, path in ipairs { "/customers", "/status", "/customers?status=Failed" } do
      local head = service.get(path, "-i")
      assert.matches("^HTTP/1.1 503", head)
      assert.matches("Retry%-After: %d+\r\n", head)
      assert.matches('{"error":"the first list of customers is on its way"}', head, 1, true)
    end
    await(service, "/customers", is_there)
  end)

  it("says why there is no list, and no secret", function()
    local service = start({ token = { client_secret = "another" } }, ONCE)
    finally(service.stop)
    local answer, status = await(service, "/status", function(answer)
      return answer.error:find "invalid_client"
    end)
    assert.equal(503, status)
    assert.not_matches(helper.client_secret, answer.error .. service.error_log(), 1, true)
    assert.matches("invalid_client", service.error_log())
  end)

  it("serves the last copy as stale while listing fails, and recovers", function()
    local service, id = start({ customers = 40, faults = {
      { on = "page", kind = "wait", seconds = 0 }, -- the first listing is well
      { on = "page", status = 403, times = -1, lasting = true },
    } }, QUICK)
    finally(service.stop)
    local first = await(service, "/customers", function(answer) return answer.stale end)
    assert.matches("elements.customers.read.all", first.error, 1, true)
    assert.equal(40, #first.customers)
    local later = await(service, "/customers", function(answer)
      return answer.stale and answer.age > first.age
    end)
    assert.equal(first.fetched_at, later.fetched_at)
    helper.write(("%s/scenarios/%s.over"):format(helper.directory, id), "")
    local last = await(service, "/customers", function(answer) return answer.stale == false end)
    assert.is_true(last.fetched_at > first.fetched_at)
    assert.equal(cjson.null, last.error)
  end)

  it("lists in another worker when the one that lists is killed", function()
    local service, id = start({ customers = 40, faults = {
      { on = "page", kind = "wait", seconds = 60 },
    } }, QUICK)
    finally(service.stop)
    local pid
    repeat
      pid = service.get("/lock"):match "^%d+"
    until pid and #helper.journal(id, "/customers") == 1
    os.execute("kill -KILL " .. pid)
    local answer = await(service, "/customers", is_there)
    assert.equal(40, #answer.customers)
    local requests = helper.journal(id, "/customers")
    assert.is_true(requests[2].time - requests[1].time < 4)
    assert.equal(1, #helper.journal(id, "/token"))
  end)

  it("hands over at once when nginx reloads in mid-listing", function()
    local service, id = start({ customers = 40, faults = {
      { on = "page", kind = "wait", seconds = 60 },
    } }, ONCE) -- whoever waited for the lock to end would wait for a minute
    finally(service.stop)
    repeat until #helper.journal(id, "/customers") == 1
    local _, old = service.pids()
    service.signal "HUP"
    assert.equal(40, #await(service, "/customers", is_there).customers)
    for _, pid in ipairs(old) do
      assert.is_true(hosts.await_end(pid))
    end
    assert.equal(2, #helper.journal(id, "/customers"))
    assert.equal(1, #helper.journal(id, "/token"))
    assert.not_matches("is not renewed", service.error_log())
  end)

  it("names the dictionary that is too small for the list", function()
    local service = start({ customers = 3000 }, ONCE, { size = "400k" })
    finally(service.stop)
    local answer = await(service, "/customers", function(answer)
      return answer.error ~= "the first list of customers is on its way"
    end)
    assert.matches("lua_shared_dict customers", answer.error, 1, true)
  end)

  it("sends a page that may run nothing but its own script", function()
    local service = start({ items = { { id = "1", organization = "</script><script>alert(1)" } } },
      ONCE)
    finally(service.stop)
    await(service, "/customers", is_there)
    local page = service.get("/", "-i")
    local nonce = page:match "script%-src 'nonce%-(%x+)'"
    assert.matches("default-src 'none'", page, 1, true)
    assert.matches(('<script nonce="%s">'):format(nonce), page, 1, true)
    assert.not_equal(nonce, (service.get("/", "-i"):match "script%-src 'nonce%-(%x+)'"))
    assert.not_matches("alert(1)", page, 1, true)
    assert.not_matches("https?://", page:match "<!doctype.*")
    local head = service.get("/customers", "-i")
    assert.matches("Content-Type: application/json\r\n", head, 1, true)
    assert.matches("X-Content-Type-Options: nosniff\r\n", head, 1, true)
  end)
end)
