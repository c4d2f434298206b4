-- One server of an unknown issuer made every client of the process read the bundle from then on: a
-- stall for each connection, and where the bundle cannot be read, no connection at all.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

describe("a server whose issuer nobody knows", function()
  it("changes nothing for the process's other clients", function()
    local tls, dir = helper.directory .. "/tls/", helper.temporary ".certs"
    local bundle = helper.temporary ".pem"
    os.execute(("mkdir '%s' && cp '%sca.pem' '%s'/$(openssl x509 -hash -noout -in '%sca.pem').0")
      :format(dir, tls, dir, tls))
    helper.write(bundle, helper.read(tls .. "ca.pem"))
    local good = helper.urls(helper.scenario { customers = 3 })
    local bad = helper.urls(helper.scenario { customers = 3 }, "untrusted")
    local said = helper.run(([[
      local avepoint = require "avepoint"
      local function count(base)
        local client = avepoint.client { base_url = base, token_url = base .. "/connect/token",
          client_id = %q, client_secret = %q }
        local ok, n = pcall(function() return client:customers():count() end)
        return ok and n or n.kind
      end
      print(count %q)
      os.remove %q
      print(count %q)
    ]]):format(helper.client_id, helper.client_secret, bad, bundle, good),
      { SSL_CERT_DIR = dir, SSL_CERT_FILE = bundle, CURL_CA_BUNDLE = "" })
    assert.equal("tls\n3\n", said)
  end)
end)
