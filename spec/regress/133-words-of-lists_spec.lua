-- Errors of lists told neither which option finds the rows and their ids, nor that the path may be
-- wrong, and spoke of customers. where took a list of values for fields and let no row through. A
-- row whose field is false was in no index. A get that had failed in on_event was still sent.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local CUSTOMERS = "partner/external/v3/general/customers"

describe("an error of a list", function()
  local function words(options, path, body)
    local client = helper.client { customers = 2, faults = body and { { on = "get", times = -1,
      status = 200, body = body } } or nil }
    return helper.error_of(function()
      return client:list(path or CUSTOMERS, options):count()
    end).message
  end

  it("names the way out", function()
    assert.matches("rows is missing: see the option items", words { items = "rows" }, 1, true)
    assert.matches("has no key: see the option id", words { id = "key" }, 1, true)
    assert.matches("the path if you gave one", words(nil, "partner/nowhere"), 1, true)
  end)

  it("does not speak of customers", function()
    local message = words({ drift = "error" }, nil, '{"data":[{"id":1}],"metadata":'
      .. '{"totalCount":2,"pageSize":2}}')
    assert.not_matches("customer", message, 1, true)
  end)
end)

describe("on a list", function()
  it("where refuses a value without a field's name", function()
    local listing = (helper.client {}):list(CUSTOMERS)
    assert.matches("fields have names", helper.error_of(listing.where, listing, { "Failed" }), 1,
      true)
  end)

  it("false is a value to index by", function()
    local client = helper.client { raw_items = { '{"id":"a","ok":false}', '{"id":"b","ok":true}',
      '{"id":"c"}', '{"id":"d","ok":null}' } }
    local function list(options) return client:list(CUSTOMERS, options) end
    local index = list():index_by "ok"
    assert.equal("a", index[false].id)
    assert.equal("b", index[true].id)
    assert.same({ [false] = 3, [true] = 1 }, list():count_by "ok")
    assert.equal(3, #list({ raw = true }):group_by("ok")[false])
    assert.equal("a", list({ raw = true }):index_by("ok")[false].id)
  end)
end)

describe("client:get", function()
  it("asks for nothing any more when on_event has raised", function()
    local boom = true
    local client, id = helper.client({ customers = 1 },
      { user_agent = "queries-of-its-own", on_event = function()
      if boom then error("boom", 0) end
    end })
    assert.equal("boom", helper.error_of(client.get, client, CUSTOMERS))
    boom = false
    client:get("/" .. CUSTOMERS)
    assert.equal(1, #helper.journal(id, "/customers"))
  end)
end)
