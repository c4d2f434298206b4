-- client:list, client:get and client:customer: what leaves, what comes, what is refused.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local core = require "avepoint.core"
local helper = require "spec.helper"

local GENERAL = "partner/external/v3/general/customers"
local SERVICES = GENERAL .. "/services/batch"
local BOTH = "elements.customers.read.all elements.license.read.all"

local function new(fields, more)
  local options = { scope = BOTH, user_agent = "queries-of-its-own" } -- see wire_spec
  for name, value in pairs(more or {}) do options[name] = value end
  return helper.client(fields, options)
end

local function services(client, options)
  local all = { method = "POST", id = "customerId", page_size = 5 }
  for name, value in pairs(options or {}) do all[name] = value end
  return client:list(SERVICES, all)
end

local function last(id)
  local journal = helper.journal(id)
  return journal[#journal]
end

describe("client:list", function()
  it("reads a list of the API page by page", function()
    local client, id = new { customers = 23 }
    local listing, rows = services(client), {}
    for row in listing do rows[#rows + 1] = row end
    assert.equal(23, #rows)
    assert.equal(5, listing:stats().pages)
    assert.equal(23, listing:total())
    assert.is_table(rows[1].products)
    assert.equal(client:customers():first().id, rows[1].customerId)
    assert.is_nil(rows[1].jobStatusCode)
    assert.is_nil(rows[1].tenants) -- what customers are given is not added
    assert.equal("POST", helper.journal(id, "/services/batch")[1].method)
    assert.equal("{}", helper.journal(id, "/services/batch")[1].body)
  end)

  it("sends the query in order, encoded, before the page", function()
    local client, id = new { customers = 1 }
    client:list("/" .. GENERAL, { query = { b = { 1, 2.5, "x y" }, a = true, ["ä&"] = "=" } })
      :next() -- the service knows no such parameters
    assert.equal("a=true&b=1&b=2.5&b=x%20y&%C3%A4%26=%3D&pageIndex=1&pageSize=100", last(id).query)
    client:list(GENERAL, { query = {} }):count()
    assert.equal("pageIndex=1&pageSize=100", last(id).query)
  end)

  it("sends a body as it is given, or a table as JSON", function()
    local client, id = new { customers = 4 }
    local ids = helper.ids(client:customers():collect())
    assert.equal(2, services(client, { body = { customerIds = { ids[2], ids[4] } } }):count())
    assert.equal(('{"customerIds":["%s","%s"]}'):format(ids[2], ids[4]), last(id).body)
    assert.equal(1, services(client, { body = ('{ "customerIds" : ["%s"] }'):format(ids[1]) })
      :count())
    assert.equal(('{ "customerIds" : ["%s"] }'):format(ids[1]), last(id).body)
  end)

  it("finds the rows and the counts where the options say", function()
    local client = new { raw_items = {}, faults = { { on = "get", times = -1, status = 200,
      body = '{"result":[{"key":1},{"key":"1x"}],"metaData":{"totalCount":2,"pageSize":100}}' } } }
    local listing = client:list(GENERAL, { items = "result", metadata = "metaData", id = "key" })
    assert.same({ { key = 1 }, { key = "1x" } }, listing:collect())
    assert.equal(2, listing:total())
    local _, err = client:list(GENERAL, { metadata = "metaData" }):next()
    assert.equal("protocol", err.kind)
    assert.matches("data is missing", err.message, 1, true)
    _, err = client:list(GENERAL, { items = "result" }):next()
    assert.matches("item 1 of result has no id", err.message, 1, true)
  end)

  it("takes ids that are numbers, as far as numbers can be told apart", function()
    local function of(...)
      local items = {}
      for i, id in ipairs { ... } do items[i] = ('{"id":%s}'):format(id) end
      return (new { raw_items = items }):list(GENERAL)
    end
    assert.equal(4, of("1", "1.5", "-1", "9007199254740991"):count())
    assert.equal(2, of("123456789012345", "123456789012346"):count()) -- 15 digits: %.14g is short
    for _, id in ipairs { "9007199254740992", "-1e300", "true", "null", "[]", '""' } do
      local _, err = of("1", id):next()
      assert.equal("protocol", err.kind, id)
      assert.matches("item 2 of data", err.message, 1, true)
    end
  end)

  it("mends numbers and nulls, or nothing if it is raw", function()
    local function first(options)
      return (new { raw_items = { '{"id":"a","n":3,"x":null,"in":{"y":null,"m":4}}' } })
        :list(GENERAL, options):first()
    end
    local row = first()
    assert.equal("3", tostring(row.n))
    assert.is_nil(row.x)
    assert.same({ m = 4 }, row["in"])
    assert.is_not_nil(first({ raw = true }).x)
  end)

  it("shares client and listing with customers: concurrency, progress, events, stats", function()
    local seen, done = {}, {}
    local client = new({ customers = 38, latency = 0.02 }, { on_event = function(event)
      seen[event.event] = (seen[event.event] or 0) + 1
    end })
    local listing = services(client, { concurrency = 4, on_progress = function(n, total)
      done[#done + 1] = n .. "/" .. total
    end })
    assert.equal(38, listing:count())
    assert.same({ "5/38", "10/38", "15/38", "20/38", "25/38", "30/38", "35/38", "38/38" }, done)
    assert.equal(8, seen.page)
    assert.equal(8, listing:stats().requests)
    assert.matches("38 of 38 rows given out", tostring(listing))
  end)

  it("is read whole while the list moves: changes at random places, 1 to 8 in flight", function()
    for round, change in ipairs { { requests = 3, remove = "random" },
      { requests = 2, insert = "random" }, { requests = 4, insert = 1, remove = "random" } } do
      for _, width in ipairs { 1, 4, 8 } do
        local client = new { customers = 60, changes_every = change }
        local seen = {}
        for row in services(client, { concurrency = width }) do
          assert.is_nil(seen[row.customerId])
          seen[row.customerId] = true
        end
        local stays = services(client, { drift = "ignore" }):map(function(row)
          return row.customerId
        end):collect()
        local initial = new({ customers = 60 }):customers():map(function(c) return c.id end)
          :collect()
        local left = {}
        for _, id in ipairs(stays) do left[id] = true end
        for _, id in ipairs(initial) do
          assert.is_true(seen[id] or not left[id], round .. ", " .. width .. ": lost " .. id)
        end
      end
    end
  end)

  it("without an id ends even where the server repeats its page for ever", function()
    local client = new { no_total = true, raw_items = { '{"a":1,"b":{"c":[true,null,"x"]}}',
      '{"a":2}' }, page_size_max = 2, faults = { { on = "page", times = -1, kind = "repeat_page",
      content = 1 } } }
    local n = 0
    local listing = client:list(GENERAL, { id = false, page_size = 2 })
    local row, err = listing:next()
    while row do
      n = n + 1
      row, err = listing:next()
    end
    assert.equal(4, n) -- rows without ids may be alike: the third time tells
    assert.equal("protocol", err.kind)
  end)

  it("without an id gives out rows that are alike", function()
    local client = new { raw_items = { '{"a":1}', '{"a":1}', '{"a":1}', '{"a":2}' } }
    assert.equal(4, client:list(GENERAL, { id = false, page_size = 3 }):count())
  end)

  it("fails as customers do: 403 without the scope, and the error says where to go on", function()
    local client = new({ customers = 7 }, { scope = "elements.customers.read.all" })
    local _, err = services(client):next()
    assert.equal("forbidden", err.kind)
    assert.matches("scope", err.message, 1, true)
    assert.is_string(err.position)
    assert.matches(SERVICES .. "$", err.url)
  end)
end)

describe("filters on a list", function()
  local function rows()
    return (new { raw_items = { '{"id":"a","status":3,"name":"Mail","sub":{"deep":"Needle"}}',
      '{"id":"b","status":"3","name":"mail","ok":true}', '{"id":"c","name":"Drive"}' } })
      :list(GENERAL)
  end

  it("compare any field, texts without case, numbers also as text", function()
    assert.equal(2, rows():where({ status = 3 }):count())
    assert.equal(2, rows():where({ status = "3" }):count())
    assert.equal(2, rows():where({ name = "MAIL" }):count())
    assert.equal(3, rows():where({ name = { "MAIL", "drive" } }):count())
    assert.equal(1, rows():where({ ok = true }):count())
    assert.equal(1, rows():where({ status = function(s) return s == nil end }):count())
    assert.equal(0, rows():where({ nothing = "x" }):count())
    assert.equal(1, rows():search("needle"):count())
    assert.same({ Mail = 1, mail = 1, Drive = 1 }, rows():count_by "name")
  end)

  it("refuse values that no field can have", function()
    for _, wrong in ipairs { {}, { {} }, { print } } do
      local l = rows()
      assert.matches("field 'x'", helper.error_of(l.where, l, { x = wrong }), 1, true)
    end
  end)

  it("of customers are refused by name", function()
    for _, name in ipairs { "failed", "needs_attention", "with_status", "in_country", "managed_by",
      "with_tenant" } do
      local l = rows()
      assert.matches("listing:" .. name .. " is for customers", helper.error_of(l[name], l, "x"), 1,
        true)
      l = rows():take(1):filter(function() return true end)
      assert.matches("is for customers", helper.error_of(l[name], l, "x"), 1, true)
    end
  end)
end)

describe("a position in a list", function()
  it("is refused by another list, query or body, and by customers", function()
    local client = new { customers = 12 }
    local list = services(client, { body = { customerIds = nil, x = nil } })
    for _ = 1, 7 do list() end
    local position = list:position()
    assert.equal(5, services(client, { resume = position, page_size = 5 }):count())
    local function refused(options)
      return helper.error_of(services, client, options)
    end
    for _, options in ipairs { { query = { a = 1 } }, { body = { a = 1 } } } do
      options.resume = position
      assert.matches("another list", refused(options), 1, true)
    end
    assert.matches("resume", helper.error_of(client.customers, client, { resume = position }), 1,
      true)
    assert.matches("resume", helper.error_of(client.list, client, GENERAL .. "/batch",
      { method = "POST", resume = position }), 1, true)
    assert.matches("resume", helper.error_of(services, client,
      { resume = (function() local l = client:customers { page_size = 5 } l() return l:position()
        end)() }), 1, true)
  end)

  it("does not depend on the order of the body's fields", function()
    local client = new { customers = 12 }
    local one, two = {}, {}
    for i = 1, 20 do
      one["f" .. i], two["f" .. 21 - i] = {}, {}
    end
    local position = services(client, { body = one }):position()
    assert.equal(position, services(client, { body = two }):position())
  end)
end)

describe("client:get", function()
  it("leaves nothing in flight where a function of the user's raises", function()
    finally(function() collectgarbage "restart" end)
    local client = new({ latency = 5, token = { known = "a-token" } }, { access_token = "a-token",
      on_event = function(event)
        if event.event == "request" then error("mine", 0) end
      end })
    collectgarbage "stop" -- which would end the request sooner or later
    assert.equal("mine", helper.error_of(client.get, client, GENERAL))
    assert.is_false(core.in_flight(client))
  end)

  it("keeps no reply once it has given the object", function()
    local made, object = nil, core.object
    finally(function() core.object = object end)
    function core.object(...)
      made = object(...)
      return made
    end
    assert.is_table((new { customers = 3 }):get(GENERAL))
    assert.equal("closed", select(2, made:result()).kind)
  end)

  it("gives the decoded object, with numbers and nulls mended", function()
    local client, id = new { faults = { { on = "get", times = -1, status = 200,
      body = '{"a":5,"b":null,"list":[1,null],"in":{"c":null}}' } } }
    local object = client:get(GENERAL, { pageSize = 5 })
    assert.equal("5", tostring(object.a))
    assert.is_nil(object.b)
    assert.equal(1, object.list[1])
    assert.same({}, object["in"])
    assert.equal("pageSize=5", last(id).query)
    assert.equal("GET", last(id).method)
  end)

  it("gives a list where the reply is one, and nil where there is none", function()
    local client = new { faults = { { on = "get", status = 200, body = "[1,2]" },
      { on = "get", status = 204 } } }
    assert.same({ 1, 2 }, client:get(GENERAL))
    assert.is_nil(client:get(GENERAL))
  end)

  it("retries, renews the token, and raises the errors of listings", function()
    local client, id = new { faults = { { on = "get", status = 503 }, { on = "get", status = 401 },
      { on = "get", status = 200, body = '{"a":1}' }, { on = "get", status = 404 },
      { on = "get", status = 200, body = "5" }, { on = "get", status = 200, body = "<html>" } } }
    client:close()
    client = avepoint.client(helper.options(id, { scope = BOTH, max_retry_wait = 100,
      user_agent = "queries-of-its-own" }))
    assert.same({ a = 1 }, client:get(GENERAL))
    for _, kind in ipairs { "not_found", "protocol", "protocol" } do
      local err = helper.error_of(function()
        return (client:get(GENERAL))
      end)
      assert.equal(kind, err.kind, tostring(err))
      assert.is_nil(err.page)
      assert.is_nil(err.position)
      assert.matches(GENERAL .. "$", err.url)
      assert.matches("list_spec.lua:%d+$", err.where)
      assert.equal(1, err.attempts)
    end
  end)

  it("ends at its deadline, and with the client", function()
    local client = new { latency = 5 }
    local err = helper.error_of(client.get, client, GENERAL, nil, { deadline = 0.05 })
    assert.equal("timeout", err.kind)
    client:close()
    err = helper.error_of(client.get, client, GENERAL)
    assert.equal("closed", err.kind)
  end)

  it("ends at its client's deadline, if it has none of its own", function()
    local client = new({ latency = 1 }, { deadline = 0.05 })
    assert.equal("timeout", helper.error_of(client.get, client, GENERAL).kind)
    local _, err = client:list(GENERAL):next()
    assert.equal("timeout", err.kind)
  end)

  it("tells on_event of its request before it returns", function()
    local seen = {}
    local client = new({ customers = 1 }, { on_event = function(event)
      seen[#seen + 1] = event.event
      assert.is_nil(event.page)
    end })
    client:get(GENERAL)
    assert.equal("response", seen[#seen])
  end)
end)

describe("client:customer", function()
  it("gives one customer, or nil", function()
    local client, id = new { customers = 9 }
    local all = client:customers():collect()
    assert.same(all[4], client:customer(all[4].id))
    assert.same(all[4], client:customer(all[4].id:upper()))
    assert.equal("POST", last(id).method)
    assert.is_nil(client:customer "00000000-0000-0000-0000-000000000000")
  end)

  it("is an argument error with endpoint get, and without an id", function()
    local client = new({}, { endpoint = "get" })
    assert.matches("customer_ids", helper.error_of(client.customer, client, "a"), 1, true)
    for _, wrong in ipairs { "", 5, {}, false } do
      assert.matches("takes a customer's id", helper.error_of(client.customer, client, wrong))
    end
  end)
end)

-- Spellings by which a path could lead out of base_url, or hide that it does.
local SPELLINGS = {
  "", "/", "..", "../x", "x/..", "x/../y", "./x", "x/./y", "...", "..;/x", "x/..;a=b/y", "%2e%2e/x",
  "%2E%2E/x", ".%2e/x", "%2e./x", "x/%2e%2e", "x%2f..%2fy", "x/..%2fy", "x%5c..%5cy", "x\\..\\y",
  "..\\x", "%252e%252e/x", "%c0%ae%c0%ae/../x", "//evil.example/x", "///x", "x//y",
  "/\\evil.example",
  "\\\\evil.example", "https://evil.example/x", "HTTPS://evil.example", "http:/x", "https:x",
  "//user@evil.example/", "javascript:x", "file:///etc/passwd", "x?y=1", "?pageIndex=1", "x%3fy=1",
  "x#y", "x%23y", " x", "x y", "x\ty", "x\r\nAuthorization: none", "x\0y", "x%00y", "x%0d%0ay",
  "x%", "x%zz", "\227\128\130/x", "x\127", "@evil.example:80", "x:80/@y/..",
}

describe("a path", function()
  it("that is none never leaves, however it is spelt: " .. #SPELLINGS .. " spellings", function()
    local client, id = new { customers = 1 }
    for _, path in ipairs(SPELLINGS) do
      for _, call in ipairs { "get", "list" } do
        assert.matches("the path ", helper.error_of(client[call], client, path), 1, true)
      end
      for _, posted in ipairs { path, path ~= "" and path .. "/batch" or nil } do
        assert.matches("the path ", helper.error_of(client.list, client, posted,
          { method = "POST" }), 1, true)
      end
    end
    assert.same({}, helper.journal(id)) -- not even the token was asked for
    assert.is_false(pcall(client.get, client, 5))
    assert.is_false(pcall(client.list, client, nil))
  end)

  it("with an @ stays below base_url", function()
    local client, id = new { customers = 1 }
    local err = helper.error_of(client.get, client, "a/@evil.example:80/x")
    assert.equal("not_found", err.kind)
    assert.equal("/a/@evil.example:80/x", last(id).path)
  end)

  it("is posted to only if it ends in /batch", function()
    local client, id = new { customers = 1 }
    for _, path in ipairs { GENERAL, GENERAL .. "/batch/", GENERAL .. "/Batch",
      GENERAL .. "/%62atch",
      GENERAL .. "/batch;x", GENERAL .. "/xbatch", "batch", "batch/x" } do
      assert.matches("must end in /batch", helper.error_of(client.list, client, path,
        { method = "POST" }), 1, true)
    end
    for _, method in ipairs { "post", "PUT", "DELETE", "PATCH", "" } do
      assert.matches("option 'method'", helper.error_of(client.list, client, GENERAL,
        { method = method }), 1, true)
    end
    assert.same({}, helper.journal(id))
  end)
end)

describe("wrong options of client:list", function()
  local function refused(options, path)
    local client = new {}
    return helper.error_of(client.list, client, path or GENERAL, options)
  end

  it("are argument errors that say what to write", function()
    for said, options in pairs {
      ["customerIds"] = { customer_ids = { "a" } },
      ["method = \"POST\""] = { endpoint = "batch" },
      ["needs method"] = { body = {} },
      ["page_size = n"] = { query = { pageSize = 5 } },
      ["first_page = n"] = { query = { pageIndex = 5 } },
      ["drift = \"ignore\""] = { id = false, drift = "repair" },
      ["is the name of a field, or false"] = { id = true },
      ["option 'query' must be a table"] = { query = "a=b" },
      ["the query's 'a'"] = { query = { a = print } },
      ["the query has names"] = { query = { "a" } },
      ["the query is too long"] = { query = { a = ("x"):rep(16384) } },
      ["did you mean 'items'"] = { item = "x" },
      ["is the client's"] = { timeout = 5 },
      ["cannot be JSON"] = { method = "POST", body = { f = print } },
    } do
      assert.matches(said, refused(options, options.method and SERVICES), 1, true)
    end
  end)

  it("and of client:get", function()
    local client = new {}
    assert.matches("must be a table", helper.error_of(client.get, client, GENERAL, "a=b"), 1, true)
    assert.matches("unknown option", helper.error_of(client.get, client, GENERAL, {}, { x = 1 }), 1,
      true)
    assert.matches("write client:get", helper.error_of(client.get, GENERAL), 1, true)
    assert.matches("write client:list", helper.error_of(client.list, GENERAL), 1, true)
  end)
end)

describe("a scope of over 300 characters", function()
  it("is named where the identity server refuses it", function()
    local client = new({}, { scope = ("elements.customers.read.all "):rep(12) })
    local _, err = client:customers():next()
    assert.equal("auth", err.kind)
    assert.equal("invalid_scope", err.code)
    assert.matches("has 336 characters; the identity server usually takes 300", err.message, 1,
      true)
  end)
end)
