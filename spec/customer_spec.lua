-- Customers as the customers page describes them, and in all the forms that the service's other
-- documents show.
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"
local avepoint = require "avepoint"
local helper = require "spec.helper"

-- The page's response sample as it is printed: the comma behind the only item is no JSON.
local SAMPLE = [[
{
    "data": [
        {
            "id": "03f7382e-xxxx-xxxx-xxxx-dd9af05974f0",
            "organization": "test_fly_license_06",
            "ownerEmail": "test_xxx@163.com",
            "jobStatus": "N/A",
            "countryOrRegion": "Afghanistan",
            "managementMode": 1,
            "tenants":
            [
                {
                    "id":"03f7382e-xxxx-xxxx-xxxx-dd9af05974f0",
                    "name":"v40t"
                }
            ]
        },
    ],
    "metadata": {
        "pageIndex": 1,
        "pageSize": 50,
        "totalCount": 1
    }
}]]

local STATUSES = { [0] = "N/A", "Working", "Failed", "Waiting for Configuration",
  "Multiple Issues Found", "Finished with Exception", "No Backup Update" }

-- A client whose every GET is answered with this body.
local function answering(body, status)
  return helper.client { faults = { { on = "get", status = status or 200, times = -1,
    body = body } } }
end

-- The customers of a page with these items (JSON texts).
local function customers_of(items, options)
  options = options or {}
  options.endpoint = options.endpoint or "get"
  return helper.client({ raw_items = items }):customers(options)
end

local function item(fields)
  return ('{"id":"a",%s}'):format(fields)
end

local function is_integer(value)
  return not math.type or math.type(value) == "integer" -- luacheck: ignore (5.3 and later)
end

describe("the customers page's sample", function()
  it("as printed is a protocol error", function()
    local client = answering(SAMPLE)
    local err = helper.error_of(client:customers { endpoint = "get" })
    assert.is_true(avepoint.is_error(err))
    assert.equal("protocol", err.kind)
    assert.matches("not JSON", err.message, 1, true)
    assert.equal(1, err.page)
    assert.matches("test_fly_license_06", err.body, 1, true)
  end)

  it("without the comma is one customer with exactly these fields", function()
    local body, n = SAMPLE:gsub("},(%s*%],%s*\"metadata\")", "}%1")
    assert.equal(1, n)
    local client, id = answering(body)
    local list = client:customers({ endpoint = "get" }):collect()
    assert.same({ {
      id = "03f7382e-xxxx-xxxx-xxxx-dd9af05974f0",
      organization = "test_fly_license_06",
      ownerEmail = "test_xxx@163.com",
      jobStatus = "N/A",
      jobStatusCode = 0,
      countryOrRegion = "Afghanistan",
      managementMode = 1,
      tenants = { { id = "03f7382e-xxxx-xxxx-xxxx-dd9af05974f0", name = "v40t" } },
    } }, list)
    assert.is_true(is_integer(list[1].managementMode) and is_integer(list[1].jobStatusCode))
    assert.same({ 1 }, helper.pages(id)) -- the page size that it says is 50, its total 1
    assert.is_nil(getmetatable(list[1]))
  end)

  it("is asked for as the page says", function()
    local client, id = helper.client { customers = 1 }
    client:customers():first()
    local entry = helper.journal(id, "/customers")[1]
    assert.equal("GET", entry.method)
    assert.equal("/partner/external/v3/general/customers", entry.path)
    assert.equal("1", entry.args.pageIndex)
    assert.equal("100", entry.args.pageSize)
  end)
end)

