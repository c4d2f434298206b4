-- The fault matrix found two ways of too many headers that were not told as `limit`: on HTTP/2,
-- where libcurl fails inside nghttp2 ("returned -902"), it was `network` and tried again; one
-- header line or status line over libcurl's own 100 KB was `memory`, "out of memory", which sends
-- a reader the wrong way.
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
    assert.equal(1, err.attempts)
    assert.is_false(err.retryable)
  end

  it("are a limit on HTTP/2", function()
    assert_limit(helper.client({ customers = 3, faults = { { on = "token",
      kind = "endless_headers", times = -1 } } }, { port = "https" }))
  end)

  it("are a limit where it is one line", function()
    for _, line in ipairs { "HTTP/1.1 200 OK\r\nX-Long: ", "HTTP/1.1 200 " } do
      rawserver.scene { token = rawserver.script("repeat 1000", line, ("a"):rep(1000)) }
      local base = "http://127.0.0.1:" .. rawserver.port
      assert_limit(avepoint.client { base_url = base, token_url = base .. "/connect/token",
        client_id = helper.client_id, client_secret = helper.client_secret })
    end
  end)
end)
