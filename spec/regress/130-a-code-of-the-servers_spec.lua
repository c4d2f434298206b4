-- A field jobStatusCode of the server's own stood beside a status that nobody knows, and was taken
-- for its code.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

describe("jobStatusCode", function()
  it("is the code of a known status, and nil for any other, whatever the server sends", function()
    local client = helper.client { raw_items = {
      '{"id":"a","jobStatusCode":3,"jobStatus":"Failed"}',
      '{"id":"b","jobStatusCode":3,"jobStatus":"Exploded"}',
      '{"id":"c","jobStatus":99,"jobStatusCode":"3"}',
      '{"id":"d","jobStatusCode":{"x":null},"jobStatus":true}',
      '{"id":"e","jobStatusCode":3}',
    } }
    local list = client:customers():collect()
    local code = require("avepoint").job_status.Failed
    assert.same({ id = "a", jobStatus = "Failed", jobStatusCode = code, tenants = {} }, list[1])
    for i = 2, 5 do assert.is_nil(list[i].jobStatusCode, list[i].id) end
    assert.equal("99", list[3].jobStatus)
    assert.equal(3, client:customers({ raw = true }):collect()[5].jobStatusCode)
  end)
end)
