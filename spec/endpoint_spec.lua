-- Which of the two customers endpoints is used: the GET of the customers page, the batch that was
-- released, or whichever of them answers.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

local GET = "/partner/external/v3/general/customers"
local BATCH = GET .. "/batch"

-- The requests of a scenario to the API, as "GET 404 POST 200".
local function talk(id)
  local words = {}
  for _, entry in ipairs(helper.journal(id)) do
    if entry.path ~= "/connect/token" then
      assert.is_true(entry.method == "GET" and entry.path == GET
        or entry.method == "POST" and entry.path == BATCH, entry.method .. " " .. entry.path)
      assert.is_nil(entry.created)
      words[#words + 1] = ("%s %d"):format(entry.method, entry.status)
    end
  end
  return table.concat(words, " ")
end

describe("the endpoint get", function()
  it("is the customers page's GET, without a body", function()
    local client, id = helper.client { customers = 3 }
    assert.equal(3, client:customers({ endpoint = "get" }):count())
    assert.equal("GET 200", talk(id))
    assert.is_nil(helper.journal(id, GET)[1].headers["content-type"])
  end)

  it("never turns into a batch", function()
    for _, status in ipairs { 400, 401, 403, 404, 405, 410, 501 } do
      local client, id = helper.client({ endpoints = { get = status } }, { endpoint = "get" })
      local _, err = client:customers():next()
      assert.equal(status, err.status)
      assert.not_matches("POST", talk(id), 1, true)
    end
  end)
end)

describe("the endpoint batch", function()
  it("is a POST of an empty object", function()
    local client, id = helper.client { customers = 3 }
    assert.equal(3, client:customers({ endpoint = "batch" }):count())
    assert.equal("POST 200", talk(id))
    local entry = helper.journal(id, BATCH)[1]
    assert.equal("{}", entry.body)
    assert.equal("application/json", entry.headers["content-type"])
    assert.equal("pageIndex=1&pageSize=100", entry.query)
  end)

  it("asks for at most 100 a page", function()
    local client, id = helper.client({ customers = 250 }, { endpoint = "batch" })
    assert.equal(250, client:customers({ page_size = 1000 }):count())
    assert.equal("POST 200 POST 200 POST 200", talk(id))
    for _, entry in ipairs(helper.journal(id, BATCH)) do
      assert.equal("100", entry.args.pageSize)
    end
    assert.equal(3, client:customers({ page_size = 20 }):take(3):count())
  end)

  it("can be the client's, and the listing's own goes before it", function()
    local client, id = helper.client({ customers = 3 }, { endpoint = "batch" })
    client:customers():count()
    client:customers({ endpoint = "get" }):count()
    client:customers({ endpoint = "auto" }):count()
    assert.equal("POST 200 GET 200 GET 200", talk(id))
  end)
end)

describe("the endpoint auto", function()
  it("is get where that answers", function()
    local client, id = helper.client { customers = 3 }
    assert.equal(3, client:customers():count())
    assert.equal(3, client:customers():count())
    assert.equal("GET 200 GET 200", talk(id))
  end)

  for _, status in ipairs { 400, 401, 403, 404, 405, 410, 501 } do
    it(("tries the batch after %d, and remembers it"):format(status), function()
      local client, id = helper.client { customers = 250, endpoints = { get = status } }
      local function posts()
        return talk(id):gsub("GET 401 GET 401", "GET 401"):match("^GET " .. status .. "( .*)$")
      end
      assert.equal(250, client:customers({ page_size = 200 }):count())
      assert.equal((" POST 200"):rep(3), posts())
      assert.equal(250, client:customers():count())
      assert.equal((" POST 200"):rep(6), posts())
    end)
  end

  for _, status in ipairs { 302, 402, 406, 408, 418, 429, 500, 502, 503, 504 } do
    it(("does not after %d"):format(status), function()
      local client, id = helper.client({ faults = { { on = "get", status = status, times = -1,
        headers = { ["Retry-After"] = "0" } } } }, { max_attempts = 2 })
      local _, err = client:customers():next()
      assert.equal(status, err.status)
      assert.not_matches("POST", talk(id), 1, true)
    end)
  end

  it("does not where signing in fails", function()
    local client, id = helper.client({ customers = 3 }, { client_secret = "wrong" })
    local _, err = client:customers():next()
    assert.equal("auth", err.kind)
    assert.equal("", talk(id))
  end)

  it("does not where the reply is no list", function()
    local client, id = helper.client { faults = { { on = "get", kind = "html", times = -1 } } }
    local _, err = client:customers():next()
    assert.equal("protocol", err.kind)
    assert.equal("GET 200", talk(id))
  end)

  it("does not once a GET has been answered", function()
    local client, id = helper.client { customers = 12, faults = { { on = "get", page = 2,
      status = 403, times = 2 } } }
    local listing = client:customers { page_size = 5, concurrency = 1 }
    local err = helper.error_of(listing.collect, listing)
    assert.equal("forbidden", err.kind)
    assert.equal(2, err.page)
    err = helper.error_of(function()
      return client:customers({ page_size = 5, first_page = 2 }):collect()
    end)
    assert.equal("forbidden", err.kind)
    assert.not_matches("POST", talk(id), 1, true)
  end)

  it("that meets two refusals raises the batch's and names the GET's", function()
    for _, case in ipairs { { 404, 403, "forbidden" }, { 403, 404, "not_found" },
      { 405, 400, "http" }, { 401, 401, "auth" }, { 404, 405, "http" }, { 403, 501, "server" } } do
      local client, id = helper.client { endpoints = { get = case[1], batch = case[2] } }
      local listing = client:customers()
      local _, err = listing:next()
      assert.equal(case[3], err.kind)
      assert.equal(case[2], err.status)
      assert.matches("GET", err.message, 1, true)
      assert.matches(tostring(case[1]), err.message, 1, true)
      assert.matches(BATCH, err.url, 1, true)
      assert.matches("^GET %d+.* POST %d+", talk(id))
    end
  end)

  it("forgets a batch that did not answer: the next call tries both again", function()
    local client, id = helper.client { customers = 3, faults = {
      { on = "get", status = 404, times = 1 }, { on = "batch", status = 403, times = -1 } } }
    local listing = client:customers()
    local _, err = listing:next()
    assert.equal("forbidden", err.kind)
    assert.equal(3, listing:count())
    assert.equal("GET 404 POST 403 GET 200", talk(id))
  end)

  it("goes on in the batch where its first page fails for a while", function()
    local client, id = helper.client { customers = 3, endpoints = { get = 404 }, faults = {
      { on = "batch", status = 503, headers = { ["Retry-After"] = "0" } } } }
    assert.equal(3, client:customers():count())
    assert.equal("GET 404 POST 503 POST 200", talk(id))
  end)

  it("is not decided by a listing that was told its endpoint", function()
    local client, id = helper.client { customers = 3 }
    assert.equal(3, client:customers({ endpoint = "batch" }):count())
    assert.equal(3, client:customers():count())
    assert.equal("POST 200 GET 200", talk(id))
  end)

  it("is decided once by two listings at a time", function()
    local client = helper.client { customers = 12, endpoints = { get = 404 } }
    local one, two = client:customers { page_size = 5 }, client:customers { page_size = 5 }
    local a, b = {}, {}
    for i = 1, 12 do a[i], b[i] = one(), two() end
    assert.equal(12, helper.distinct(a))
    assert.same(helper.ids(a), helper.ids(b))
  end)
end)

describe("customer_ids", function()
  local function listed(fields, more)
    local client, id = helper.client(fields, more)
    return client, id, helper.ids(client:customers({ endpoint = "get" }):collect())
  end

  it("asks the batch for these", function()
    local client, id, ids = listed { customers = 23 }
    local wanted = { ids[5], ids[2], ids[17] }
    local list = client:customers({ customer_ids = wanted }):collect()
    assert.same({ ids[2], ids[5], ids[17] }, helper.ids(list))
    local entry = helper.journal(id, BATCH)[1]
    assert.equal(('{"customerIds":["%s","%s","%s"]}'):format(ids[5], ids[2], ids[17]), entry.body)
  end)

  it("goes page by page, each customer once", function()
    local client, _, ids = listed { customers = 150 }
    local wanted = {}
    for i = 1, 150 do wanted[i] = ids[151 - i] end
    wanted[151] = ids[1] -- twice in the list
    for _, drift in ipairs { "repair", "strict", "error", "ignore" } do
      local list = client:customers({ customer_ids = wanted, page_size = 20, drift = drift })
        :collect()
      assert.equal(150, #list, drift)
      assert.equal(150, helper.distinct(list), drift)
    end
  end)

  it("gives only those that there are", function()
    local client, _, ids = listed { customers = 5 }
    local nobody = "00000000-0000-4000-8000-000000000000"
    assert.same({ ids[3] }, helper.ids(client:customers({ customer_ids = { nobody, ids[3] } })
      :collect()))
    assert.is_nil(client:customers({ customer_ids = { nobody } })())
  end)

  it("takes ids in whatever case, as the service does", function()
    local client, _, ids = listed { customers = 5 }
    assert.same({ ids[3] }, helper.ids(client:customers({ customer_ids = { ids[3]:upper() } })
      :collect()))
  end)

  it("drops rows that were not asked for", function()
    local client = helper.client { faults = { { on = "batch", status = 200, times = -1, body =
      [[{"data":[{"id":"a"},{"id":"b"},{"id":"c"}],
      "metadata":{"pageIndex":1,"pageSize":100,"totalCount":3}}]] } } }
    for _, drift in ipairs { "repair", "strict", "error", "ignore" } do
      local list = client:customers({ customer_ids = { "b" }, drift = drift }):collect()
      assert.same({ "b" }, helper.ids(list), drift)
    end
  end)

  it("is a copy of the list that was given", function()
    local client, _, ids = listed { customers = 5 }
    local wanted = { ids[1] }
    local listing = client:customers { customer_ids = wanted }
    wanted[1], wanted[2] = ids[2], ids[3]
    assert.same({ ids[1] }, helper.ids(listing:collect()))
  end)

  it("means batch, and with get is refused, also where get is the client's", function()
    for _, endpoint in ipairs { "batch", "auto" } do
      local client, id, ids = listed({ customers = 5 }, { endpoint = endpoint })
      assert.equal(1, client:customers({ customer_ids = { ids[1] } }):count())
      assert.equal("GET 200 POST 200", talk(id))
    end
    local client, id, ids = listed({ customers = 5 }, { endpoint = "get" })
    local err = helper.error_of(client.customers, client, { customer_ids = { ids[1] } })
    assert.matches("customer_ids", err, 1, true)
    assert.equal(1, client:customers({ customer_ids = { ids[1] }, endpoint = "batch" }):count())
    assert.equal("GET 200 POST 200", talk(id))
  end)

  it("may carry other keys, which are not sent", function()
    local client, _, ids = listed { customers = 5 }
    assert.equal(1, client:customers({ customer_ids = { ids[1], note = "x" } }):count())
  end)

  it("is nobody's in a POST to the GET's path", function()
    local client, id = helper.client { endpoints = { batch = 405 } }
    local _, err = client:customers({ customer_ids = { "a" } }):next()
    assert.equal("http", err.kind)
    assert.equal("POST 405", talk(id))
    assert.is_true(avepoint.is_error(err))
  end)
end)
