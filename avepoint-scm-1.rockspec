rockspec_format = "3.0"
package = "avepoint"
version = "scm-1"
source = {
  url = "git+https://example.com/avepoint/avepoint-lua.git",
}
description = {
  summary = "Lists the customers of a Microsoft 365 partner through the AvePoint Graph API",
  detailed = [[
Signs in to the AvePoint Graph API and lists all customers that a partner manages, as a lazy
iterator of Lua tables: in scripts, in Neovim, in OpenResty and at a prompt. Not made or endorsed
by AvePoint.
]],
  license = "MIT",
}
dependencies = {
  "lua >= 5.1, < 5.5",
  "lua-cjson >= 2.1.0",
}
-- One set of rules for all builds: the Makefile finds libcurl and OpenSSL with pkg-config, and builds
-- the sign-in with a certificate where OpenSSL's headers are.
build = {
  type = "make",
  build_target = "all",
  variables = {
    OUT = "build/luarocks$(LUA_INCDIR)",
    CORE_OUT = "build/luarocks/core",
    CFLAGS = "$(CFLAGS)",
    LUA_INC = "-I$(LUA_INCDIR)",
    LUADIR = "$(LUADIR)",
    LIBDIR = "$(LIBDIR)",
    WARNINGS = "", -- those of a compiler that nobody has tried
  },
}
test = {
  type = "command",
  command = "make test",
}
