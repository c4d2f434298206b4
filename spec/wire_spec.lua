-- What all specs have sent until here: one thing must never be in it, a POST to the path of the
-- GET, since there it would create a customer.
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"
local helper = require "spec.helper"

local GET = "/partner/external/v3/general/customers"

-- Calls f for each request that this library has sent.
local function each_request(f)
  local list = assert(io.popen("ls " .. helper.directory .. "/journal"))
  for name in list:lines() do
    for line in io.lines(helper.directory .. "/journal/" .. name) do
      local entry = cjson.decode(line)
      if (entry.headers["user-agent"] or ""):find("avepoint-lua", 1, true) then f(entry) end
    end
  end
  list:close()
end

describe("everything that was sent", function()
  setup(function()
    for _, endpoint in ipairs { "get", "batch", "auto" } do
      helper.client({ customers = 3 }):customers({ endpoint = endpoint }):collect()
    end
    local refused = helper.client { customers = 3, endpoints = { get = 405, batch = 405 } }
    refused:customers():next()
  end)

  it("creates nobody", function()
    local n = 0
    each_request(function(entry)
      n = n + 1
      assert.is_nil(entry.created)
      if entry.path:sub(-#GET) == GET then assert.equal("GET", entry.method) end
      if entry.path:sub(-6) == "/batch" then assert.equal("POST", entry.method) end
      assert.is_true(entry.method == "GET" or entry.method == "POST")
    end)
    assert.is_true(n >= 8)
  end)

  it("has the documented parameters and no others", function()
    each_request(function(entry)
      if entry.headers["user-agent"]:find("queries-of-its-own", 1, true) then
        assert.is_nil(entry.created)
      elseif entry.path:sub(-#GET) == GET or entry.path:sub(-6) == "/batch" then
        assert.matches("^pageIndex=%d+&pageSize=%d+$", entry.query)
        assert.equal("application/json", entry.headers.accept)
        if entry.method == "GET" then assert.is_nil(entry.body) end
      elseif entry.path:find("/connect/token", 1, true) then
        assert.equal("", entry.query)
      end
    end)
  end)
end)

describe("connections", function()
  local function distinct_connections(id, port)
    local seen, n = {}, 0
    for _, entry in ipairs(helper.journal(id)) do
      if not seen[entry.connection] then
        seen[entry.connection] = true
        n = n + 1
      end
      assert.matches(port == "https" and "2" or "1%.1", tostring(entry.http))
    end
    return n
  end

  it("are used again by the next page and the next listing", function()
    for _, port in ipairs { "https", "http1", "http" } do
      local client, id = helper.client({ customers = 23 }, { port = port })
      for _ = 1, 3 do
        assert.equal(23, client:customers({ page_size = 5, concurrency = 1 }):count())
      end
      assert.equal(1, distinct_connections(id, port), port)
    end
  end)

  it("are few where many pages are in flight", function()
    local client, id = helper.client({ customers = 100, latency = 0.005 }, { port = "https" })
    assert.equal(100, client:customers({ page_size = 2, concurrency = 4 }):count())
    assert.is_true(distinct_connections(id, "https") <= 2)
  end)

  it("offer compression", function()
    local client, id = helper.client { customers = 100 }
    local listing = client:customers()
    listing:count()
    assert.matches("gzip", helper.journal(id, "/customers")[1].headers["accept-encoding"], 1, true)
  end)
end)

describe("a proxy", function()
  local script = [[
    local avepoint = require "avepoint"
    local listing, n = avepoint.customers(), 0
    local customer, err = listing:next()
    while customer do
      n = n + 1
      customer, err = listing:next()
    end
    print(n, err and err.kind, err and err.message)
  ]]

  it("is never used for loopback, whatever option or environment say", function()
    for _, name in ipairs { "https_proxy", "HTTPS_PROXY", "all_proxy", "http_proxy" } do
      local out = helper.run(script, helper.environment(helper.scenario { customers = 3 },
        { [name] = "http://127.0.0.1:1" }))
      assert.equal("3\tnil\tnil\n", out, name)
    end
    local client = helper.client({ customers = 3 }, { proxy = "http://127.0.0.1:1" })
    assert.equal(3, client:customers():count())
  end)

  it("of the environment is used for other hosts, and no_proxy obeyed", function()
    local environment = { https_proxy = "http://127.0.0.1:1", AVEPOINT_CLIENT_ID = "me",
      AVEPOINT_CLIENT_SECRET = "s3cret", AVEPOINT_BASE_URL = "https://nowhere.invalid",
      AVEPOINT_TOKEN_URL = "https://nowhere.invalid/token" }
    local once = script:gsub("avepoint.customers%(%)",
      "avepoint.client({ max_attempts = 1 }):customers()")
    assert.matches("^0\tnetwork\t[^\n]*127.0.0.1", helper.run(once, environment))
    environment.no_proxy = "nowhere.invalid"
    assert.matches("^0\tnetwork\t[^\n]*nowhere.invalid", helper.run(once, environment))
  end)
end)
