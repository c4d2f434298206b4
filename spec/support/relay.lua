--- The relay between a client and the simulator (relay.c): far away, or silent.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local relay = {}
relay.__index = relay

--- Starts one. `arguments` are those of the program.
function relay.start(arguments)
  local self = setmetatable({}, relay)
  self.process = assert(io.popen(("exec '%s/build/relay' %s"):format(helper.top, arguments)))
  self.pid, self.port = self.process:read("*l"):match "^(%d+) (%d+)$"
  assert(self.port, "the relay did not start")
  return self
end

--- Lets all present connections fall silent, without closing them.
function relay:silence()
  os.execute("kill -USR1 " .. self.pid)
  assert(self.process:read "*l" == "silent")
end

function relay:stop()
  os.execute("kill " .. self.pid)
  self.process:close()
end

--- The options of a client for a scenario, through the relay; `more` overrides them.
function relay:options(id, more)
  local options = helper.options(id, more)
  for _, name in ipairs { "base_url", "token_url" } do
    options[name] = options[name]:gsub(":%d+/", ":" .. self.port .. "/", 1)
  end
  return options
end

return relay
