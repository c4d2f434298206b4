rockspec_format = "3.0"
package = "avepoint-sign"
version = "scm-1"
source = {
  url = "git+https://example.com/avepoint/avepoint-lua.git",
}
description = {
  summary = "Signing in with a certificate, for avepoint",
  detailed = [[
The C module avepoint.sign, with which the module avepoint signs assertions with a certificate's key.
A rock of its own, since it needs OpenSSL's headers, which clients that sign in otherwise do not.
]],
  license = "MIT",
}
dependencies = {
  "lua >= 5.1, < 5.5",
  "avepoint",
}
external_dependencies = {
  CRYPTO = { header = "openssl/evp.h", library = "crypto" },
}
build = {
  type = "builtin",
  modules = {
    ["avepoint.sign"] = {
      sources = { "src/sign/key.c", "src/sign/sign.c" },
      defines = { "_FORTIFY_SOURCE=2" },
      libraries = { "crypto" },
      incdirs = { "$(CRYPTO_INCDIR)" },
      libdirs = { "$(CRYPTO_LIBDIR)" },
    },
  },
}
test = {
  type = "command",
  command = "make spec SPEC=spec/certificate_spec.lua",
}
