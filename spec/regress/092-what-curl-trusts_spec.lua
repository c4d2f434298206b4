-- A company's certificate appended to the system's bundle was not trusted, though curl was served:
-- only the hashed directory was asked. The variables by which curl finds its certificates were not
-- read at all.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

describe("trust is what curl on this machine trusts", function()
  local tls = helper.directory .. "/tls/"
  local dir -- hashed, with another CA

  setup(function()
    dir = helper.temporary ".certs"
    os.execute(("mkdir '%s'; cp '%sother-ca.pem' '%s'; cd '%s'; ln -s other-ca.pem "
      .. "$(openssl x509 -in other-ca.pem -noout -hash).0"):format(dir, tls, dir, dir))
  end)

  local function list(more)
    more.AVEPOINT_CA_FILE = false
    for _, name in ipairs { "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR" } do
      more[name] = more[name] or "" -- as if unset, whatever this machine has
    end
    return helper.run([[
      local client = require "avepoint".client { max_retry_wait = 0.01 }
      for _ = 1, 2 do
        local listing = client:customers()
        local _, err = listing:next()
        print(err and err.kind or "served", err and err.attempts or listing:stats().retries)
      end
    ]], helper.environment(helper.scenario { customers = 3 }, more))
  end

  local SERVED, REFUSED = "served\t0\nserved\t0\n", "tls\t1\ntls\t1\n"

  it("a bundle, where the directory does not know the issuer", function()
    assert.equal(SERVED, list { SSL_CERT_DIR = dir, SSL_CERT_FILE = tls .. "ca.pem" })
    assert.equal(REFUSED, list { SSL_CERT_DIR = dir, SSL_CERT_FILE = tls .. "other-ca.pem" })
  end)

  it("the variables of curl", function()
    assert.equal(SERVED, list { CURL_CA_BUNDLE = tls .. "ca.pem" })
    assert.equal(SERVED, list { SSL_CERT_FILE = tls .. "ca.pem" })
    assert.equal(REFUSED, list { CURL_CA_BUNDLE = tls .. "other-ca.pem",
      SSL_CERT_FILE = tls .. "ca.pem" })
    assert.equal(REFUSED, list {})
  end)

  it("a directory alone", function()
    os.execute(("cd '%s'; cp '%sca.pem' .; ln -s ca.pem $(openssl x509 -in ca.pem -noout -hash).0")
      :format(dir, tls))
    assert.equal(SERVED, list { SSL_CERT_DIR = dir })
  end)
end)
