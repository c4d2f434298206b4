-- A null in a list keeps its place, so that no list has a hole; tenants that are no list are no
-- tenants.
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"
local helper = require "spec.helper"

describe("a customer's field that nobody documented", function()
  local function first(fields)
    return helper.client({ raw_items = { '{"id":"a",' .. fields .. "}" } })
      :customers({ endpoint = "get" }):first()
  end

  it("keeps the nulls of a list", function()
    local customer = first '"extra":[1,null,{"b":[null,2]}],"tenants":[null,{"id":"t"}]'
    assert.same({ 1, cjson.null, { b = { cjson.null, 2 } } }, customer.extra)
    assert.same({ cjson.null, { id = "t" } }, customer.tenants)
  end)

  it("is as it is where tenants are an object", function()
    assert.same({ a = { Id = "t", Name = "x" }, b = 3 },
      first('"tenants":{"a":{"Id":"t","Name":"x","no":null},"b":3,"c":null}').tenants)
  end)
end)