describe("jobStatus", function()
  for code, name in pairs(STATUSES) do
    it(("%d comes out as %s from each of its forms"):format(code, name), function()
      local forms = { ('"%s"'):format(name), ('"%s"'):format(name:lower()),
        ('"%s"'):format(name:upper()), tostring(code), ('"%d"'):format(code), code .. ".0" }
      if code == 6 then
        forms[#forms + 1] = '"No backup updates"'
        forms[#forms + 1] = '"NO BACKUP UPDATES"'
      end
      local items = {}
      for i, form in ipairs(forms) do
        items[i] = ('{"id":"%d","jobStatus":%s}'):format(i, form)
      end
      local list = customers_of(items):collect()
      assert.equal(#forms, #list)
      for i, customer in ipairs(list) do
        assert.equal(name, customer.jobStatus, forms[i])
        assert.equal(code, customer.jobStatusCode, forms[i])
        assert.is_true(is_integer(customer.jobStatusCode))
      end
    end)
  end

  it("that nobody knows is passed through as text", function()
    for form, text in pairs { ['"Brand New"'] = "Brand New", ["7"] = "7", ['"7"'] = "7",
      ["-1"] = "-1", ['"06"'] = "06", ['""'] = "", ['"Failed "'] = "Failed ", ["99"] = "99" } do
      local customer = customers_of({ item('"jobStatus":' .. form) })()
      assert.equal(text, customer.jobStatus, form)
      assert.is_nil(customer.jobStatusCode, form)
    end
  end)

  it("that is null or missing is absent", function()
    for _, fields in ipairs { '"jobStatus":null', '"organization":"x"' } do
      local customer = customers_of({ item(fields) })()
      assert.is_nil(customer.jobStatus)
      assert.is_nil(customer.jobStatusCode)
    end
  end)

  it("comes in the batch's form as well", function()
    local client = helper.client { customers = 40, status_form = "mixed" }
    for _, endpoint in ipairs { "get", "batch" } do
      local n = 0
      for customer in client:customers { endpoint = endpoint } do
        n = n + 1
        assert.equal(STATUSES[customer.jobStatusCode], customer.jobStatus)
      end
      assert.equal(40, n)
    end
  end)
end)

describe("tenants", function()
  it("are read in either case and are an empty list where there are none", function()
    local id_name = { { id = "t1", name = "one" } }
    for form, wanted in pairs {
      ['"tenants":[{"id":"t1","name":"one"}]'] = id_name,
      ['"tenants":[{"Id":"t1","Name":"one"}]'] = id_name,
      ['"tenants":[{"id":"t1","Name":"one"}]'] = id_name,
      ['"tenants":[{"Id":"t2","id":"t1","name":"one","Name":"two"}]'] = id_name,
      ['"tenants":[{"id":"t1","name":null,"plan":2}]'] = { { id = "t1", plan = 2 } },
      ['"tenants":[]'] = {},
      ['"tenants":null'] = {},
      ['"organization":null'] = {},
    } do
      local customer = customers_of({ item(form) })()
      assert.same({ id = "a", tenants = wanted }, customer, form)
    end
  end)

  it("carry cjson's array mark, so that an empty list is encoded as one", function()
    if cjson.array_mt then
      local list = customers_of({ item '"tenants":[]', '{"id":"b","tenants":null}',
        '{"id":"c"}' }):collect()
      for _, customer in ipairs(list) do
        assert.equal("[]", cjson.encode(customer.tenants))
      end
    else
      assert.same({}, customers_of({ item '"tenants":[]' })().tenants)
    end
  end)

  it("of a wrong type pass as they are", function()
    assert.equal("none", customers_of({ item '"tenants":"none"' })().tenants)
    assert.same({ "t1", 2 }, customers_of({ item '"tenants":["t1",2]' })().tenants)
  end)
end)

describe("a customer's values", function()
  it("that nobody documented are kept as they are, null is absent", function()
    local customer = customers_of({ item('"region":"EU","extra":{"a":[1,{"b":null,"c":true}],'
      .. '"d":null},"ownerEmail":null,"managementMode":"partner","organization":5') })()
    assert.same({ id = "a", region = "EU", extra = { a = { 1, { c = true } } },
      managementMode = "partner", organization = 5, tenants = {} }, customer)
  end)

  it("are integers at any depth where they are whole", function()
    local customer = customers_of({ item('"managementMode":2,"a":{"b":[3,{"c":4.0}],"d":1e3},'
      .. '"big":9007199254740992,"least":-9007199254740992,"zero":-0.0') })()
    for _, value in ipairs { customer.managementMode, customer.a.b[1], customer.a.b[2].c,
      customer.a.d, customer.big, customer.least, customer.zero } do
      assert.is_true(is_integer(value), tostring(value))
    end
    if math.type then -- luacheck: ignore
      assert.equal("9007199254740992 -9007199254740992 1000 4 0", table.concat({ customer.big,
        customer.least, customer.a.d, customer.a.b[2].c, customer.zero }, " "))
    end
    assert.same({ 2, 3, 4, 1000 }, { customer.managementMode, customer.a.b[1],
      customer.a.b[2].c, customer.a.d })
  end)

  it("that have a fraction or are beyond 2^53 stay what they are", function()
    local customer = customers_of({ item '"half":2.5,"huge":1e300' })()
    assert.equal(2.5, customer.half)
    assert.equal(1e300, customer.huge)
  end)

  it("that are no JSON numbers are refused", function()
    for _, value in ipairs { "NaN", "nan", "Infinity", "-Infinity", "inf", "0x10", "1e999",
      "-1e999" } do
      local err = helper.error_of(customers_of { item('"x":' .. value) })
      assert.equal("protocol", err.kind, value)
    end
  end)

  it("raw are what cjson gives, and filters still understand them", function()
    local items = { item('"jobStatus":"2","ownerEmail":null,"managementMode":1,'
      .. '"tenants":[{"Id":"t1","Name":"one"}]'), '{"id":"b","jobStatus":1}' }
    local raw = customers_of(items, { raw = true })()
    assert.same({ id = "a", jobStatus = "2", ownerEmail = cjson.null, managementMode = 1,
      tenants = { { Id = "t1", Name = "one" } } }, raw)
    assert.same({ "a" }, helper.ids(customers_of(items, { raw = true }):failed():collect()))
    assert.same({ "a" }, helper.ids(customers_of(items, { raw = true })
      :with_tenant("one"):managed_by("partner"):search("ONE"):collect()))
  end)
end)

describe("an item that is no customer", function()
  for _, text in ipairs { '{"organization":"x"}', '{"id":""}', '{"id":null}', '{"id":5}',
    '{"id":["a"]}', "5", '"a"', "null", "true", "[]", '["a"]', "{}" } do
    it(text .. " is a protocol error, raw or not", function()
      for _, raw in ipairs { false, true } do
        local listing = customers_of({ '{"id":"good"}', text }, { raw = raw })
        local item_, err = listing:next()
        assert.is_nil(item_)
        assert.equal("protocol", err.kind)
        assert.matches("2", err.message, 1, true)
        assert.equal(200, err.status)
        assert.equal(1, err.page)
      end
    end)
  end
end)
