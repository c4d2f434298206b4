-- Forms of certificates and keys that people have and that were refused: PKCS#12 without a MAC, PEM
-- with the issuer before the leaf, a key in DER, a byte order mark. And assertions were dated now,
-- so that a server whose clock is a little behind, and which allows nothing, refused them.
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"
local helper = require "spec.helper"
local sign = require "avepoint.sign"
local signing = require "avepoint.certificate"

local dir = helper.temporary ".keys"

local function must(command)
  assert(os.execute(("unset LD_PRELOAD; cd %s && { %s; } 2>/dev/null"):format(dir, command)))
end

setup(function()
  assert(os.execute("mkdir -p " .. dir))
  local new = "openssl req -nodes -newkey rsa:2048 "
  must(new .. "-x509 -subj /CN=issuer -days 30 -keyout ca.key -out ca.pem")
  must(new .. "-subj /CN=leaf -keyout leaf.key -out leaf.csr")
  must("openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 "
    .. "-out leaf.pem")
  must "cat ca.pem leaf.pem > chain.pem; cat leaf.key ca.pem leaf.pem > all.pem"
  must "cat ca.pem leaf.pem leaf.key > end.pem"
  must "{ printf '\\357\\273\\277'; cat leaf.pem; } > marked.pem"
  must "{ printf '\\357\\273\\277'; cat leaf.key; } > marked.key"
  must "sed 's/$/\\r/' leaf.pem > crlf.pem; sed 's/$/\\r/' leaf.key > crlf.key"
  must "openssl x509 -in leaf.pem -outform DER -out leaf.der"
  must "openssl pkcs8 -topk8 -nocrypt -in leaf.key -outform DER -out pkcs8.der"
  must "openssl rsa -traditional -in leaf.key -outform DER -out rsa.der"
  must "openssl pkcs8 -topk8 -passout pass:open -in leaf.key -outform DER -out encrypted.der"
  local export = "openssl pkcs12 -export -inkey leaf.key -in leaf.pem -certfile ca.pem "
  must(export .. "-passout pass:open -nomac -out nomac.p12")
  must(export .. "-passout pass: -nomac -out nomac-empty.p12")
  must(export .. "-passout pass: -nomac -keypbe NONE -certpbe NONE -out nomac-clear.p12")
  must(export .. "-passout pass:open -out mac.p12")
end)

local function load(certificate, key, password)
  return sign.load { certificate = dir .. "/" .. certificate, password = password,
    private_key = key and dir .. "/" .. key, now = os.time() }
end

local function thumbprint_of_leaf()
  local pipe = io.popen(("unset LD_PRELOAD; openssl x509 -in %s/leaf.pem -noout -fingerprint -sha1")
    :format(dir))
  local text = pipe:read "*a"
  pipe:close()
  return (text:match "=(%S+)":gsub(":", ""))
end

describe("a certificate is opened", function()
  for name, files in pairs {
    ["in PEM behind its issuer"] = { "chain.pem", "leaf.key" },
    ["in PEM behind its key and its issuer"] = { "all.pem" },
    ["in PEM between its issuer and its key"] = { "end.pem" },
    ["in PEM with a byte order mark"] = { "marked.pem", "marked.key" },
    ["in PEM with the line ends of Windows"] = { "crlf.pem", "crlf.key" },
    ["in DER, the key as PKCS#8"] = { "leaf.der", "pkcs8.der" },
    ["in DER, the key in the traditional form"] = { "leaf.der", "rsa.der" },
    ["in DER, the key encrypted"] = { "leaf.der", "encrypted.der", "open" },
    ["in PKCS#12 without a MAC"] = { "nomac.p12", nil, "open" },
    ["in PKCS#12 without a MAC, the password empty"] = { "nomac-empty.p12" },
    ["in PKCS#12 without a MAC and in the clear"] = { "nomac-clear.p12" },
    ["in PKCS#12 in the clear, a password given"] = { "nomac-clear.p12", nil, "open" },
    ["in PKCS#12 with its issuer"] = { "mac.p12", nil, "open" },
  } do
    it(name, function()
      local key = assert(load(files[1], files[2], files[3]))
      assert.equal(thumbprint_of_leaf(), key:thumbprint())
    end)
  end

  it("from a pipe", function()
    must "mkfifo pipe.pem && { cat marked.pem > pipe.pem & }"
    assert.is_truthy(load("pipe.pem", "leaf.key"))
    must "{ cat leaf.key > pipe.pem & }"
    assert.is_truthy(load("leaf.pem", "pipe.pem"))
  end)

  it("but with its password alone", function()
    for _, files in ipairs { { "nomac.p12" }, { "leaf.der", "encrypted.der" } } do
      local _, why = load(files[1], files[2])
      assert.matches("AVEPOINT_CERTIFICATE_PASSWORD", why, 1, true)
      _, why = load(files[1], files[2], "wrong-word")
      assert.matches("certificate_password does not open", why, 1, true)
      assert.not_matches("wrong-word", why, 1, true)
    end
  end)
end)

describe("an assertion", function()
  it("is dated back, and its life counts from now", function()
    local now = os.time()
    local key = load("leaf.pem", "leaf.key")
    local text = assert(signing.assertion(sign, key, "me", "https://x", now))
    local part = text:match "%.([^.]+)%.":gsub("-", "+"):gsub("_", "/")
    local pipe = io.popen(("printf '%%s' '%s%s' | base64 -d"):format(part, ("="):rep(-#part % 4)))
    local claims = cjson.decode(pipe:read "*a")
    pipe:close()
    assert.equal(now - 30, claims.nbf)
    assert.equal(now - 30, claims.iat)
    assert.equal(now + 300, claims.exp)
  end)
end)
