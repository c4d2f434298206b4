-- Trust, tried on servers made on the spot: one that is not to be trusted gets nothing, is asked
-- once, and the error says why. Token and secret do not follow a redirect.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local certificates = require "spec.support.certificates"
local helper = require "spec.helper"
local rawserver = require "spec.support.faults.rawserver"
local tlsserver = require "spec.support.tlsserver"

local REPLY = "HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

local OLD, DEMANDED = "TLS 1.2 or later", "demands a client certificate"
local WEAK, ANOTHER = "the certificate is too weak", "the certificate is for another host"

-- What is odd; the certificate's fields, or how it is made; options of the server (THESE: those of
-- the certificate); the words of the error. `host` is asked for, if not localhost. `lax`: the
-- client's OpenSSL is set to allow what the server wants.
local servers = {
  { "expired", { to = "20210101000000Z" }, "", "the certificate is out of date" },
  { "not valid yet", { from = "20980101000000Z" }, "", "the certificate is not valid yet" },
  { "self-signed", "signed by itself", "", "the certificate is not trusted: check" },
  { "of another host", { names = "DNS:service.example" }, "", ANOTHER },
  { "of another address", { names = "DNS:localhost,IP:127.0.0.2" }, "",
    ANOTHER, host = "127.0.0.1" },
  { "named by its subject only, which is another", { names = false, common_name = "service" }, "",
    ANOTHER },
  { "without the certificate between", "signed by one between", "",
    "whether the server sends the certificates between its own and the CA's" },
  { "signed with SHA-1", { digest = "sha1" }, "", WEAK },
  { "with a short key", { key = "rsa:1024" }, "", WEAK },
  { "made for clients", { usage = "clientAuth" }, "", "the certificate is not made for a server" },
  { "of TLS 1.0", {}, "-tls1", OLD, lax = true },
  { "of TLS 1.1", {}, "-tls1_1", OLD, lax = true },
  { "without encryption", {}, "-tls1_2 -cipher eNULL:@SECLEVEL=0", "no TLS version or cipher",
    lax = true },
  { "demanding a client certificate, TLS 1.2", {}, "-Verify 1 -tls1_2", DEMANDED },
  { "demanding a client certificate, TLS 1.3", {}, "-Verify 1 -tls1_3", DEMANDED },
  { "that does not know the name", "for a name",
    "THESE -servername service.example -servername_fatal",
    "the server does not know this host name" },
}

