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
external_dependencies = {
  CURL = { header = "curl/curl.h", library = "curl" },
}
build = {
  type = "builtin",
  modules = {
    ["avepoint.core"] = {
      sources = {
        "src/bind/client.c",
        "src/bind/config.c",
        "src/bind/credentials.c",
        "src/bind/customer.c",
        "src/bind/error.c",
        "src/bind/json.c",
        "src/bind/listing.c",
        "src/bind/listing_options.c",
        "src/bind/module.c",
        "src/bind/options.c",
        "src/bind/page.c",
        "src/bind/reader.c",
        "src/core/buf.c",
        "src/core/customers.c",
        "src/core/dispatcher.c",
        "src/core/err.c",
        "src/core/event.c",
        "src/core/explain.c",
        "src/core/hash.c",
        "src/core/idset.c",
        "src/core/mem.c",
        "src/core/pager.c",
        "src/core/position.c",
        "src/core/retry.c",
        "src/core/signin.c",
        "src/core/sweep.c",
        "src/core/sys.c",
        "src/core/token.c",
        "src/core/transfer.c",
        "src/core/transport.c",
        "src/core/url.c",
      },
      libraries = { "curl" },
      incdirs = { "$(CURL_INCDIR)" },
      libdirs = { "$(CURL_LIBDIR)" },
    },
    ["avepoint"] = "lua/avepoint/init.lua",
    ["avepoint.certificate"] = "lua/avepoint/certificate.lua",
    ["avepoint.client"] = "lua/avepoint/client.lua",
    ["avepoint.compat"] = "lua/avepoint/compat.lua",
    ["avepoint.customer"] = "lua/avepoint/customer.lua",
    ["avepoint.doctor"] = "lua/avepoint/doctor.lua",
    ["avepoint.driver"] = "lua/avepoint/driver.lua",
    ["avepoint.driver.blocking"] = "lua/avepoint/driver/blocking.lua",
    ["avepoint.driver.ngx"] = "lua/avepoint/driver/ngx.lua",
    ["avepoint.driver.nvim"] = "lua/avepoint/driver/nvim.lua",
    ["avepoint.driver.uv"] = "lua/avepoint/driver/uv.lua",
    ["avepoint.health"] = "lua/avepoint/health.lua",
    ["avepoint.lazy"] = "lua/avepoint/lazy.lua",
    ["avepoint.listing"] = "lua/avepoint/listing.lua",
    ["avepoint.problem"] = "lua/avepoint/problem.lua",
    ["avepoint.load"] = "lua/avepoint/load.lua",
    ["avepoint.log"] = "lua/avepoint/log.lua",
    ["avepoint.pump"] = "lua/avepoint/pump.lua",
    ["avepoint.show"] = "lua/avepoint/show.lua",
    ["avepoint.store"] = "lua/avepoint/store.lua",
    ["avepoint.types"] = "lua/avepoint/types.lua",
    ["avepoint.where"] = "lua/avepoint/where.lua",
  },
}
test = {
  type = "command",
  command = "make test",
}
