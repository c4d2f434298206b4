--- The raw socket server (rawserver.c) and its scenes.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local list = require "spec.support.faults.list"

local rawserver = {}

local directory, process, pid
local count = 0
local scenes = {} -- name: its files

--- A reply as a script of the server: what to do then, and the bytes.
function rawserver.script(directive, ...)
  return directive .. "\n" .. table.concat { ... }
end

--- A correct reply with that body; `headers` are lines, each with its CRLF.
function rawserver.reply(body, headers)
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
    .. ("Content-Length: %d\r\n"):format(#body) .. (headers or "") .. "\r\n" .. body
end

--- Starts the server. Its pid is kept; it ends at stop(), or with this process.
function rawserver.start()
  directory = helper.temporary "-raw"
  os.execute(("mkdir -p '%s'"):format(directory))
  helper.write(directory .. "/good.token", rawserver.script("close",
    rawserver.reply(list.good "token")))
  for page = 1, list.pages do
    helper.write(("%s/good.page-%d"):format(directory, page), rawserver.script("close",
      rawserver.reply(list.body(page))))
  end
  process = assert(io.popen(("exec '%s/build/rawserver' '%s'"):format(helper.top, directory)))
  pid, rawserver.port = process:read("*l"):match "^(%d+) (%d+)$"
  assert(rawserver.port, "the raw server did not start")
end

--- Stops the server and waits for its end.
function rawserver.stop()
  if not process then return end
  os.execute("kill " .. pid)
  process:close()
  os.execute(("rm -rf '%s'"):format(directory))
  process = nil
end

--- A client's options for it; more: others beside them.
function rawserver.options(more)
  local base = "http://127.0.0.1:" .. rawserver.port
  local options = { base_url = base, token_url = base .. "/connect/token",
    client_id = helper.client_id, client_secret = helper.client_secret }
  for name, value in pairs(more or {}) do options[name] = value end
  return options
end

--- Makes it refuse connections, or accept them again.
function rawserver.refuse(refuse)
  os.execute(("kill -%s %s"):format(refuse and "USR2" or "USR1", pid))
  assert(process:read "*l" == (refuse and "deaf" or "listening"))
end

--- A new scene for all connections from now on; `files` are scripts by name. Gives its name.
function rawserver.scene(files)
  count = count + 1
  local name = "scene-" .. count
  for file, text in pairs(files) do
    helper.write(("%s/%s.%s"):format(directory, name, file), text)
  end
  helper.write(directory .. "/current.new", name .. "\n")
  os.rename(directory .. "/current.new", directory .. "/current")
  scenes[name] = files
  return name
end

--- Takes a scene's files away: from now on all its answers are good.
function rawserver.over(name)
  for file in pairs(scenes[name]) do
    os.remove(("%s/%s.%s"):format(directory, name, file))
  end
end

--- The names of the requests of a scene, oldest first: token, page-N.
function rawserver.log(scene)
  local names = {}
  for name in (helper.read(("%s/%s.log"):format(directory, scene)) or ""):gmatch "([^\n]+)\n" do
    names[#names + 1] = name
  end
  return names
end

return rawserver
