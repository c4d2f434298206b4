-- Sends an answer: as usual, or the way a fault wants the connection to behave. Everything goes
-- through nginx's own output, HTTP/2 included, but what nginx would never say (a header without
-- an end, an interim answer): that takes the raw socket and so HTTP/1.1.
-- SPDX-License-Identifier: MIT
local reply = require "reply"
local socket = require "socket_reset"

local CLOSE_SILENTLY = 444
-- Time for what was sent to reach the client before the connection is destroyed.
local GRACE = 0.02

local function set_head(answer, length)
  ngx.status = answer.status
  ngx.header["request-id"] = reply.request_id()
  for name, value in pairs(answer.headers) do ngx.header[name] = value end
  ngx.header.content_type = answer.body and answer.type or nil
  ngx.header.content_length = length
end

-- Without this header nginx does not compress; what is sent is then exactly the body.
local function forbid_compression()
  ngx.req.clear_header("Accept-Encoding")
end

local function send_whole(answer)
  if answer.plain then forbid_compression() end
  local body = answer.body
  local bare = answer.status == 204 or answer.status == 304
  set_head(answer, not bare and (body and #body or 0) or nil)
  if body and not bare then
    ngx.print(body)
  else
    ngx.send_headers()
  end
end

-- Sends the head and the first half, and returns the rest.
local function send_half(answer)
  local body = answer.body or ""
  local half = math.floor(#body / 2)
  forbid_compression()
  set_head(answer, #body)
  ngx.print(body:sub(1, half))
  ngx.flush(true)
  return body:sub(half + 1)
end

local function break_off()
  ngx.sleep(GRACE)
  ngx.exit(ngx.ERROR)
end

local M = {}

function M.stall(answer, fault)
  local rest = send_half(answer)
  ngx.sleep(fault.seconds or 60)
  ngx.print(rest)
end

function M.drip(answer, fault)
  local body = answer.body or ""
  forbid_compression()
  set_head(answer, #body)
  for i = 1, #body do
    if not ngx.print(body:sub(i, i)) or not ngx.flush(true) then return end
    ngx.sleep(fault.interval or 1)
  end
end

function M.wait(answer, fault)
  ngx.sleep(fault.seconds or 60)
  send_whole(answer)
end

function M.short_body(answer)
  send_half(answer)
  break_off()
end

function M.no_end_chunk(answer)
  forbid_compression()
  set_head(answer, nil)
  ngx.print(answer.body)
  ngx.flush(true)
  break_off()
end

function M.reset()
  socket.reset()
  ngx.exit(CLOSE_SILENTLY)
end

function M.reset_body(answer)
  send_half(answer)
  ngx.sleep(GRACE)
  socket.reset()
  ngx.exit(ngx.ERROR)
end

-- The raw socket of the client, or nil on HTTP/2, where there is none.
local function raw_socket()
  local sock = ngx.req.http_version() < 2 and ngx.req.socket(true)
  if sock then sock:settimeout(10000) end
  return sock or nil
end

function M.endless_headers(answer)
  local sock = raw_socket()
  local line = "x-filler: " .. ("a"):rep(1000) .. "\r\n"
  if not sock then
    -- HTTP/2 headers have an end, but a megabyte of them is too much as well.
    for n = 1, 1000 do answer.headers["x-filler-" .. n] = ("a"):rep(1000) end
    return send_whole(answer)
  end
  local block = line:rep(64)
  local sent = sock:send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
  while sent do
    sent = sock:send(block)
    ngx.sleep(0.001) -- a client that reads as fast must not keep the worker to itself
  end
end

function M.informational(answer)
  local sock = raw_socket()
  if not sock then return send_whole(answer) end
  sock:send("HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n")
  ngx.sleep(GRACE)
  sock:send(("HTTP/1.1 200 OK\r\ncontent-type: %s\r\nrequest-id: %s\r\ncontent-length: %d\r\n"
    .. "connection: close\r\n\r\n%s"):format(answer.type, reply.request_id(), #answer.body,
    answer.body))
end

-- deliver(answer, fault or nil)
local function deliver(answer, fault)
  local conduct = fault and M[fault.kind] or send_whole
  return conduct(answer, fault)
end

return { kinds = M, deliver = deliver }
