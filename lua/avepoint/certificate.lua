--- Signing in with a certificate: from its files to the function that gives assertions. Loads
-- avepoint.sign, and with it OpenSSL, only where a certificate is given.
-- SPDX-License-Identifier: MIT

local certificate = {}

local NEEDS_SIGN = "signing in with a certificate needs the C module avepoint.sign, which is built "
  .. "where OpenSSL's headers are (Debian: libssl-dev): "

--- Loads the files.
-- @param files table: certificate, private_key, certificate_password, as the client's options
-- @return a key of avepoint.sign, or nil and what is wrong
function certificate.load(files)
  local ok, sign = pcall(require, "avepoint.sign")
  if not ok then
    return nil, NEEDS_SIGN .. tostring(sign)
  end
  return sign.load {
    certificate = files.certificate,
    private_key = files.private_key,
    password = files.certificate_password,
    now = os.time(),
  }
end

--- Makes a function(audience) that gives a new assertion each time: the server remembers those it
-- has seen.
-- @param files the same, and client_id
-- @return the function and the certificate's thumbprint, or nil and what is wrong
function certificate.signer(files)
  local client_id = files.client_id
  local key, why = certificate.load(files)
  if not key then
    return nil, why
  end
  return function(audience)
    return key:assertion(client_id, audience, os.time())
  end, key:thumbprint()
end

return certificate
