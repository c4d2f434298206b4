-- Breaks the connection of the current request with a true TCP reset. nginx gives no descriptor
-- to Lua, so it is found by the two ports of the connection. On Linux, connecting to "nothing"
-- sends the reset at once; elsewhere a zero linger time makes the coming close() one.
-- SPDX-License-Identifier: MIT
local ffi = require "ffi"

ffi.cdef [[
  int getpeername(int fd, void *address, uint32_t *length);
  int getsockname(int fd, void *address, uint32_t *length);
  int connect(int fd, const void *address, uint32_t length);
  int setsockopt(int fd, int level, int name, const void *value, uint32_t length);
]]

local MOST_DESCRIPTORS = 65536
local ADDRESS_SIZE = 128

-- In every system's IPv4 and IPv6 addresses the port is bytes 2 and 3, high byte first.
local function port(name_of, fd)
  local address = ffi.new("uint8_t[?]", ADDRESS_SIZE)
  local length = ffi.new("uint32_t[1]", ADDRESS_SIZE)
  if name_of(fd, address, length) ~= 0 then return nil end
  return address[2] * 256 + address[3]
end

local function find_descriptor()
  local remote, here = tonumber(ngx.var.remote_port), tonumber(ngx.var.server_port)
  for fd = 3, MOST_DESCRIPTORS do
    if port(ffi.C.getpeername, fd) == remote and port(ffi.C.getsockname, fd) == here then
      return fd
    end
  end
  return nil
end

local M = {}

-- reset(): afterwards the request must end at once, without sending anything
function M.reset()
  local fd = find_descriptor()
  if not fd then
    ngx.log(ngx.ERR, "no descriptor for this connection, it is closed instead of reset")
  elseif ffi.os == "Linux" then
    ffi.C.connect(fd, ffi.new("uint8_t[?]", ADDRESS_SIZE), ADDRESS_SIZE) -- AF_UNSPEC is 0
  else
    local SOL_SOCKET, SO_LINGER = 0xffff, 0x80
    ffi.C.setsockopt(fd, SOL_SOCKET, SO_LINGER, ffi.new("int[2]", 1, 0), 8)
  end
end

return M
