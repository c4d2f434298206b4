-- The service's connection is made while the token comes. Nothing is sent on it before, and nobody
-- hears of it, whatever becomes of it.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local given = require "spec.support.given"
local helper = require "spec.helper"
local rawserver = require "spec.support.faults.rawserver"
local relay = require "spec.support.relay"

describe("the service's connection", function()
  -- A client whose token comes from another server than the customers: another port, by HTTP/1.1.
  local function options_of(fields, more)
    local id = helper.scenario(fields)
    local options = helper.options(id, more)
    options.token_url = select(2, helper.urls(id, "http1"))
    return options, id
  end

  -- The simulator counts all connections that it lets in: the number of one that is made now.
  local function next_number()
    local client, id = helper.client({ customers = 1 }, { port = "http" })
    client:customers():count()
    client:close()
    return helper.journal(id)[1].connection
  end

  -- How many connections f makes.
  local function connections_of(f, ...)
    local first = next_number()
    f(...)
    return next_number() - first - 1
  end

  local function silent_port()
    local silent = relay.start("silent " .. helper.ports.https)
    finally(function() silent:stop() end)
    return "https://127.0.0.2:" .. helper.ports.https .. "/~silent"
  end

  local function count_descriptors()
    local list = assert(io.popen "ls /proc/$PPID/fd | wc -l")
    local n = tonumber(list:read "*a")
    list:close()
    return n
  end

  it("stands when the token comes, and takes the first page", function()
    local meanwhile
    local options, id = options_of { customers = 23, token_latency = 0.1 }
    options.base_url = options.base_url:gsub("localhost", "127.0.0.1") -- needs no look-up
    options.on_event = function() meanwhile = meanwhile or next_number() end
    local listing
    assert.equal(2 + 1, connections_of(function() -- one for the token, one for pages; and ours
      listing = avepoint.client(options):customers { page_size = 5, concurrency = 2 }
      assert.equal(23, listing:count())
    end))
    assert.equal(1, #helper.journal(id, "/connect/token"))
    local pages = helper.journal(id, "/customers")
    assert.equal(#helper.journal(id), #pages + 1)
    assert.equal(listing:stats().requests, #pages)
    for _, page in ipairs(pages) do
      assert.is_true(page.connection < meanwhile)
      assert.equal(pages[1].connection, page.connection)
      assert.equal("2.0", page.http)
      assert.equal(1, page.token)
    end
  end)

  it("is waited for where the token comes first", function()
    local options = options_of { customers = 3 }
    local one = relay.start(helper.ports.https .. " 100")
    finally(function() one:stop() end)
    options.base_url = options.base_url:gsub(":%d+/", ":" .. one.port .. "/", 1)
    assert.equal(2, connections_of(function()
      assert.equal(3, avepoint.client(options):customers():count())
    end))
  end)

  it("is lost once where the server speaks HTTP/1.1, not again", function()
    -- each token is good for one page: the second listing needs another
    local options, id = options_of({ customers = 3, token = { uses = 1 } }, { port = "http1" })
    options.token_url = select(2, helper.urls(id, "https"))
    local client = avepoint.client(options)
    local function list() assert.equal(3, client:customers():count()) end
    assert.equal(3, connections_of(list))
    assert.equal(0, connections_of(list))
    assert.equal(2, #helper.journal(id, "/connect/token"))
  end)

  it("is used again where it is there when a token has ended, among pages under way", function()
    local options, id = options_of { customers = 23, token = { uses = 7 }, latency = 0.02 }
    local client = avepoint.client(options)
    local function list() assert.equal(23, client:customers({ page_size = 2 }):count()) end
    assert.equal(2, connections_of(list))
    assert.equal(0, connections_of(list))
    assert.is_true(#helper.journal(id, "/connect/token") >= 4)
  end)

  it("is none where a token is given, or the token's server is the same", function()
    local known = given.knowing_token { customers = 3 }
    for _, more in ipairs { { access_token = given.token },
      { access_token = function() return given.token end }, {} } do
      for _, port in ipairs { "https", "http1" } do
        more.port = port
        local options = helper.options(known, more)
        assert.equal(1, connections_of(function()
          assert.equal(3, avepoint.client(options):customers():count())
        end), port)
      end
    end
  end)

  it("cannot be made: the error is as it would be", function()
    local dead = relay.start(helper.ports.https)
    dead:stop()
    local function error_of(base, more)
      more.base_url, more.connect_timeout, more.max_attempts = base, 0.3, 1
      local _, err = avepoint.client((options_of({}, more))):customers():next()
      err.where = nil
      -- libcurl tells how long it took, and a timeout in two ways
      err.message = err.code ~= 28 and err.message:gsub("%d+ ms", "N ms") or nil
      return err
    end
    for _, base in ipairs { "https://localhost:" .. dead.port, silent_port(),
      "https://localhost:" .. helper.ports.untrusted, "https://localhost:" .. helper.ports.http } do
      assert.same(error_of(base, { access_token = given.token }), error_of(base, {}))
    end
  end)

  it("that falls silent costs the first page no attempt", function()
    local one = relay.start(helper.ports.https)
    finally(function() one:stop() end)
    local options, id = options_of({ customers = 3 }, { max_attempts = 1, connect_timeout = 1 })
    options.base_url = ("https://localhost:%s/~%s"):format(one.port, id)
    options.on_event = function(event)
      if event.method ~= "POST" or event.event ~= "request" then return end
      avepoint.client(one:options(helper.scenario {})):customers():first() -- it is let in by now
      one:silence()
    end
    local listing = avepoint.client(options):customers()
    assert.equal(3, listing:count())
    assert.equal(1, listing:stats().requests)
  end)

  it("is ended with what waits for it", function()
    local base = silent_port()
    local function fails(kind, more, fields)
      more.base_url, more.connect_timeout = base, 20
      local client = avepoint.client((options_of(fields or { token_latency = 20 }, more)))
      local _, err = client:customers():next()
      assert.equal(kind, err.kind)
      local at_end = count_descriptors()
      client:close()
      return at_end
    end
    collectgarbage()
    local before = count_descriptors()
    -- libcurl's pair to be woken by, our set; the token's connection, where its reply has come
    local idle = fails("auth", { client_secret = "wrong" }, {}) - before
    local plain = avepoint.client(helper.options(helper.scenario {}, { client_secret = "wrong" }))
    assert.equal("auth", select(2, plain:customers():next()).kind)
    assert.equal(idle, count_descriptors() - before)
    plain:close()
    assert.is_true(fails("timeout", { deadline = 0.2 }) - before < idle)
    local client
    local options = options_of({ token_latency = 20 }, { base_url = base, on_event = function()
      client:close()
    end })
    client = avepoint.client(options)
    assert.equal("closed", select(2, client:customers():next()).kind)
    assert.equal(before, count_descriptors())
  end)

  it("is made, and ended, in a task of a loop too", function()
    local function run(fields, deed, more)
      local id = helper.scenario(fields)
      return helper.run(([[
        local uv = require "avepoint.driver.uv"
        local task
        local client = require("avepoint").client { on_event = function() %s end }
        task = uv.run(function() print(client:customers():count()) end, function(err)
          if err then print(err) end
        end)
        require "luv".run()
      ]]):format(deed), helper.environment(id, { AVEPOINT_BASE_URL = more,
        AVEPOINT_TOKEN_URL = select(2, helper.urls(id, "http1")) }))
    end
    assert.equal(2, connections_of(function()
      assert.equal("3\n", run({ customers = 3, token_latency = 0.1 }, ""))
    end))
    assert.equal("avepoint: cancelled\n",
      run({ token_latency = 20 }, "task:cancel()", silent_port()))
  end)

  it("is not made through a proxy", function()
    rawserver.start()
    finally(rawserver.stop)
    local proxy = "http://127.0.0.1:" .. rawserver.port
    local id = helper.scenario {}
    local environment = helper.environment(id, { AVEPOINT_BASE_URL = "https://service.invalid" })
    for _, name in ipairs { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "option" } do
      local scene = rawserver.scene { token = rawserver.script("close", "HTTP/1.1 502 No\r\n\r\n") }
      environment[name] = proxy
      local said = helper.run(([[
        local client = require "avepoint".client { max_attempts = 1, proxy = %s }
        print(select(2, client:customers():next()).attempts)
      ]]):format(name == "option" and "'" .. proxy .. "'" or "nil"), environment)
      environment[name] = nil
      assert.equal("1\n", said)
      assert.equal(1, #rawserver.log(scene), name)
    end
  end)
end)
