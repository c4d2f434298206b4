-- The fault matrix found requests that ran out of time without having been sent. CURLOPT_PIPEWAIT
-- makes a request wait for a connection that may turn out to be HTTP/2; where the server closes
-- each connection, libcurl (7.88) knows that of none, and lets one waiting request go for each
-- that ends. Behind one page that hung, the pages after it failed with "Failed to resolve host
-- '127.0.0.1' with timeout after 0 ms". On plain HTTP, which is never HTTP/2 here, nothing waits
-- any more.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"
local list = require "spec.support.faults.list"
local rawserver = require "spec.support.faults.rawserver"

describe("a page that hangs", function()
  setup(rawserver.start)
  teardown(rawserver.stop)

  it("does not keep the pages behind it from being sent", function()
    local scene = rawserver.scene { ["page-3"] = rawserver.script "hang" }
    local client = avepoint.client(rawserver.options { timeout = 0.3, max_attempts = 2,
      max_retry_wait = 0.01 })
    local listing = client:customers { page_size = list.size, endpoint = "get", concurrency = 4 }
    for n = 1, 10 do assert.equal(list.ids[n], listing().id) end
    local err = helper.error_of(listing)
    assert.equal("timeout", err.kind)
    assert.equal(3, err.page)
    local asked = {}
    for _, name in ipairs(rawserver.log(scene)) do asked[name] = (asked[name] or 0) + 1 end
    assert.same({ token = 1, ["page-1"] = 1, ["page-2"] = 1, ["page-3"] = 2, ["page-4"] = 1,
      ["page-5"] = 1 }, asked)
    rawserver.over(scene)
    assert.equal(13, listing:count())
  end)
end)
