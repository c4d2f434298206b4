--- A TLS server with odd ways, made on the spot: OpenSSL's own.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local tlsserver = {}
tlsserver.__index = tlsserver

--- Starts one. `options` are those of openssl s_server; `address` is 127.0.0.1 if left out. It has
-- the simulator's certificate, for localhost and 127.0.0.1.
function tlsserver.start(options, address)
  local self = setmetatable({}, tlsserver)
  local tls = helper.directory .. "/tls/server"
  self.process = assert(io.popen(("echo $$; exec openssl s_server -accept %s:0 -cert '%s.pem' -key "
    .. "'%s.key' -www %s </dev/null 2>&1"):format(address or "127.0.0.1", tls, tls, options)))
  self.pid = self.process:read "*l"
  repeat
    local line = assert(self.process:read "*l", "openssl s_server did not start")
    self.port = line:match "^ACCEPT .*:(%d+)$"
  until self.port
  return self
end

function tlsserver:stop()
  os.execute("kill " .. self.pid)
  self.process:close()
end

return tlsserver
