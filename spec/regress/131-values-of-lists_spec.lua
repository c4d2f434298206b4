-- A list of the query that is empty, or a table that is no list, left without a word, and the
-- service sent all; false in a list was refused. 0.1 as text was not 0.1, nor -0 0.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local CUSTOMERS = "partner/external/v3/general/customers"

describe("a query", function()
  it("never loses a parameter that was given", function()
    local client, id = helper.client({}, { user_agent = "queries-of-its-own" }) -- see wire_spec
    for _, wrong in ipairs { {}, { x = 1 }, { 1, nil, 3 }, { 1, x = 2 }, { {} }, { 1, {} }, 0 / 0,
      1 / 0 } do
      for _, call in ipairs { "list", "get" } do
        local query = { status = wrong }
        assert.matches("the query's 'status' must be", helper.error_of(client[call], client,
          CUSTOMERS, call == "list" and { query = query } or query), 1, true)
      end
    end
    assert.same({}, helper.journal(id))
    pcall(client.get, client, CUSTOMERS, { a = { false, true, 0 } })
    assert.equal("a=false&a=true&a=0", helper.journal(id, "/customers")[1].query)
  end)
end)

describe("where on a list", function()
  it("takes numbers and the same numbers as text for equal", function()
    local client = helper.client { raw_items = { '{"id":"a","n":0.1}', '{"id":"b","n":"0.1"}',
      '{"id":"c","n":-0.0}', '{"id":"d","n":"0"}', '{"id":"e","n":1e15}',
      '{"id":"f","n":"1000000000000000"}' } }
    for _, pair in ipairs { { 0.1, "ab" }, { 0, "cd" }, { 1e15, "ef" },
      { "1000000000000000", "ef" } } do
      for _, wanted in ipairs { pair[1], pair[2] ~= "ef" and tostring(pair[1]) or pair[1] } do
        local found = helper.ids(client:list(CUSTOMERS):where({ n = wanted }):collect())
        assert.equal(pair[2], table.concat(found))
      end
    end
  end)
end)
