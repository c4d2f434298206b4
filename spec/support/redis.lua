--- A Redis server for specs, on a free port of 127.0.0.1. spec/support/deps puts its program there.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = require "spec.hosts"

local redis = {}

local PROGRAM = helper.top .. "/build/redis/redis-server"

-- Whether a server that was started on this port came up; one whose port is taken ends.
local function came_up(dir, port)
  for _ = 1, 500 do
    local log = helper.read(dir .. "/log") or ""
    if log:find("Ready to accept connections", 1, true) then
      return true
    elseif log:find("Address already in use", 1, true) then
      return false
    end
    os.execute "sleep 0.02"
  end
  error(("no Redis on port %d: %s"):format(port, helper.read(dir .. "/log") or "no log"))
end

--- Starts a server that forgets everything when it ends. `given`: password. Returns an object with
-- url, cli(words), stop() and start(), which starts it again on its port.
function redis.start(given)
  given = given or {}
  local server, dir = {}, helper.temporary ".redis"
  hosts.shell("mkdir -p " .. dir)
  local function launch()
    os.remove(dir .. "/log")
    hosts.shell(("cd %s && %s --bind 127.0.0.1 --port %d --save '' --daemonize yes --logfile log "
      .. "--pidfile %s/pid %s"):format(dir, PROGRAM, server.port, dir,
      given.password and "--requirepass " .. given.password or ""))
    return came_up(dir, server.port)
  end
  repeat
    server.port = math.random(20000, 32000)
  until launch()
  local login = given.password and (":%s@"):format(given.password) or ""
  server.url = ("redis://%s127.0.0.1:%d"):format(login, server.port)
  --- Sends a command. Returns the answer.
  function server.cli(words)
    return (hosts.shell(("redis-cli -p %d %s %s"):format(server.port,
      given.password and "--no-auth-warning -a " .. given.password or "", words)):gsub("\n$", ""))
  end
  --- Ends it without a farewell.
  function server.stop()
    local pid = (helper.read(dir .. "/pid") or ""):match "%d+"
    if pid then
      hosts.shell("kill -KILL " .. pid)
      hosts.await_end(pid)
      os.remove(dir .. "/pid")
    end
  end
  function server.start()
    assert(launch(), "the port is taken")
  end
  return server
end

return redis
