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

--- Gives a function that tells what the simulator found: NGINX, MODULES (directives), LIBRARIES,
-- LUA_PATH, LUA_CPATH.
function hosts.engine()
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
%s
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

--- The directive without which workers of root could not read this checkout, where it is needed.
function hosts.user_line()
  return shell("id -u"):match "%d+" == "0" and "user root;" or ""
end

--- Waits until a process has ended, at most 20 seconds. Gives whether it has. One that nobody has
-- reaped counts as ended: its command line is empty.
function hosts.await_end(pid)
  for _ = 1, 1000 do
    if (helper.read("/proc/" .. pid .. "/cmdline") or "") == "" then
      return true
    end
    os.execute "sleep 0.02"
  end
  return false
end

-- Starts the nginx whose configuration lies in a folder. `environment`: a text, NAME=value ...
local function launch(dir, environment)
  local value = hosts.engine()
  local command = ("env LD_LIBRARY_PATH='%s' %s '%s' -p %s/ -e %s/error.log -c %s/nginx.conf")
    :format(value "LIBRARIES", environment or "", value "NGINX", dir, dir, dir)
  local said = dir .. "/start.log" -- not our pipe: a daemon would keep it open
  local _, code = shell(("{ %s </dev/null >%s; }"):format(command, said .. " 2>&1"))
  assert(code == 0, helper.read(said))

  local nginx = { dir = dir }
  local function url(path)
    return ("--unix-socket %s/http.sock 'http://host%s'"):format(dir, path)
  end
  function nginx.get(path, options)
    return shell(("curl -sS --max-time 60 %s %s"):format(options or "", url(path)))
  end
  --- Asks in the background; the answer is read from what this gives, a pipe.
  function nginx.begin(path, options)
    return assert(io.popen(("unset LD_PRELOAD; exec curl -sS --max-time 60 %s %s 2>&1"):format(
      options or "", url(path))))
  end
  --- Asks n times, so many at once; gives all answers.
  function nginx.many(path, n, at_once, options)
    return shell(("seq %d | xargs -P %d -I{} curl -sS --max-time 60 %s %s"):format(n, at_once,
      options or "", url(path)))
  end
  function nginx.error_log()
    return helper.read(dir .. "/error.log") or ""
  end
  --- The process id of the master, and a list of those of its workers.
  function nginx.pids()
    local master, workers = helper.read(dir .. "/nginx.pid"):match "%d+", {}
    local children = helper.read(("/proc/%s/task/%s/children"):format(master, master))
    for pid in children:gmatch "%d+" do
      workers[#workers + 1] = pid
    end
    return master, workers
  end
  --- Tells the master.
  function nginx.signal(name)
    shell(("kill -%s %s"):format(name, (nginx.pids())))
  end
  -- Ends it, if it still runs, and waits for that.
  local function stop(signal)
    if helper.read(dir .. "/nginx.pid") then
      local pid = nginx.pids()
      nginx.signal(signal)
      hosts.await_end(pid)
    end
  end
  function nginx.stop()
    stop "TERM"
  end
  --- Ends it as `nginx -s quit` does: what goes on is finished first.
  function nginx.quit()
    stop "QUIT"
  end
  return nginx
end

--- Starts an nginx. `given`: server (directives of the server block), http (of the http block),
-- main (outside of it), workers, environment (a text, NAME=value ...). Gives an object with
-- get(path), begin(path), many(path, n, at_once), error_log(), pids(), signal(name),
-- stop() and quit().
function hosts.nginx(given)
  local value = hosts.engine()
  local dir = helper.temporary ".nginx"
  shell("mkdir -p " .. dir)
  local lua_path, lua_cpath = lua_paths()
  helper.write(dir .. "/nginx.conf", template:format(hosts.user_line(), value "MODULES",
    given.workers or 1, dir, dir, given.main or "", dir, dir, dir, dir, dir, lua_path,
    value "LUA_PATH", lua_cpath, value "LUA_CPATH", given.http or "", dir, given.server))
  return launch(dir, given.environment)
end

-- The text with the first `old` replaced, which must be there.
local function replaced(text, old, new)
  local from, to = text:find(old, 1, true)
  assert(from, "examples/openresty/nginx.conf has no " .. old)
  return text:sub(1, from - 1) .. new .. text:sub(to + 1)
end

--- Starts examples/openresty with its own nginx.conf, in a folder of this run. `given`: id (of the
-- scenario), workers, settings (of the service, a Lua table's text), size (of the copy's
-- dictionary), http, server (directives), environment (a table of more variables). Gives what
-- hosts.nginx gives.
function hosts.service(given)
  local value = hosts.engine()
  local dir = helper.temporary ".service"
  local example = helper.top .. "/examples/openresty"
  shell(("mkdir -p %s/logs && ln -s %s/lua %s/dashboard.html %s"):format(dir, example, example,
    dir))
  local lua_path, lua_cpath = lua_paths()
  local text = helper.read(example .. "/nginx.conf")
  text = replaced(text, "processes auto;", ("processes %d;"):format(given.workers or 1))
  text = replaced(text, "logs/error.log warn;", dir .. "/error.log info;")
  text = replaced(text, "pid logs/", "pid ")
  text = replaced(text, "\nhttp {", "\nhttp { " .. (given.http or ""))
  text = replaced(text, '/lua/?.lua;;"', ('/lua/?.lua;%s%s/build/redis/?.lua;%s"'):format(lua_path,
    helper.top, value "LUA_PATH"))
  text = replaced(text, '_cpath ";;"', ('_cpath "%s%s"'):format(lua_cpath, value "LUA_CPATH"))
  text = replaced(text, "{ interval = 300 }", given.settings or "{ interval = 300 }")
  text = replaced(text, "customers 16m;", ("customers %s;"):format(given.size or "16m"))
  text = replaced(text, "127.0.0.1:8080;", ("unix:%s/http.sock; %s"):format(dir,
    given.server or ""))
  helper.write(dir .. "/nginx.conf", hosts.user_line() .. value "MODULES" .. text)
  local words = {}
  for name, of in pairs(helper.environment(given.id, given.environment)) do
    words[#words + 1] = ("%s='%s'"):format(name, of)
  end
  return launch(dir, table.concat(words, " "))
end

package.loaded["spec.hosts"] = hosts

return hosts
