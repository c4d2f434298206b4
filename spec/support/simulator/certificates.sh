# Two certificate authorities made on the spot and a server certificate from each: clients are
# given only the first, so the second server is one that a careful client must refuse.
# Works with OpenSSL 1.1 and later and with LibreSSL. Sourced by simulator.sh.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh

make_key() {
  openssl ecparam -name prime256v1 -genkey -noout -out "$1"
  chmod 600 "$1"
}

make_authority() {
  make_key "$1.key"
  cat >"$1.conf" <<CONF
[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
O = AvePoint API simulator
CN = $2
[extensions]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
CONF
  openssl req -x509 -new -sha256 -days 30 -key "$1.key" -config "$1.conf" -out "$1.pem"
}

make_server() {
  make_key "$1.key"
  cat >"$1.conf" <<CONF
[req]
prompt = no
distinguished_name = name
[name]
O = AvePoint API simulator
CN = localhost
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost, DNS:service.two, IP:127.0.0.1, IP:::1
CONF
  openssl req -new -sha256 -key "$1.key" -config "$1.conf" -out "$1.csr"
  openssl x509 -req -sha256 -days 30 -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" \
    -set_serial "0x$(openssl rand -hex 8)" -extfile "$1.conf" -extensions extensions \
    -out "$1.pem"
}

make_certificates() {
  mkdir -p "$1"
  {
    make_authority "$1/ca" "Simulator CA"
    make_server "$1/server" "$1/ca"
    make_authority "$1/other-ca" "Somebody else's CA"
    make_server "$1/untrusted" "$1/other-ca"
  } >"$1/log" 2>&1 || { cat "$1/log" >&2 && die "openssl could not make certificates"; }
}
