--- Certificates with odd ways, made on the spot and signed by the simulator's CA.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local certificates = {}

--- The CA that clients of the specs are given: path without suffix, as `make` returns.
certificates.authority = helper.directory .. "/tls/ca"

local SIGN = [[
set -e; unset LD_PRELOAD # not for these commands: it may be a sanitizer
key() {
  case $1 in
    rsa:*) openssl genrsa -out "$2" "${1#rsa:}" ;;
    *) openssl ecparam -name prime256v1 -genkey -noout -out "$2" ;;
  esac
}
: >"$1.index"
cat >"$1.conf" <<CONF
[ca]
default_ca = signing
[signing]
new_certs_dir = $(dirname "$1")
database = $1.index
rand_serial = yes
policy = policy
unique_subject = no
[policy]
commonName = supplied
[extensions]
$9
CONF
key "$2" "$1.key"
openssl req -new -key "$1.key" -subj "$3" -out "$1.csr"
openssl ca -batch -notext -config "$1.conf" -in "$1.csr" -out "$1.pem" -cert "$4.pem" \
  -keyfile "$4.key" -startdate "$5" -enddate "$6" -md "$7" -extensions extensions
]]

--- Makes a key and a certificate. Returns their path without .key and .pem. Fields, all optional:
-- `names` (a subjectAltName; false: none), `common_name`, `usage`, `from` and `to`, `digest`, `key`
-- (rsa:BITS), `issuer` (a path without suffix), `is_authority`.
function certificates.make(fields)
  local path, script = helper.temporary "-certificate", helper.temporary ".sh"
  local extensions = fields.is_authority and "basicConstraints = critical, CA:TRUE"
    or "extendedKeyUsage = " .. (fields.usage or "serverAuth")
  local names = fields.names == nil and "DNS:localhost,IP:127.0.0.1" or fields.names
  if names then extensions = extensions .. "\nsubjectAltName = " .. names end
  helper.write(script, (SIGN:gsub("%$9", extensions)))
  local words = { path, fields.key or "ec", "/CN=" .. (fields.common_name or "localhost"),
    fields.issuer or certificates.authority, fields.from or "20200101000000Z",
    fields.to or "20990101000000Z", fields.digest or "sha256" }
  os.execute(("sh '%s' '%s' >'%s.log' 2>&1"):format(script, table.concat(words, "' '"), path))
  assert(helper.read(path .. ".pem") ~= "" and helper.read(path .. ".pem"),
    helper.read(path .. ".log"))
  return path
end

return certificates
