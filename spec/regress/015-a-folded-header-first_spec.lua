-- A reply whose first header line begins with a blank made libcurl 7.84 to 8.0 write to memory that
-- it had freed ("malloc(): smallbin double linked list corrupted"), where the transfer was not the
-- first of its easy handle: resetting a handle leaves a pointer to the last header of the transfer
-- before. We hand none of them out twice now.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local rawserver = require "spec.support.faults.rawserver"

describe("a folded header line that is the first", function()
  setup(rawserver.start)
  teardown(rawserver.stop)

  it("does no harm, whatever libcurl makes of it", function()
    local token = '{"access_token":"t","expires_in":3600}'
    local list = '{"data":[{"id":"one"}],"metadata":{"totalCount":1}}'
    rawserver.scene { token = rawserver.script("close", rawserver.reply(token)),
      ["page-1"] = rawserver.script("close", "HTTP/1.1 200 OK\r\n " .. ("X-Folded: first"):rep(20)
        .. "\r\nContent-Length: " .. #list .. "\r\n\r\n" .. list) }
    local client = avepoint.client(rawserver.options())
    for _ = 1, 20 do
      local customer, err = client:customers({ endpoint = "get" }):next()
      assert.is_true(customer and customer.id == "one" or err.kind == "protocol", tostring(err))
    end
    client:close()
  end)
end)
