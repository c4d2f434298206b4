-- Signing in with a certificate: the forms its files may have, what may be wrong with them, and
-- what is sent. The simulator verifies each signature with nginx's OpenSSL; the command-line
-- `openssl` makes the files and, once more, judges an assertion on its own.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local signing = require "avepoint.certificate"
local cjson = require "cjson"
local helper = require "spec.helper"
local sign = require "avepoint.sign"

local PASSWORD = "open&sesame+1"
local dir = helper.temporary ".keys"

-- A sanitizer's runtime that is loaded into this process is not for these commands.
local function shell(command)
  local pipe = assert(io.popen(("unset LD_PRELOAD; cd %s && { %s; } 2>&1; echo \"exit $?\"")
    :format(dir, command)))
  local out = pipe:read "*a"
  pipe:close()
  local text, code = out:match "^(.*)exit (%d+)\n$"
  return text, tonumber(code)
end

local function must(command)
  local text, code = shell(command)
  assert(code == 0, command .. "\n" .. text)
  return text
end

-- All files of this spec, made once: rsa (key, certificate, both in one), other, ec, an expired
-- one, one that must not sign, encrypted keys in both forms, PKCS#12 files.
setup(function()
  assert(os.execute("mkdir -p " .. dir))
  local x509 = "openssl req -x509 -subj /CN=avepoint-test -days 30 -nodes "
  must(x509 .. "-newkey rsa:2048 -keyout rsa.key -out rsa.pem")
  must(x509 .. "-newkey rsa:2048 -keyout other.key -out other.pem")
  must(x509 .. "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -keyout ec.key -out ec.pem")
  must(x509 .. "-newkey rsa:2048 -keyout nosign.key -out nosign.pem "
    .. "-addext keyUsage=keyEncipherment")
  must("openssl req -new -key rsa.key -subj /CN=expired -out expired.csr")
  local expired = "openssl x509 -req -in expired.csr -signkey rsa.key -out expired.pem "
  must(expired .. "-not_before 20200101000000Z -not_after 20200102000000Z || " -- from OpenSSL 3.4
    .. expired .. "-days -1") -- before it
  must("cat rsa.pem rsa.key > both.pem")
  must("openssl pkcs8 -topk8 -in rsa.key -passout 'pass:" .. PASSWORD .. "' -out pkcs8.key")
  must("openssl rsa -aes256 -traditional -in rsa.key -passout 'pass:" .. PASSWORD
    .. "' -out traditional.key")
  must("openssl pkcs12 -export -in rsa.pem -inkey rsa.key -passout 'pass:" .. PASSWORD
    .. "' -out rsa.p12")
  must("openssl pkcs12 -export -in rsa.pem -inkey rsa.key -passout pass: -out open.p12")
  must("openssl pkcs12 -export -legacy -in rsa.pem -inkey rsa.key -passout pass: -out old.p12")
  must("openssl pkcs12 -export -nokeys -in rsa.pem -passout pass: -out nokey.p12")
  must("openssl x509 -in rsa.pem -outform DER -out rsa.der")
  must("echo nothing > garbage.pem; : > empty.pem; head -c 400 rsa.pem > cut.pem")
  must("head -c 900 rsa.p12 > cut.p12")
end)

local function path(name)
  return name and dir .. "/" .. name
end

local function scenario(fields)
  fields = fields or {}
  fields.customers = fields.customers or 3
  fields.token = fields.token or {}
  fields.token.certificates = { path "rsa.pem" }
  return helper.scenario(fields)
end

local function options(id, certificate, key, password)
  local given = helper.options(id, { certificate = path(certificate), private_key = path(key),
    certificate_password = password })
  return given
end

local function make(given) -- so that there is a line of Lua to name
  local client = avepoint.client(given)
  return client
end

