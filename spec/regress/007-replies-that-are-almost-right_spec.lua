-- {"data":{}} was taken for an empty list; over HTTP/2 headers without end were a failure of the
-- network, tried again and again, and a reply cut short was one too; errors about a reply of status
-- 200 had no request id.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local function error_of(fault, options)
  fault.on, fault.times = "page", -1
  local client = helper.client({ customers = 30, faults = { fault } }, options)
  local customer, err = client:customers():next()
  assert.is_nil(customer)
  return err
end

describe("a reply", function()
  it("whose data is an object is a protocol error; an empty one counts as an empty list", function()
    assert.equal("protocol", error_of({ status = 200, body = '{"data":{"id":"a"}}' }).kind)
    for _, body in ipairs { '{"data":{}}', '{"data" :\n {}, "metadata":{"totalCount":0}}',
      '{"data":[]}' } do
      local client = helper.client { faults = { { on = "page", status = 200, body = body,
        times = -1 } } }
      assert.equal(0, client:customers():count())
    end
  end)

  it("with headers without end is a limit error, whatever HTTP it comes by", function()
    for _, port in ipairs { "https", "http1", "http" } do
      local err = error_of({ kind = "endless_headers" },
        { port = port, max_attempts = 2, max_retry_wait = 0.01 })
      assert.equal("limit", err.kind, port)
      -- on HTTP/2 it may have been a neighbour's fault
      assert.is_true(err.attempts == 1 or port == "https" and err.attempts == 2)
    end
  end)

  it("cut short is a protocol error to the end, whatever HTTP it comes by", function()
    for _, port in ipairs { "https", "http1", "http" } do
      local err = error_of({ kind = "short_body" },
        { port = port, max_attempts = 2, max_retry_wait = 0.01 })
      assert.equal("protocol", err.kind, port)
      assert.equal(2, err.attempts)
      assert.is_true(err.retryable)
    end
  end)

  it("that is no JSON names the service's id of the request", function()
    local err = error_of { status = 200, body = '{"da' }
    assert.equal("protocol", err.kind)
    assert.is_string(err.request_id)
  end)
end)