describe("a server", function()
  local lax -- a configuration of OpenSSL that allows what has long been broken
  local TOKEN, SECRET = "a-bearer-of-the-specs", "a-secret-of-the-specs"

  setup(function()
    rawserver.start()
    lax = helper.temporary ".cnf"
    helper.write(lax, "openssl_conf = top\n[top]\nssl_conf = ssl\n[ssl]\nsystem_default = lax\n"
      .. "[lax]\nMinProtocol = TLSv1\nCipherString = ALL:@SECLEVEL=0\n")
  end)
  teardown(rawserver.stop)

  -- Return a certificate's path, and the server's options for it.
  local make = {
    ["signed by itself"] = function()
      local path = certificates.make {}
      os.execute(("unset LD_PRELOAD; openssl req -x509 -key '%s.key' -days 30 -subj /CN=localhost "
        .. "-addext subjectAltName=DNS:localhost -out '%s.pem'"):format(path, path))
      return path, ""
    end,
    ["signed by one between"] = function()
      local between = certificates.make { common_name = "Between", is_authority = true,
        names = false }
      return certificates.make { issuer = between }, ("-cert_chain '%s.pem'"):format(between)
    end,
    ["for a name"] = function()
      local path = certificates.make {}
      return path, ("-cert2 '%s.pem' -key2 '%s.key'"):format(path, path)
    end,
  }

  local function listen(fields, options)
    local path, more
    if type(fields) == "string" then
      path, more = make[fields]()
    else
      path, more = certificates.make(fields), ""
    end
    return tlsserver.listen(("-cert '%s.pem' -key '%s.key' -cipher ALL:@SECLEVEL=0 %s")
      :format(path, path, options:gsub("THESE", more)), REPLY)
  end

  -- Lists with a token, signs in with a secret, does both through the server as a proxy. Returns a
  -- line for each: kind, attempts, whether it may be tried again, message.
  local function ask(port, row)
    local base = ("https://%s:%s"):format(row.host or "localhost", port)
    return helper.run(([[
      local avepoint = require "avepoint"
      local base, away = %q, "https://service.invalid"
      for _, options in ipairs {
        { base_url = base, access_token = %q },
        { base_url = base, client_id = "x", client_secret = %q },
        { base_url = away, access_token = %q, proxy = base },
        { base_url = away, client_id = "x", client_secret = %q, proxy = base },
      } do
        options.token_url = options.base_url .. "/connect/token"
        options.ca_file, options.max_retry_wait, options.timeout = %q, 0.01, 5
        options.max_attempts = 2
        local _, err = avepoint.client(options):customers({ endpoint = "get" }):next()
        print(err.kind, err.attempts, err.retryable, err.message)
      end
    ]]):format(base, TOKEN, SECRET, TOKEN, SECRET, helper.ca_file),
      { OPENSSL_CONF = row.lax and lax or nil })
  end

  local function assert_refused(row, said, heard)
    local lines = 0
    for line in said:gmatch "[^\n]+" do
      local words = row[4]
      lines = lines + 1
      if lines > 2 then words = words:gsub("^the certificate", "the proxy's certificate") end
      assert.matches("^tls\t1\tfalse\t", line)
      assert.matches(words, line, 1, true)
    end
    assert.equal(4, lines, said)
    for _, word in ipairs { "HTTP/", "CONNECT ", "/connect/token", TOKEN, SECRET } do
      assert.not_matches(word, heard, 1, true)
    end
  end

  for _, row in ipairs(servers) do
    it(row[1] .. " is refused, gets nothing, and is asked once", function()
      local server = listen(row[2], row[3])
      local said = ask(server.port, row)
      assert_refused(row, said, server:stop())
    end)
  end

  it("without TLS is refused, gets nothing, and is asked once", function()
    local plain = rawserver.script("hang", "HTTP/1.1 400 Bad Request\r\n\r\n")
    local scene = rawserver.scene { ["connection.1"] = plain, ["connection.2"] = plain,
      ["connection.3"] = plain, ["connection.4"] = plain }
    assert_refused({ [4] = "no TLS is spoken there" }, ask(rawserver.port, { host = "127.0.0.1" }),
      table.concat(rawserver.log(scene)))
    assert.same({}, rawserver.log(scene))
  end)

  it("that is fine gets the token", function()
    for fields, options in pairs { [{}] = "", ["signed by one between"] = "THESE",
      ["for a name"] = "THESE -servername localhost -servername_fatal" } do
      local server = listen(fields, options)
      local _, err = avepoint.client { base_url = "https://localhost:" .. server.port,
        access_token = TOKEN, ca_file = helper.ca_file }:customers({ endpoint = "get" }):next()
      local heard = server:stop()
      assert.equal(404, err.status, tostring(err))
      assert.matches("Authorization: Bearer " .. TOKEN, heard, 1, true)
    end
  end)

  it("that the system trusts is refused if ca_file names another authority", function()
    local tls, dir = helper.directory .. "/tls/", helper.temporary ".certs"
    os.execute(("mkdir '%s' && cp '%sca.pem' '%s'/$(openssl x509 -hash -noout -in '%sca.pem').0")
      :format(dir, tls, dir, tls))
    for _, system in ipairs { { CURL_CA_BUNDLE = tls .. "ca.pem" },
      { SSL_CERT_FILE = tls .. "ca.pem" }, { SSL_CERT_DIR = dir },
      { SSL_CERT_FILE = tls .. "ca.pem", SSL_CERT_DIR = dir } } do
      for _, name in ipairs { "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR" } do
        system[name] = system[name] or "" -- as if unset, whatever this machine has
      end
      for ca_file, wanted in pairs { [tls .. "other-ca.pem"] = "tls", [""] = "served" } do
        system.AVEPOINT_CA_FILE = ca_file
        assert.equal(wanted .. "\n", (helper.run([[
          local customer, err = require "avepoint".customers():next()
          print(customer and "served" or err.kind)
        ]], helper.environment(helper.scenario { customers = 1 }, system))))
      end
    end
  end)
end)

describe("the token and the secret", function()
  setup(rawserver.start)
  teardown(rawserver.stop)

  it("are not sent where a redirect leads", function()
    for _, status in ipairs { 301, 302, 303, 307, 308 } do
      for _, on in ipairs { "get", "batch", "token" } do
        local scene = rawserver.scene {}
        local client = helper.client { faults = { { on = on, status = status, times = -1,
          headers = { Location = "http://127.0.0.1:" .. rawserver.port .. "/connect/token" } } } }
        local _, err = client:customers({ endpoint = on == "batch" and "batch" or "get" }):next()
        assert.equal(status, err.status, tostring(err))
        assert.equal(1, err.attempts)
        assert.same({}, rawserver.log(scene))
      end
    end
  end)
end)
