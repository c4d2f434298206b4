-- What a server says in TLS was told as trouble of the network, five times, or with advice that led
-- elsewhere: a client certificate that it demands after the handshake, a certificate for another
-- host, SSH or plain HTTP on the port, no protocol in common.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"
local rawserver = require "spec.support.faults.rawserver"
local tlsserver = require "spec.support.tlsserver"

describe("what a server says in TLS", function()
  setup(rawserver.start)
  teardown(rawserver.stop)

  local function error_from(base)
    local client = avepoint.client { base_url = base, token_url = base .. "/connect/token",
      ca_file = helper.ca_file, client_id = "x", client_secret = "y", max_retry_wait = 0.01 }
    local _, err = client:customers():next()
    assert.equal("tls", err.kind, tostring(err))
    assert.equal(1, err.attempts, tostring(err))
    assert.is_false(err.retryable)
    return err.message
  end

  local function error_of(options, address)
    local server = tlsserver.start(options, address)
    local ok, message = pcall(error_from, ("https://%s:%s"):format(address or "127.0.0.1",
      server.port))
    server:stop()
    return assert(ok and message, message)
  end

  it("is told: a client certificate is demanded", function()
    for _, options in ipairs { "-Verify 1 -tls1_3", "-Verify 1 -tls1_3 -alpn h2",
      "-Verify 1 -tls1_2" } do
      assert.matches("demands a client certificate", error_of(options), 1, true)
    end
  end)

  it("is told: the certificate is for another host", function()
    assert.matches("for another host", error_of("", "127.0.0.2"), 1, true)
  end)

  it("is told: no protocol in common, no TLS version in common", function()
    assert.matches("neither HTTP/2 nor HTTP/1.1", error_of "-alpn foo", 1, true)
    assert.matches("TLS 1.2 or later", error_of "-tls1_1 -cipher ALL:@SECLEVEL=0", 1, true)
  end)

  it("is told: there is no TLS", function()
    assert.matches("no TLS is spoken there",
      error_from("https://localhost:" .. helper.ports.http), 1, true)
    rawserver.scene { ["connection.1"] = rawserver.script("hang", "SSH-2.0-OpenSSH_9.2p1\r\n") }
    assert.matches("no TLS is spoken there",
      error_from("https://127.0.0.1:" .. rawserver.port), 1, true)
  end)
end)
