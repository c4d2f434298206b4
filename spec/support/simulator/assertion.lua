-- Signed assertions (RFC 7523) judged as an IdentityServer judges them: signature by a registered
-- certificate, issuer and subject the client, audience the token endpoint, not expired, and never
-- the same twice. The signature is verified by the OpenSSL that nginx is linked with, not by the
-- code under test. Registered is what lies as *.pem in DIR/registered, or what the scenario names.
-- SPDX-License-Identifier: MIT
local cjson = require "cjson"
local ffi = require "ffi"

ffi.cdef [[
  void *BIO_new_mem_buf(const void *bytes, int length);
  int BIO_free(void *bio);
  void *PEM_read_bio_X509(void *bio, void *x, void *callback, void *user);
  void X509_free(void *certificate);
  int X509_digest(const void *certificate, const void *kind, unsigned char *out, unsigned *length);
  void *X509_get_pubkey(void *certificate);
  void EVP_PKEY_free(void *key);
  const void *EVP_sha1(void);
  const void *EVP_sha256(void);
  void *EVP_MD_CTX_new(void);
  void EVP_MD_CTX_free(void *context);
  int EVP_DigestVerifyInit(void *context, void *pctx, const void *kind, void *engine, void *key);
  int EVP_DigestVerify(void *context, const char *signature, size_t signature_length,
                       const char *text, size_t length);
]]

local C = ffi.C
local TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
local LONGEST, SKEW = 51200, 300

local M = {}

local function decoded(part)
  local padded = part:gsub("-", "+"):gsub("_", "/") .. ("="):rep(-#part % 4)
  return ngx.decode_base64(padded)
end

local function fields(part)
  local ok, value = pcall(cjson.decode, decoded(part) or "")
  return ok and type(value) == "table" and value or nil
end

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

local function registered(scene, directory)
  if scene.token.certificates then return scene.token.certificates end
  local paths = {}
  local pipe = io.popen("ls '" .. directory .. "/registered/'*.pem 2>/dev/null")
  for path in pipe:lines() do paths[#paths + 1] = path end
  pipe:close()
  return paths
end

local function with_certificate(path, use)
  local text = read(path)
  if not text then return false end
  local bio = C.BIO_new_mem_buf(text, #text)
  local certificate = C.PEM_read_bio_X509(bio, nil, nil, nil)
  C.BIO_free(bio)
  if certificate == nil then return false end
  local result = use(certificate)
  C.X509_free(certificate)
  return result
end

local function thumbprint(certificate)
  local out, length = ffi.new "unsigned char[64]", ffi.new "unsigned[1]"
  C.X509_digest(certificate, C.EVP_sha1(), out, length)
  return ffi.string(out, length[0])
end

local function hexadecimal(bytes)
  return (bytes:gsub(".", function(c) return ("%02X"):format(c:byte()) end))
end

local function verified(certificate, text, signature)
  local key = C.X509_get_pubkey(certificate)
  local context = C.EVP_MD_CTX_new()
  local good = C.EVP_DigestVerifyInit(context, nil, C.EVP_sha256(), nil, key) == 1
    and C.EVP_DigestVerify(context, signature, #signature, text, #text) == 1
  C.EVP_MD_CTX_free(context)
  C.EVP_PKEY_free(key)
  return good
end

local function signed_by(path, head, text, signature)
  return with_certificate(path, function(certificate)
    local bytes = thumbprint(certificate)
    return head.kid == hexadecimal(bytes)
      and (head.x5t == nil or decoded(head.x5t) == bytes)
      and verified(certificate, text, signature)
  end)
end

-- Why the claims are refused, or nil.
local function fault_of(claims, form, scene)
  local client = scene.token.client_id or "demo-client"
  local now = ngx.time()
  if claims.iss ~= client or claims.sub ~= client then return "iss or sub" end
  if form.client_id ~= nil and form.client_id ~= client then return "client_id" end
  local url = ngx.var.scheme .. "://" .. ngx.var.http_host .. ngx.var.request_uri
  if claims.aud ~= url then return "aud" end
  if type(claims.exp) ~= "number" or claims.exp + SKEW < now then return "exp" end
  if claims.nbf ~= nil and claims.nbf - SKEW > now then return "nbf" end
  if type(claims.jti) ~= "string" or claims.jti == "" then return "jti" end
  scene.seen_jti = scene.seen_jti or {}
  if scene.seen_jti[claims.jti] then return "jti seen before" end
  scene.seen_jti[claims.jti] = true
  return nil
end

-- judge(form, scene, directory): nil where the assertion proves the client, else why not, for the
-- journal; the server itself only says invalid_client
function M.judge(form, scene, directory)
  local text = form.client_assertion
  if form.client_assertion_type ~= TYPE then return "client_assertion_type" end
  if form.client_secret ~= nil then return "two credentials" end
  if type(text) ~= "string" or #text > LONGEST then return "length" end
  local head, body, signature = text:match("^([%w_-]+)%.([%w_-]+)%.([%w_-]+)$")
  if not head then return "form" end
  local header, claims = fields(head), fields(body)
  if not header or not claims then return "JSON" end
  if header.alg ~= "RS256" then return "alg" end
  for _, path in ipairs(registered(scene, directory)) do
    if signed_by(path, header, head .. "." .. body, decoded(signature) or "") then
      return fault_of(claims, form, scene)
    end
  end
  return "signature"
end

return M
