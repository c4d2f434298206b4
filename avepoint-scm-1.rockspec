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
        "src/bind/credentials.c",
        "src/bind/error.c",
        "src/bind/object.c",
        "src/bind/json.c",
        "src/bind/listing.c",
        "src/bind/listing_new.c",
        "src/bind/module.c",
        "src/bind/output.c",
        "src/bind/page.c",
        "src/bind/reader.c",
        "src/bind/settings.c",
        "src/core/ground/buf.c",
        "src/core/ground/err.c",
        "src/core/ground/event.c",
        "src/core/ground/hash.c",
        "src/core/ground/mem.c",
        "src/core/ground/sys.c",
        "src/core/ground/tally.c",
        "src/core/ground/text.c",
        "src/core/list/drift.c",
        "src/core/list/idset.c",
        "src/core/list/pager.c",
        "src/core/list/position.c",
        "src/core/list/recent.c",
        "src/core/requests/call.c",
        "src/core/requests/explain.c",
        "src/core/requests/pace.c",
        "src/core/requests/requests.c",
        "src/core/requests/retry.c",
        "src/core/requests/signin.c",
        "src/core/requests/token.c",
        "src/core/wire/transfer.c",
        "src/core/wire/transport.c",
        "src/core/wire/url.c",
      },
      defines = { "_FORTIFY_SOURCE=2" },
      libraries = { "curl" },
      incdirs = { "$(CURL_INCDIR)" },
      libdirs = { "$(CURL_LIBDIR)" },
    },
    ["avepoint"] = "lua/avepoint/init.lua",
    ["avepoint.cell"] = "lua/avepoint/cell.lua",
    ["avepoint.certificate"] = "lua/avepoint/certificate.lua",
    ["avepoint.check"] = "lua/avepoint/check.lua",
    ["avepoint.client"] = "lua/avepoint/client.lua",
    ["avepoint.compat"] = "lua/avepoint/compat.lua",
    ["avepoint.csv"] = "lua/avepoint/csv.lua",
    ["avepoint.customer"] = "lua/avepoint/customer.lua",
    ["avepoint.doctor"] = "lua/avepoint/doctor.lua",
    ["avepoint.driver"] = "lua/avepoint/driver.lua",
    ["avepoint.driver.blocking"] = "lua/avepoint/driver/blocking.lua",
    ["avepoint.driver.ngx"] = "lua/avepoint/driver/ngx.lua",
    ["avepoint.driver.nvim"] = "lua/avepoint/driver/nvim.lua",
    ["avepoint.driver.uv"] = "lua/avepoint/driver/uv.lua",
    ["avepoint.grid"] = "lua/avepoint/grid.lua",
    ["avepoint.health"] = "lua/avepoint/health.lua",
    ["avepoint.json"] = "lua/avepoint/json.lua",
    ["avepoint.lazy"] = "lua/avepoint/lazy.lua",
    ["avepoint.listing"] = "lua/avepoint/listing.lua",
    ["avepoint.nearest"] = "lua/avepoint/nearest.lua",
    ["avepoint.nvim"] = "lua/avepoint/nvim/init.lua",
    ["avepoint.nvim.actions"] = "lua/avepoint/nvim/actions.lua",
    ["avepoint.nvim.row"] = "lua/avepoint/nvim/row.lua",
    ["avepoint.nvim.window"] = "lua/avepoint/nvim/window.lua",
    ["avepoint.options"] = "lua/avepoint/options.lua",
    ["avepoint.problem"] = "lua/avepoint/problem.lua",
    ["avepoint.load"] = "lua/avepoint/load.lua",
    ["avepoint.log"] = "lua/avepoint/log.lua",
    ["avepoint.nearest"] = "lua/avepoint/nearest.lua",
    ["avepoint.progress"] = "lua/avepoint/progress.lua",
    ["avepoint.pump"] = "lua/avepoint/pump.lua",
    ["avepoint.reads"] = "lua/avepoint/reads.lua",
    ["avepoint.request"] = "lua/avepoint/request.lua",
    ["avepoint.settings"] = "lua/avepoint/settings.lua",
    ["avepoint.show"] = "lua/avepoint/show.lua",
    ["avepoint.store"] = "lua/avepoint/store.lua",
    ["avepoint.terminal"] = "lua/avepoint/terminal.lua",
    ["avepoint.types"] = "lua/avepoint/types.lua",
    ["avepoint.where"] = "lua/avepoint/where.lua",
    ["avepoint.write"] = "lua/avepoint/write.lua",
  },
}
test = {
  type = "command",
  command = "make test",
}
