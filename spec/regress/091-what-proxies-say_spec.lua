-- A proxy that refused (407, 401, 403, a SOCKS user) was asked five times with the same password,
-- which locks accounts, and told as "check the network". ca_file did not count for an https proxy.
-- A proxy's URL in the environment that cannot be read was trouble of the network.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"
local rawserver = require "spec.support.faults.rawserver"

describe("a proxy", function()
  setup(rawserver.start)
  teardown(rawserver.stop)

  local function error_through(proxy, more)
    local options = { base_url = "https://service.invalid", token_url = "https://service.invalid/t",
      client_id = "x", client_secret = "y", max_attempts = 3, max_retry_wait = 0.01, proxy = proxy }
    for name, value in pairs(more or {}) do options[name] = value end
    local _, err = avepoint.client(options):customers():next()
    return err
  end

  local function answering(status)
    rawserver.scene { token = rawserver.script("close", ("HTTP/1.1 %d No\r\n"):format(status),
      "Proxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n") }
    return error_through("http://user:secret-word@127.0.0.1:" .. rawserver.port)
  end

  it("that refuses is asked once, and said to be the proxy", function()
    for status, words in pairs { [407] = "user name and password", [401] = "user name and password",
      [403] = "its rules", [405] = "its rules" } do
      local err = answering(status)
      assert.equal("network", err.kind)
      assert.equal(1, err.attempts, status)
      assert.is_false(err.retryable)
      assert.matches("the proxy refuses", err.message, 1, true)
      assert.matches(words, err.message, 1, true)
      assert.is_nil(helper.everything(err):find("secret-word", 1, true))
    end
  end)

  it("that fails is asked again", function()
    for _, status in ipairs { 502, 503, 504 } do
      local err = answering(status)
      assert.equal(3, err.attempts, status)
      assert.is_true(err.retryable)
    end
  end)

  it("of SOCKS that refuses the user is asked once", function()
    rawserver.scene { ["connection.1"] = rawserver.script("hang", "\5\2\1\1") }
    local err = error_through("socks5h://user:secret-word@127.0.0.1:" .. rawserver.port)
    assert.equal(1, err.attempts, tostring(err))
    assert.matches("user name and password", err.message, 1, true)
  end)

  it("of https is trusted by ca_file; an error says that it is the proxy's certificate", function()
    local proxy = "https://localhost:" .. helper.ports.https -- which is none, and says so
    local err = error_through(proxy, { ca_file = helper.ca_file })
    assert.equal("network", err.kind, tostring(err))
    assert.matches("the proxy refuses to connect", err.message, 1, true)
    err = error_through(proxy, { ca_file = helper.directory .. "/tls/other-ca.pem" })
    assert.equal("tls", err.kind)
    assert.matches("the proxy's certificate", err.message, 1, true)
  end)

  it("whose URL in the environment cannot be read is a matter of configuration", function()
    for _, url in ipairs { "http://user:p@ss:w/rd@host", "http://u:p/w@host:3128" } do
      local said = helper.run([[
        local avepoint = require "avepoint"
        local _, err = avepoint.client { base_url = "https://service.invalid", client_id = "x",
          client_secret = "y", max_retry_wait = 0.01 }:customers():next()
        print(err.kind, err.attempts, err.retryable, err.message)
      ]], { https_proxy = url })
      assert.matches("^config\t1\tfalse\t", said)
      assert.matches("percent-encode user and password", said, 1, true)
      assert.is_nil(said:find("rd@", 1, true) or said:find("p/w", 1, true))
    end
  end)
end)
