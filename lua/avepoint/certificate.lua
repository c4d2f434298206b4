--- Signs in with a certificate: loads its files, and builds the signed assertion for each sign-in.
-- Loads avepoint.sign, and with it OpenSSL, only if a certificate is given.
-- SPDX-License-Identifier: MIT

local compat = require "avepoint.compat"

local certificate = {}

local LIFETIME = 300 -- seconds that an assertion is good for
local BACK = 30 -- seconds that it is dated back: a server's clock may be behind ours

local NEEDS_SIGN = "signing in with a certificate needs the C module avepoint.sign, which is built "
  .. "where OpenSSL's headers are (Debian: libssl-dev): "

--- Loads the files.
-- @param files table: certificate, private_key, certificate_password, as the client's options
-- @return a key of avepoint.sign, or nil and what is wrong
function certificate.load(files)
  local sign, why = compat.require "avepoint.sign"
  if not sign then
    return nil, NEEDS_SIGN .. tostring(why)
  end
  return sign.load {
    certificate = files.certificate,
    private_key = files.private_key,
    password = files.certificate_password,
    now = os.time(),
  }
end

local function base64url(sign, bytes) -- RFC 4648 section 5, without padding
  return (sign.base64(bytes):gsub("[+/=]", { ["+"] = "-", ["/"] = "_", ["="] = "" }))
end

local function quoted(text) -- as JSON has it (RFC 8259 section 7)
  return '"' .. text:gsub('[\1-\31"\\]', function(c)
    return ("\\u%04x"):format(c:byte())
  end) .. '"'
end

local function uuid(sign) -- a random one (RFC 9562 section 5.4)
  local hex = sign.random(16):gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end)
  return ("%s-%s-4%s-%x%s-%s"):format(hex:sub(1, 8), hex:sub(9, 12), hex:sub(14, 16),
    8 + tonumber(hex:sub(17, 17), 16) % 4, hex:sub(18, 20), hex:sub(21))
end

--- Builds a client assertion: a JWT (RFC 7523 section 3) signed with RS256. Its header names the
-- certificate by `kid` (the SHA-1 thumbprint, as the service's own samples do) and by `x5t`
-- (RFC 7515 section 4.1.7). Each has a `jti` of its own: the server refuses one that it has seen.
-- @param sign the module avepoint.sign
-- @param key a key of that module
-- @param client_id string
-- @param audience string: the token endpoint's URL
-- @param now integer: seconds since 1970
-- @return string, or nil and what is wrong
function certificate.assertion(sign, key, client_id, audience, now)
  local thumbprint = key:thumbprint()
  local digest = thumbprint:gsub("%x%x", function(hex)
    return string.char(tonumber(hex, 16))
  end)
  local header = ('{"alg":"RS256","typ":"JWT","kid":"%s","x5t":"%s"}'):format(thumbprint,
    base64url(sign, digest))
  local claims = ('{"iss":%s,"sub":%s,"aud":%s,"jti":"%s","nbf":%d,"iat":%d,"exp":%d}'):format(
    quoted(client_id), quoted(client_id), quoted(audience), uuid(sign), now - BACK, now - BACK,
    now + LIFETIME)
  local text = base64url(sign, header) .. "." .. base64url(sign, claims)
  local signature, why = key:sign(text)
  if not signature then
    return nil, why
  end
  return text .. "." .. base64url(sign, signature)
end

--- Makes the function that signs in: it returns a new assertion each time.
-- @param files as for load, and client_id
-- @return function(audience), the key, and a function that makes the first one load the files
-- again; or nil and what is wrong
function certificate.signer(files)
  local client_id = files.client_id
  local key, why = certificate.load(files)
  if not key then
    return nil, why
  end
  local function signer(audience)
    if not key then
      key, why = certificate.load(files)
    end
    if not key then
      return nil, why
    end
    return certificate.assertion(require "avepoint.sign", key, client_id, audience, os.time())
  end
  return signer, key, function()
    key = nil
  end
end

return certificate
