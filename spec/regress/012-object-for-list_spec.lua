-- The fault matrix found that `"data": {}` was read as an empty list and `"metadata": [1]` as
-- metadata that says nothing: lua-cjson gives the same table for both. An empty object counts as an
-- empty list now, and a total above 0 is told by stats().missing and a warning.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local function outcome(body)
  local client = helper.client { faults = { { on = "get", status = 200, body = body,
    times = -1 } } }
  local customer, err = client:customers({ endpoint = "get" }):next()
  return err and err.kind or customer and customer.id or "empty"
end

describe("a reply", function()
  it("whose data is an object is a protocol error", function()
    for _, body in ipairs { '{"data":{"a":1}}', '{"data":{"id":"a"},"metadata":{"totalCount":0}}',
      '{"data":[],"data":{"a":[]}}' } do
      assert.equal("protocol", outcome(body), body)
    end
  end)

  -- Not every lua-cjson tells an empty object from an empty list; the total tells if it is a lie.
  it("whose data is empty is an empty list, unless the total says otherwise", function()
    for _, body in ipairs { '{"data":[]}', '{"data":{}}',
      '{"data" : { }, "metadata":{"totalCount":0}}',
      '{"a":{"data":{}},"data":[]}', '{"x":["data",{}],"data":[]}' } do
      assert.equal("empty", outcome(body), body)
    end
    local client = helper.client { faults = { { on = "get", status = 200, times = -1,
      body = '{"data":{},"metadata":{"totalCount":7}}' } } }
    local listing = client:customers { endpoint = "get" }
    assert.equal(0, listing:count())
    assert.equal(7, listing:stats().missing)
  end)

  it("whose metadata is a list is a protocol error", function()
    assert.equal("protocol", outcome '{"data":[{"id":"a"}],"metadata":[1]}')
    assert.equal("a", outcome '{"data":[{"id":"a"}],"metadata":{"totalCount":1}}')
  end)
end)
