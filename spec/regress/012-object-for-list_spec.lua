-- The fault matrix found that `"data": {}` was read as an empty list and `"metadata": [1]` as
-- metadata that says nothing: lua-cjson gives the same table for both. Without metadata such a
-- first page was an empty list in silence.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local function outcome(body)
  local client = helper.client { faults = { { on = "get", status = 200, body = body,
    times = -1 } } }
  local customer, err = client:customers({ endpoint = "get" }):next()
  return err and err.kind or customer and customer.id or "empty"
end

describe("a reply", function()
  it("whose data is an empty object is a protocol error", function()
    for _, body in ipairs { '{"data":{}}', '{"data" : { }, "metadata":{"totalCount":0}}',
      '\n{"metadata":{"data":[]},"data"\t:\r\n{}}', '{"x":"\\"data\\":[]","data":{}}',
      '{"data":[],"data":{}}', '{"a":[{"data":[]}],"data":{}}' } do
      assert.equal("protocol", outcome(body), body)
    end
  end)

  it("whose data is an empty list is an empty list", function()
    for _, body in ipairs { '{"data":[]}', '{"data":{},"data":[]}', '{"a":{"data":{}},"data":[]}',
      '{"x":"data","y":{},"data":[ ]}', '{"data":[],"x":"\\\\","y":{"data":{}}}',
      '{"x":["data",{}],"data":[]}' } do
      assert.equal("empty", outcome(body), body)
    end
  end)

  it("whose metadata is a list is a protocol error", function()
    assert.equal("protocol", outcome '{"data":[{"id":"a"}],"metadata":[1]}')
    assert.equal("a", outcome '{"data":[{"id":"a"}],"metadata":{"totalCount":1}}')
  end)
end)
