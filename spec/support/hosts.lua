--- Other hosts of the module, for specs: a headless Neovim and an nginx with Lua, both on the
-- LuaJIT build. The nginx is the one that the simulator found or unpacked.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local hosts = {}

--- Runs a command of the shell, without a sanitizer's runtime that is loaded into this process.
-- @return its output, both streams together, and its exit code
function hosts.shell(command)
  local pipe = assert(io.popen("unset LD_PRELOAD; " .. command .. " 2>&1; echo \"exit $?\""))
  local out = pipe:read "*a"
  pipe:close()
  local text, code = out:match "^(.*)exit (%d+)\n$"
  return text, tonumber(code)
end

local shell = hosts.shell

local function lua_paths()
  return ("%s/lua/?.lua;%s/lua/?/init.lua;"):format(helper.top, helper.top),
    ("%s/build/luajit/?.so;"):format(helper.top)
end

-- What comes before a script: finish(...), and where the module is. `runtimepath` are folders, and
-- then nothing but them gives the module.
local function preamble(out, given)
  local parts = { ([[
function finish(...)
  local file = io.open(%q, "w")
  for i = 1, select("#", ...) do
    file:write(tostring((select(i, ...))), "\n")
  end
  file:close()
  vim.cmd "qa!"
end
]]):format(out) }
  for _, folder in ipairs(given.runtimepath or {}) do
    parts[#parts + 1] = ("vim.opt.runtimepath:append(%q)\n"):format(folder)
  end
  if not given.runtimepath then
    parts[#parts + 1] = ("package.path, package.cpath = %q .. package.path, %q .. package.cpath\n")
      :format(lua_paths())
  end
  return table.concat(parts)
end

--- Runs a script in a headless Neovim that ends with the script's call of finish(...), whose
-- arguments come out as lines. Gives them as a list, and the whole output. `given`: runtimepath (a
-- list of folders: nothing but them gives the module), environment (variables), before (words of
-- the command line before nvim).
function hosts.nvim(script, given)
  given = given or {}
  local path, out = helper.temporary ".lua", helper.temporary ".out"
  helper.write(path, ([[
%s
local ok, err = pcall(function()
%s
end)
if not ok then finish("failed", err) end
]]):format(preamble(out, given), script))
  local words = { "env", "XDG_CACHE_HOME=" .. helper.directory, "XDG_STATE_HOME="
    .. helper.directory, "XDG_DATA_HOME=" .. helper.directory }
  for name, value in pairs(given.environment or {}) do
    words[#words + 1] = ("%s='%s'"):format(name, value)
  end
  if given.runtimepath then
    table.insert(words, 2, "-u LUA_PATH -u LUA_CPATH")
  end
  local said = shell(("%s timeout 60 %s nvim --headless -u NONE -i NONE -n -c 'luafile %s' "
    .. "</dev/null"):format(table.concat(words, " "), given.before or "", path))
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
  lua_package_path "%s%s";
  lua_package_cpath "%s%s";
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
