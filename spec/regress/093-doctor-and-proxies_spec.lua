-- The doctor read `no_proxy` as libcurl does not (an empty one hid NO_PROXY), called a proxy used
-- that is bypassed, and took the time of a proxy that refused for the service's.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local rawserver = require "spec.support.faults.rawserver"

describe("the doctor", function()
  setup(rawserver.start)
  teardown(rawserver.stop)

  local function lines(environment)
    environment.AVEPOINT_CLIENT_ID, environment.AVEPOINT_CLIENT_SECRET = "x", "y"
    environment.AVEPOINT_BASE_URL = "https://api.service.invalid"
    environment.AVEPOINT_TOKEN_URL = "https://id.service.invalid/connect/token"
    return (helper.run("require 'avepoint'.doctor()", environment))
  end

  it("says which variable is in force, and for which hosts the proxy is used", function()
    local proxy = "http://127.0.0.1:" .. rawserver.port
    rawserver.scene { token = rawserver.script("close", "HTTP/1.1 403 No\r\n",
      "Date: Thu, 01 Jan 2015 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n") }
    local said = lines { HTTPS_PROXY = proxy, no_proxy = "",
      NO_PROXY = "other, .API.service.invalid" }
    assert.matches("from HTTPS_PROXY; NO_PROXY is other", said, 1, true)
    assert.matches("not used for api.service.invalid: NO_PROXY names it", said, 1, true)
    assert.matches("used for id.service.invalid", said, 1, true)
    assert.matches("clock%s+not compared", said)
    assert.is_nil(said:find("ahead of", 1, true))
  end)

  it("says that a proxy is not used for this machine", function()
    local id = helper.scenario { customers = 1 }
    local said = helper.run("require 'avepoint'.doctor()",
      helper.environment(id, { https_proxy = "http://127.0.0.1:9", no_proxy = "*" }))
    assert.matches("not used for localhost, which is this machine", said, 1, true)
  end)
end)
