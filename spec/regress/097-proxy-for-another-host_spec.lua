-- A proxy whose certificate is for another host was said to be not trusted, with advice about CAs.
-- The bundle is asked for its issuer as for a server's.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"
local tlsserver = require "spec.support.tlsserver"

describe("an https proxy", function()
  it("whose certificate is for another host is told so", function()
    local server = tlsserver.start("", "127.0.0.2")
    local _, err = avepoint.client { base_url = "https://service.invalid", access_token = "t",
      ca_file = helper.ca_file, proxy = "https://127.0.0.2:" .. server.port }:customers():next()
    server:stop()
    assert.equal("tls", err.kind)
    assert.equal(1, err.attempts)
    assert.matches("the proxy's certificate is for another host: check proxy or https_proxy",
      err.message, 1, true)
  end)

  it("is trusted by the bundle where the hashed directory lacks the issuer", function()
    local tls, dir = helper.directory .. "/tls/", helper.temporary ".certs"
    os.execute(("mkdir '%s' && cp '%sother-ca.pem' '%s'/$(openssl x509 -hash -noout -in "
      .. "'%sother-ca.pem').0"):format(dir, tls, dir, tls))
    local said = helper.run([[
      local _, err = require "avepoint".client { base_url = "https://service.invalid",
        access_token = "t" }:customers():next()
      print(err.kind, err.attempts, err.message)
    ]], { https_proxy = "https://localhost:" .. helper.ports.https, SSL_CERT_DIR = dir,
      SSL_CERT_FILE = tls .. "ca.pem", CURL_CA_BUNDLE = "" })
    assert.matches("^network\t1\t[^\n]*the proxy refuses to connect", said)
  end)
end)
