-- examples/openresty did not start by what its head says for Debian's nginx: the modules were
-- looked for in its own folder, and what that nginx writes went to folders of root's. Nothing was
-- said of systemd, and nginx.conf let half of the variables through to the workers.
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"
local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")
local options = require "avepoint.options"

local EXAMPLE = helper.top .. "/examples/openresty"
local MODULES = "/usr/lib/nginx/modules"

local function substituted(text, old, new)
  local from, to = text:find(old, 1, true)
  assert(from, "not found: " .. old)
  return text:sub(1, from - 1) .. new .. text:sub(to + 1)
end

-- A copy of the example that listens on a socket of its own, and a command `nginx` in its folder
-- bin: Debian's, with its files where they are unpacked.
local function copy()
  local value = hosts.engine()
  local dir = helper.temporary ".written"
  hosts.shell(("cp -r %s %s && mkdir %s/bin"):format(EXAMPLE, dir, dir))
  local text = substituted(helper.read(dir .. "/nginx.conf"), "127.0.0.1:8080",
    ("unix:%s/http.sock"):format(dir))
  helper.write(dir .. "/nginx.conf", hosts.user_line() .. text)
  local where = value "MODULES":match '"([^"]*)/ndk_http_module.so"' or MODULES
  helper.write(dir .. "/bin/nginx", ([[
#!/bin/sh
for word; do
  shift
  set -- "$@" "$(printf %%s "$word" | sed 's|%s|%s|g')"
done
export LD_LIBRARY_PATH='%s' LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;%s'
export LUA_CPATH='%s/build/luajit/?.so;%s'
exec '%s' "$@"
]]):format(MODULES, where, value "LIBRARIES", helper.top, helper.top, value "LUA_PATH", helper.top,
    value "LUA_CPATH", value "NGINX"))
  hosts.shell(("chmod +x %s/bin/nginx"):format(dir))
  return dir
end

-- Asks until the service has its list; gives how many customers.
local function served(dir)
  local body
  for _ = 1, 200 do
    body = hosts.shell(("curl -sS --unix-socket %s/http.sock http://host/customers"):format(dir))
    local ok, answer = pcall(cjson.decode, body)
    if ok and answer.customers then
      return #answer.customers
    end
    os.execute "sleep 0.05"
  end
  error(body .. (helper.read(dir .. "/logs/error.log") or ""))
end

local function stop(dir)
  local pid = helper.read(dir .. "/logs/nginx.pid")
  if pid then
    hosts.shell("kill " .. pid)
    assert.is_true(hosts.await_end(pid:match "%d+"))
  end
end

local function exports(variables)
  local words = {}
  for name, value in pairs(variables) do
    words[#words + 1] = ("%s='%s'"):format(name, value)
  end
  return table.concat(words, " ")
end

-- Of the Debian that the simulator unpacks; another engine has no such place.
local function is_debian()
  return hosts.engine() "MODULES" ~= ""
end

describe("#hosts examples/openresty", function()
  it("starts as its head says for Debian", function()
    if not is_debian() then return end
    local dir = copy()
    finally(function() stop(dir) end)
    local command = helper.read(EXAMPLE .. "/nginx.conf"):match "\n#     (cd [^\n]- nginx .-;')\n"
    assert.is_string(command, "the head has no such command")
    command = substituted(command:gsub("\n# *", "\n"), "cd examples/openresty", "cd " .. dir)
    local said, code = hosts.shell(("export PATH=%s/bin:$PATH %s; { %s; } >%s/said"):format(dir,
      exports(helper.environment(helper.scenario { customers = 12 })), command, dir))
    assert.equal(0, code, said .. (helper.read(dir .. "/said") or ""))
    assert.equal(12, served(dir))
  end)

  it("starts as its unit for systemd says", function()
    if not is_debian() then return end
    local dir = copy()
    finally(function() stop(dir) end)
    local unit = helper.read(dir .. "/customers.service"):gsub("\\\n *", " ")
    local function field(name)
      return unit:match("\n" .. name .. "=([^\n]*)") or error("the unit has no " .. name)
    end
    -- the unit's own variables, and those of its file; nothing else reaches a service
    local variables = helper.environment(helper.scenario { customers = 12 })
    local name = field("Environment"):match "^(%u[%u_]*)=%.%.%.$"
    assert.is_string(variables[name])
    assert.matches("^/etc/", field "EnvironmentFile")
    local command = substituted(field "ExecStart", "/usr/sbin/nginx", dir .. "/bin/nginx")
    hosts.shell(("mkdir %s/logs; cd %s; { env -i PATH=/usr/bin:/bin %s %s; } >said 2>&1 &"):format(
      dir, dir, exports(variables), command))
    assert.equal(12, served(dir))
    hosts.shell(substituted(field "ExecReload", "$MAINPID", helper.read(dir .. "/logs/nginx.pid")))
    assert.equal(12, served(dir))
  end)

  it("names Debian's place of modules", function()
    if not is_debian() then return end
    local said = hosts.shell(("LD_LIBRARY_PATH='%s' '%s' -V"):format(hosts.engine() "LIBRARIES",
      hosts.engine() "NGINX"))
    assert.matches("--modules-path=" .. MODULES, said, 1, true)
    for _, file in ipairs { "nginx.conf", "customers.service" } do
      local text = helper.read(EXAMPLE .. "/" .. file)
      local n = 0
      for path in text:gmatch "load_module ([^;]*);" do
        assert.equal(MODULES, path:match "^(.*)/[^/]*$")
        n = n + 1
      end
      assert.equal(2, n)
    end
  end)

  it("is told where variables come from, if they do not come", function()
    local nginx = hosts.nginx { server = [[
      location = /x { content_by_lua_block {
        local _, err = pcall(require("avepoint").client)
        ngx.say(err.message)
      } }
    ]] }
    finally(nginx.stop)
    local said = nginx.get "/x"
    assert.matches('"env AVEPOINT_CLIENT_ID;"', said, 1, true)
    assert.matches("EnvironmentFile=", said, 1, true)
  end)

  it("lets all variables through to the workers", function()
    local text = helper.read(EXAMPLE .. "/nginx.conf")
    local names = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
      "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR" }
    for _, option in ipairs(options.client) do
      for _, name in ipairs(option.variables or { option.variable }) do
        names[#names + 1] = name
      end
    end
    assert.is_true(#names > 15)
    for _, name in ipairs(names) do
      assert.matches("\nenv " .. name .. ";\n", text, 1, true)
    end
  end)
end)
