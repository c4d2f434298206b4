--- A TLS server with odd ways, made on the spot: OpenSSL's own.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local tlsserver = {}
tlsserver.__index = tlsserver

-- `options` are those of openssl s_server, `input` is where it reads from.
local function launch(options, address, input)
  local self = setmetatable({}, tlsserver)
  local tls = helper.directory .. "/tls/server"
  self.process = assert(io.popen(("echo $$; exec openssl s_server -accept %s:0 -cert '%s.pem' -key "
    .. "'%s.key' %s <>'%s' 2>&1"):format(address, tls, tls, options, input)))
  self.pid = self.process:read "*l"
  repeat
    local line = assert(self.process:read "*l", "openssl s_server did not start")
    self.port = line:match "^ACCEPT .*:(%d+)$"
  until self.port
  return self
end

--- Starts one that answers. `options` are those of openssl s_server; `address` is 127.0.0.1 if
-- left out. Unless they name a certificate it has the simulator's, for localhost and 127.0.0.1.
function tlsserver.start(options, address)
  return launch(options .. " -www", address or "127.0.0.1", "/dev/null")
end

--- Starts one that notes what it is sent, for stop to return. To the first client that gets through
-- it says `reply`.
function tlsserver.listen(options, reply)
  local pipe = helper.temporary ".pipe"
  os.execute(("mkfifo '%s'"):format(pipe))
  local self = launch(options, "127.0.0.1", pipe)
  helper.write(pipe, reply)
  return self
end

--- Returns all that it has printed, what clients sent included.
function tlsserver:stop()
  os.execute("kill " .. self.pid)
  local text = self.process:read "*a"
  self.process:close()
  return text
end

return tlsserver
