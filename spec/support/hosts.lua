--- Other hosts of the module, for specs: a headless Neovim and an nginx with Lua, both on the
-- LuaJIT build. The nginx is the one that the simulator found or unpacked.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local hosts = {}

-- A sanitizer's runtime that is loaded into this process is not for the hosts.
local function shell(command)
  local pipe = assert(io.popen("unset LD_PRELOAD; " .. command .. " 2>&1; echo \"exit $?\""))
  local out = pipe:read "*a"
  pipe:close()
  local text, code = out:match "^(.*)exit (%d+)\n$"
  return text, tonumber(code)
end

local function lua_paths()
  return ("%s/lua/?.lua;%s/lua/?/init.lua"):format(helper.top, helper.top),
    ("%s/build/luajit/?.so"):format(helper.top)
end

--- Runs a script in a headless Neovim that ends with the script's call of finish(...), whose
-- arguments come out as lines. Gives them as a list, and the whole output.
function hosts.nvim(script)
  local path, out = helper.temporary ".lua", helper.temporary ".out"
  local lua_path, lua_cpath = lua_paths()
  helper.write(path, ([[
package.path = %q .. ";" .. package.path
package.cpath = %q .. ";" .. package.cpath
function finish(...)
  local file = io.open(%q, "w")
  for i = 1, select("#", ...) do
    file:write(tostring((select(i, ...))), "\n")
  end
  file:close()
  vim.cmd "qa!"
end
local ok, err = pcall(function()
%s
end)
if not ok then finish("failed", err) end
]]):format(lua_path, lua_cpath, out, script))
  local said = shell(("env XDG_CACHE_HOME=%s XDG_STATE_HOME=%s XDG_DATA_HOME=%s timeout 60 "
    .. "nvim --headless -u NONE -i NONE -n -c 'luafile %s' </dev/null"):format(helper.directory,
    helper.directory, helper.directory, path))
  local lines = {}
  for line in (helper.read(out) or "no result\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines, said
end

local function engine()
  local text = assert(helper.read(helper.top .. "/build/simulator/engine"))
  local function value(name)
    return text:match("ENGINE_" .. name .. "='(.-)'\n")
  end
  return value
end

local template = [[
%s
%s
worker_processes %d;
daemon on;
pid "%s/nginx.pid";
error_log "%s/error.log" info;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path "%s/body";
  proxy_temp_path "%s/proxy";
  fastcgi_temp_path "%s/fastcgi";
  uwsgi_temp_path "%s/uwsgi";
  scgi_temp_path "%s/scgi";
  lua_package_path "%s;%s";
  lua_package_cpath "%s;%s";
  %s
  server {
    listen unix:%s/http.sock;
    %s
  }
}
]]

--- Starts an nginx. `given`: server (directives of the server block), http (of the http block),
-- workers. Gives an object with get(path), error_log() and stop().
function hosts.nginx(given)
  local value = engine()
  local dir = helper.temporary ".nginx"
  shell("mkdir -p " .. dir)
  local lua_path, lua_cpath = lua_paths()
  local root = shell("id -u"):match "%d+" == "0" and "user root;" or ""
  helper.write(dir .. "/nginx.conf", template:format(root, value "MODULES", given.workers or 1,
    dir, dir, dir, dir, dir, dir, dir, lua_path, value "LUA_PATH", lua_cpath, value "LUA_CPATH",
    given.http or "", dir, given.server))
  local command = ("env LD_LIBRARY_PATH='%s' '%s' -p %s/ -e %s/error.log -c %s/nginx.conf"):format(
    value "LIBRARIES", value "NGINX", dir, dir, dir)
  local said = dir .. "/start.log" -- not our pipe: a daemon would keep it open
  local _, code = shell(("{ %s </dev/null >%s; }"):format(command, said .. " 2>&1"))
  assert(code == 0, helper.read(said))

  local nginx = { dir = dir }
  function nginx.get(path, options)
    return shell(("curl -sS --max-time 60 %s --unix-socket %s/http.sock 'http://host%s'"):format(
      options or "", dir, path))
  end
  --- Asks n times, so many at once; gives all answers.
  function nginx.many(path, n, at_once)
    return shell(("seq %d | xargs -P %d -I{} curl -sS --max-time 60 --unix-socket %s/http.sock "
      .. "'http://host%s'"):format(n, at_once, dir, path))
  end
  function nginx.error_log()
    return helper.read(dir .. "/error.log") or ""
  end
  function nginx.stop()
    local pid = helper.read(dir .. "/nginx.pid"):match "%d+"
    shell(("kill -TERM %s; while kill -0 %s 2>/dev/null; do sleep 0.02; done"):format(pid, pid))
  end
  return nginx
end

package.loaded["spec.hosts"] = hosts

return hosts
