-- The fault matrix found ways of too many headers that were not told as `limit`: on HTTP/2, where
-- the whole connection fails inside nghttp2 (-902, in newer versions -905), it was `network`; one
-- header line or status line over libcurl's own 100 KB was `memory`, "out of memory", which sends
-- a reader the wrong way; trailers without an end were `network` for libcurl 8.14. And what failed
-- with its connection was not tried again, so that one such reply failed its neighbours too.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"
local rawserver = require "spec.support.faults.rawserver"

describe("headers over libcurl's own limits", function()
  setup(rawserver.start)
  teardown(rawserver.stop)

  local function assert_limit(client)
    local _, err = client:customers():next()
    assert.equal("limit", err and err.kind)
    assert.matches("64 KiB", err.message, 1, true)
    assert.is_false(err.retryable)
    return err
  end

  it("are a limit on HTTP/2", function()
    assert_limit(helper.client({ customers = 3, faults = { { on = "token",
      kind = "endless_headers", times = -1 } } }, { port = "https", max_attempts = 2 }))
  end)

  it("are no limit for others on the same HTTP/2 connection", function()
    local client = helper.client({ customers = 40, faults = { { on = "page", page = 3,
      kind = "endless_headers", times = 2 } } }, { port = "https", concurrency = 8 })
    local listing = client:customers { page_size = 5 }
    local ids, failures = {}, 0
    while true do
      local customer, err = listing:next()
      if err then
        assert.equal("limit", err.kind)
        assert.equal(3, err.page)
        failures = failures + 1
      elseif not customer then
        break
      else
        ids[#ids + 1] = customer.id
      end
    end
    assert.is_true(failures <= 2)
    assert.equal(40, #ids)
  end)

  -- libcurl 7.88 tries once more by itself on a connection of its own, with the first one's words.
  it("are no word for what becomes of another connection", function()
    local client = helper.client({ customers = 20, faults = { { on = "page", page = 3, turns = {
      { kind = "endless_headers" }, { kind = "wait", seconds = 5 } }, times = -1 } } },
      { port = "https", max_attempts = 1, timeout = 1 })
    local listing = client:customers { page_size = 5, concurrency = 1 }
    local err
    repeat
      local customer
      customer, err = listing:next()
    until not customer
    assert.equal(3, err.page)
    assert.equal(err.code == 28 and "timeout" or "limit", err.kind)
  end)

  it("are a limit where it is one line", function()
    for _, line in ipairs { "HTTP/1.1 200 OK\r\nX-Long: ", "HTTP/1.1 200 " } do
      rawserver.scene { token = rawserver.script("repeat 1000", line, ("a"):rep(1000)) }
      local err = assert_limit(avepoint.client(rawserver.options()))
      assert.equal(1, err.attempts)
    end
  end)
end)
