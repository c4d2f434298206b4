-- Pages as the service may send them: envelopes of wrong form, metadata that is missing or off,
-- empty pages where none should be.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

local function answering(body, status)
  return helper.client { faults = { { on = "get", status = status or 200, times = -1,
    body = body } } }
end

describe("an envelope", function()
  local wrong = {
    ["data is missing"] = '{"metadata":{"totalCount":0}}',
    ["data is null"] = '{"data":null}',
    ["data is an object"] = '{"data":{"id":"a"}}',
    ["data is text"] = '{"data":"none"}',
    ["data is a number"] = '{"data":5}',
    ["a bare list"] = '[{"id":"a"}]',
    ["an empty list"] = "[]",
    ["a bare customer"] = '{"id":"a","organization":"x"}',
    ["text"] = '"hello"',
    ["a number"] = "5",
    ["null"] = "null",
    ["metadata is text"] = '{"data":[],"metadata":"none"}',
    ["the total is text"] = '{"data":[],"metadata":{"totalCount":"many"}}',
    ["the total is negative"] = '{"data":[],"metadata":{"totalCount":-1}}',
    ["the total is no whole number"] = '{"data":[],"metadata":{"totalCount":1.5}}',
    ["the total is a list"] = '{"data":[],"metadata":{"totalCount":[]}}',
    ["the page size is 0"] = '{"data":[{"id":"a"}],"metadata":{"pageSize":0,"totalCount":1}}',
    ["the page size is negative"] = '{"data":[{"id":"a"}],"metadata":{"pageSize":-5}}',
    ["nothing"] = "",
    ["blanks"] = "   ",
    ["two values"] = '{"data":[]} {"data":[]}',
    ["a comment"] = '{"data":[]} // none',
    ["a byte order mark and rubbish"] = "\239\187\191{",
  }
  for name, body in pairs(wrong) do
    it(name .. ": a protocol error", function()
      local err = helper.error_of(answering(body):customers { endpoint = "get" })
      assert.is_true(avepoint.is_error(err))
      assert.equal("protocol", err.kind)
      assert.equal(200, err.status)
      assert.equal(1, err.page)
      assert.is_false(err.retryable)
    end)
  end

  it("may hold more than is documented", function()
    local listing = answering([[{"links":{"next":null},"data":[{"id":"a"}],
      "metadata":{"totalCount":1,"more":[1]},"traceId":"x"}]]):customers { endpoint = "get" }
    assert.same({ "a" }, helper.ids(listing:collect()))
  end)

  it("may have numbers as text in the metadata", function()
    local listing = answering([[{"data":[{"id":"a"}],
      "metadata":{"pageIndex":"1","pageSize":"50","totalCount":"1"}}]])
      :customers { endpoint = "get" }
    assert.same({ "a" }, helper.ids(listing:collect()))
    assert.equal(1, listing:total())
  end)

  it("may be deep and repeated in ways that no one documented", function()
    local client = helper.client { customers = 4,
      faults = { { on = "get", kind = "duplicate_keys" } } }
    assert.equal(4, client:customers({ endpoint = "get" }):count())
  end)

  it("with bytes that are no UTF-8 is passed or refused, never cut", function()
    local client = helper.client { customers = 4,
      faults = { { on = "get", kind = "invalid_utf8" } } }
    local list = client:customers({ endpoint = "get" }):collect()
    assert.equal(4, #list)
    assert.matches("^\255\254\192\175", list[1].organization)
  end)
end)

-- Each list is read to the end, once each, and no page is asked for beyond what is needed.
describe("metadata", function()
  local function assert_all(scenario, options, wanted, pages)
    local client, id = helper.client(scenario)
    local list = client:customers(options):collect()
    assert.equal(wanted, #list)
    assert.equal(wanted, helper.distinct(list))
    if pages then
      table.sort(pages)
      local asked = helper.pages(id)
      table.sort(asked)
      assert.same(pages, asked)
    end
  end

  it("may show a smaller page size than was asked", function()
    assert_all({ customers = 23, page_size_max = 10 }, { page_size = 50 }, 23, { 1, 2, 3 })
    assert_all({ customers = 20, page_size_max = 10 }, { page_size = 50 }, 20, { 1, 2, 3 })
  end)

  it("may show another page size than is sent", function()
    assert_all({ customers = 23, page_size_shown = 50 }, { page_size = 10 }, 23)
    assert_all({ customers = 23, page_size_shown = 5 }, { page_size = 10 }, 23)
  end)

  it("may be missing: pages are read up to an empty one, twice", function()
    for _, fields in ipairs { { metadata = false }, { no_total = true } } do
      for n, pages in pairs { [23] = { 1, 2, 3, 4 }, [20] = { 1, 2, 3 }, [5] = { 1, 2 },
        [0] = { 1 } } do
        local asked = {}
        for _, page in ipairs(pages) do
          asked[#asked + 1] = page
          asked[#asked + 1] = page
        end
        fields.customers = n
        assert_all(fields, { page_size = 10 }, n, asked)
      end
    end
  end)

  it("may be missing: ignore reads up to a page that is not full, once", function()
    assert_all({ customers = 23, metadata = false }, { page_size = 10, drift = "ignore" }, 23,
      { 1, 2, 3 })
    assert_all({ customers = 20, metadata = false }, { page_size = 10, drift = "ignore" }, 20,
      { 1, 2, 3 })
  end)

  it("may be missing while the server clamps the page size", function()
    assert_all({ customers = 23, no_total = true, page_size_max = 10 }, { page_size = 50 }, 23)
  end)

  it("without a total gives total() nil", function()
    local listing = helper.client({ customers = 3, no_total = true }):customers()
    assert.is_nil(listing:total())
    assert.equal(3, listing:count())
    assert.is_nil(listing:total())
  end)

  it("with a total that is too high ends, and says how many are missing", function()
    local client = helper.client { customers = 23, total_add = 4 }
    local listing = client:customers { page_size = 5 }
    assert.equal(23, helper.distinct(listing:collect()))
    assert.equal(4, listing:stats().missing)
  end)

  it("with a total that is too low ends no list early", function()
    for _, total in ipairs { 0, 1, 3, 5, 20, 22 } do
      local client = helper.client { customers = 23, total = total }
      assert.equal(23, helper.distinct(client:customers({ page_size = 5 }):collect()))
    end
  end)

  it("with a total of a billion ends, and says how many are missing", function()
    local client, id = helper.client { customers = 3, total = 1000000000 }
    local listing = client:customers { page_size = 10 }
    assert.equal(3, listing:count())
    assert.equal(1000000000 - 3, listing:stats().missing)
    assert.is_true(#helper.pages(id) <= 2 * 6)
  end)
end)

describe("an empty page", function()
  it("as the first is an empty list", function()
    for _, scenario in ipairs { { customers = 0 }, { customers = 0, empty_as_204 = true },
      { customers = 0, metadata = false } } do
      local client, id = helper.client(scenario)
      local listing = client:customers()
      assert.is_nil(listing())
      assert.is_nil(listing())
      assert.equal(0, client:customers():count())
      assert.is_nil(client:customers():first())
      assert.same({}, client:customers():collect())
      assert.is_true(#helper.pages(id) >= 4)
    end
    local client, id = helper.client { customers = 0, empty_as_204 = true }
    local listing = client:customers()
    assert.equal(0, listing:total())
    assert.is_nil(listing())
    assert.same({ 1 }, helper.pages(id))
  end)

  local empty = '{"data":[],"metadata":{"pageIndex":2,"pageSize":5,"totalCount":23}}'
  for name, fault in pairs {
    ["an empty page"] = { on = "get", page = 2, status = 200, body = empty },
    ["a 204"] = { on = "get", page = 2, status = 204 },
    ["a short page"] = { on = "get", page = 2, kind = "drop_rows", rows = 3 },
    ["an empty page of another total"] = { on = "get", page = 2, status = 200,
      body = (empty:gsub("23", "0")) },
  } do
    it(name .. " in the middle loses nothing", function()
      local client = helper.client { customers = 23, faults = { fault } }
      local list = client:customers({ page_size = 5, endpoint = "get" }):collect()
      assert.equal(23, #list)
      assert.equal(23, helper.distinct(list))
    end)
  end
end)
