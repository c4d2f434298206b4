std = "max"
max_line_length = 100
max_cyclomatic_complexity = 15
exclude_files = { "build" }
files["spec/*_spec.lua"] = { std = "max+busted" }
files["spec/browser"] = { std = "max+busted" }
files["spec/regress/*_spec.lua"] = { std = "max+busted" }
files["spec/support/simulator"] = { std = "ngx_lua" }
files["spec/support/nginx"] = { std = "ngx_lua" }
files["lua/avepoint/types.lua"] = { ignore = { "211", "212", "221", "241" }, max_line_length = false }
files["examples/openresty/lua"] = { std = "ngx_lua" }
files["examples/repl.lua"] = { globals = { "avepoint", "client", "help", "print" } }