local function decode(part)
  local text = must(("printf '%%s' '%s%s' | tr -- -_ +/ | base64 -d"):format(part,
    ("="):rep(-#part % 4)))
  return cjson.decode(text)
end

describe("a certificate", function()
  local forms = {
    ["PEM, key in a file of its own"] = { "rsa.pem", "rsa.key" },
    ["PEM, key in the same file"] = { "both.pem" },
    ["PEM, key encrypted as PKCS#8"] = { "rsa.pem", "pkcs8.key", PASSWORD },
    ["PEM, key encrypted in the traditional form"] = { "rsa.pem", "traditional.key", PASSWORD },
    ["PKCS#12"] = { "rsa.p12", nil, PASSWORD },
    ["PKCS#12 without a password"] = { "open.p12" },
    ["DER"] = { "rsa.der", "rsa.key" },
  }
  for name, files in pairs(forms) do
    it("signs in: " .. name, function()
      local id = scenario()
      local client = avepoint.client(options(id, files[1], files[2], files[3]))
      assert.equal(3, client:customers():count())
      local form = helper.journal(id, "/token")[1].body
      assert.equal("client_credentials", form.grant_type)
      assert.equal(helper.client_id, form.client_id)
      assert.equal("urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        form.client_assertion_type)
      assert.is_nil(form.client_secret)
    end)
  end

  it("that the registration does not hold is refused", function()
    local id = scenario()
    local client = avepoint.client(options(id, "other.pem", "other.key"))
    local _, err = client:customers():next()
    assert.equal("auth", err.kind)
    assert.equal("invalid_client", err.code)
    assert.matches("certificate", err.message, 1, true)
    assert.equal("signature", helper.journal(id, "/token")[1].refused)
  end)

  it("gives each attempt an assertion of its own", function()
    local id = scenario { faults = { { on = "token", status = 503, times = 2,
      headers = { ["Retry-After"] = "0" } } }, token = { uses = 1 }, customers = 5 }
    local client = avepoint.client(options(id, "rsa.pem", "rsa.key"))
    assert.equal(5, client:customers({ page_size = 2 }):count())
    local requests = helper.journal(id, "/token")
    assert.is_true(#requests >= 5)
    for _, entry in ipairs(requests) do
      assert.is_nil(entry.refused)
    end
  end)

  it("from the environment signs in", function()
    local id = scenario()
    local out = helper.run([[print(require("avepoint").customers():count())]],
      helper.environment(id, { AVEPOINT_CLIENT_SECRET = false,
        AVEPOINT_CERTIFICATE = path "rsa.pem", AVEPOINT_PRIVATE_KEY = path "pkcs8.key",
        AVEPOINT_CERTIFICATE_PASSWORD = PASSWORD }))
    assert.equal("3\n", out)
  end)
end)

describe("a certificate that is of no use gives a config error:", function()
  local refused = {
    ["a missing file"] = { { "nowhere.pem", "rsa.key" }, "certificate cannot be read",
      "No such file" },
    ["a missing key file"] = { { "rsa.pem", "nowhere.key" }, "private_key cannot be read",
      "No such file" },
    ["no key in the certificate's file"] = { { "rsa.pem" }, "private_key", "rsa.pem" },
    ["no key in the key's file"] = { { "rsa.pem", "other.pem" }, "no private key", "other.pem" },
    ["an encrypted key without a password"] = { { "rsa.pem", "pkcs8.key" },
      "AVEPOINT_CERTIFICATE_PASSWORD", "pkcs8.key" },
    ["a wrong password for the key"] = { { "rsa.pem", "pkcs8.key", "wrong-word" },
      "does not open", "pkcs8.key" },
    ["a wrong password for a traditional key"] = { { "rsa.pem", "traditional.key", "wrong-word" },
      "does not open", "traditional.key" },
    ["PKCS#12 without its password"] = { { "rsa.p12" }, "AVEPOINT_CERTIFICATE_PASSWORD",
      "rsa.p12" },
    ["PKCS#12 with a wrong password"] = { { "rsa.p12", nil, "wrong-word" }, "does not open",
      "rsa.p12" },
    ["a password longer than OpenSSL takes"] = { { "rsa.pem", "pkcs8.key", ("p"):rep(5000) },
      "does not open", "pkcs8.key" },
    ["the same for a traditional key"] = { { "rsa.pem", "traditional.key", ("p"):rep(5000) },
      "does not open", "traditional.key" },
    ["the same for PKCS#12"] = { { "rsa.p12", nil, ("p"):rep(5000) }, "does not open",
      "rsa.p12" },
    ["PKCS#12 without a key"] = { { "nokey.p12" }, "no private key", "nokey.p12" },
    ["PKCS#12 beside a key"] = { { "open.p12", "rsa.key" }, "private_key is not needed",
      "open.p12" },
    ["PKCS#12 in an encryption that is out of use"] = { { "old.p12" }, "openssl pkcs12 -legacy",
      "old.p12" },
    ["an expired certificate"] = { { "expired.pem", "rsa.key" }, "expired on", "expired.pem" },
    ["a key of another certificate"] = { { "rsa.pem", "other.key" }, "do not belong together",
      "other.key" },
    ["an EC certificate"] = { { "ec.pem", "ec.key" }, "RSA", "ec.pem" },
    ["an EC key"] = { { "rsa.pem", "ec.key" }, "RSA", "ec.key" },
    ["a certificate that must not sign"] = { { "nosign.pem", "nosign.key" }, "Digital Signature",
      "nosign.pem" },
    ["garbage"] = { { "garbage.pem", "rsa.key" }, "neither PEM nor PKCS#12", "garbage.pem" },
    ["an empty file"] = { { "empty.pem", "rsa.key" }, "neither PEM nor PKCS#12", "empty.pem" },
    ["a certificate cut short"] = { { "cut.pem", "rsa.key" }, "neither PEM nor PKCS#12",
      "cut.pem" },
    ["PKCS#12 cut short"] = { { "cut.p12", nil, PASSWORD }, "neither PEM nor PKCS#12", "cut.p12" },
    ["a folder"] = { { "", "rsa.key" }, "certificate", "" },
  }
  for name, case in pairs(refused) do
    it(name, function()
      local id = scenario()
      local err = helper.error_of(make, options(id, case[1][1], case[1][2], case[1][3]))
      assert.is_true(avepoint.is_error(err), tostring(err))
      assert.equal("config", err.kind)
      assert.matches(case[2], err.message, 1, true)
      assert.matches(case[3], err.message, 1, true)
      assert.is_nil(helper.everything(err):find("wrong-word", 1, true))
      assert.matches("^.*certificate_spec.lua:%d+$", err.where)
      assert.equal(0, #helper.journal(id))
    end)
  end

  it("private_key alone", function()
    local err = helper.error_of(avepoint.client, { client_id = "me", private_key = path "rsa.key" })
    assert.equal("config", err.kind)
    assert.matches("certificate is missing", err.message, 1, true)
  end)

  it("no client id", function()
    local err = helper.error_of(avepoint.client, { certificate = path "both.pem" })
    assert.equal("config", err.kind)
    assert.matches("AVEPOINT_CLIENT_ID", err.message, 1, true)
  end)
end)

describe("a certificate", function()
  it("tells its end to the second", function()
    local ends = os.time() + 30 * 86400 -- all were made just now, for 30 days
    local key = assert(sign.load { certificate = path "rsa.pem", private_key = path "rsa.key",
      now = os.time() + 43200 })
    assert.is_true(math.abs(key:expires() - ends) < 600, key:expires() - ends)
  end)
end)

describe("an assertion", function()
  local AUDIENCE = "https://identity.example/connect/token"
  local function assertion(client_id, now)
    local key = assert(sign.load { certificate = path "rsa.pem", private_key = path "rsa.key",
      now = os.time() })
    return assert(signing.assertion(sign, key, client_id or "me", AUDIENCE, now or os.time()))
  end

  it("has the header and claims that the service's own samples have", function()
    local now = os.time()
    local head, claims = assertion("me", now):match "^([^.]+)%.([^.]+)%."
    local thumbprint = must("openssl x509 -in rsa.pem -noout -fingerprint -sha1"):match "=(%S+)"
    local x5t = must("openssl x509 -in rsa.pem -outform DER | openssl dgst -sha1 -binary "
      .. "| base64 | tr +/ -_ | tr -d =\\\\n")
    head, claims = decode(head), decode(claims)
    assert.same({ alg = "RS256", typ = "JWT", kid = thumbprint:gsub(":", ""), x5t = x5t }, head)
    assert.matches("^%x+%-%x+%-4%x+%-[89ab]%x+%-%x+$", claims.jti)
    claims.jti = nil
    assert.same({ iss = "me", sub = "me", aud = AUDIENCE, nbf = now - 30, iat = now - 30,
      exp = now + 300 }, claims)
  end)

  it("is verified by openssl on the command line", function()
    local text, signature = assertion():match "^(.+)%.([^.]+)$"
    helper.write(path "text", text)
    must(("printf '%%s' '%s%s' | tr -- -_ +/ | base64 -d > signature"):format(signature,
      ("="):rep(-#signature % 4)))
    must("openssl x509 -in rsa.pem -pubkey -noout > public.pem")
    assert.equal("Verified OK\n",
      must("openssl dgst -sha256 -verify public.pem -signature signature text"))
    helper.write(path "text", text .. "x")
    assert.not_equal(0, (select(2,
      shell("openssl dgst -sha256 -verify public.pem -signature signature text"))))
  end)

  it("takes client ids of any characters", function()
    local odd = "a\"b\\c\n\1é"
    local claims = decode(assertion(odd):match "%.([^.]+)%.")
    assert.equal(odd, claims.sub)
  end)

  it("never has the same jti", function()
    local seen = {}
    for _ = 1, 100 do
      local jti = decode(assertion():match "%.([^.]+)%.").jti
      assert.is_nil(seen[jti])
      seen[jti] = true
    end
  end)
end)
