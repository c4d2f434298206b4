--- Rows of the fault matrix that take a raw socket: what nginx would never say. One request a
-- connection, so that each fault meets a connection of its own.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local list = require "spec.support.faults.list"
local rawserver = require "spec.support.faults.rawserver"
local row = require "spec.support.faults.row"
local whole, fails = row.whole, row.fails
local script, reply = rawserver.script, rawserver.reply

local rows = {}

local FINE = whole(1)
local NETWORK = { whole(2), fails("network", 3) }
local CUT = { whole(2), fails("protocol", 3) }
local TIMEOUT = { whole(2), fails("timeout", 2, { code = 28 }) }
-- Silence takes real time.
local SILENCE = { client = row.SILENCE, loose = true, at = { "token", "middle" } }
local JSON = "Content-Type: application/json\r\n"
local OK = "HTTP/1.1 200 OK\r\n" .. JSON

local function always(outcome) return { outcome, outcome } end

local WRONG = always(fails("protocol", 1))
local LIMIT = always(fails("limit", 1))

local function add(name, outcomes, raw, more)
  local new = { name = name, at = row.ALL, server = "raw", raw = raw, once = outcomes[1],
    spent = outcomes[2] }
  for field, value in pairs(more or {}) do new[field] = value end
  rows[#rows + 1] = new
end

-- A row that says something made of the good body.
local function say(name, outcomes, directive, make, more)
  add(name, outcomes, function(place) return script(directive, make(list.good(place))) end, more)
end

local function half(text) return text:sub(1, math.floor(#text / 2)) end

local function head(text) return function(good)
  return text .. ("Content-Length: %d\r\n\r\n"):format(#good) .. good
end end

-- Connections.
add("connection closed at once", NETWORK, script "close", { connection = true, uncounted = true })
add("connection reset at once", NETWORK, script "reset", { connection = true, uncounted = true })
add("closed without an answer", NETWORK, script "close")
add("reset without an answer", NETWORK, script "reset")
add("closed in the status line", NETWORK, script("close", "HTTP/1.1 2"))
say("reset in the headers", NETWORK, "reset", function() return OK end)
say("closed in the headers, so without a body", WRONG, "close", function() return OK end)
say("silence in the headers", TIMEOUT, "hang", function() return OK end, SILENCE)
say("reset in mid-body", NETWORK, "reset", function(good)
  return OK .. "Content-Length: 5000\r\n\r\n" .. good
end)
say("the head drips over the timeout", TIMEOUT, "drip 20 close", head(OK), SILENCE)
say("the head drips under the timeout", always(FINE), "drip 1 close", function(good)
  return ("HTTP/1.1 200 OK\r\nContent-Length:%d\r\n\r\n%s"):format(#good, good)
end, { client = { timeout = 20 }, at = { "token", "middle" } })
add("the answer before the request", always(FINE), function(place)
  return script("hang", reply(list.good(place)))
end, { connection = true, uncounted = true, spent = false,
  at = { "token", "first", "middle", "last" } })
say("two answers to one request", always(FINE), "close", function(good)
  return reply(good) .. reply(good)
end)
say("garbage behind the answer", always(FINE), "close", function(good)
  return reply(good) .. ("\0garbage"):rep(1000)
end)

-- Refused connections: nobody listens, from a moment on.
local function reply_and_refuse(body)
  return script("deaf", reply(body))
end

local REFUSED = {
  token = function() return {} end,
  renewal = function()
    return { ["page-3.1"] = script("deaf", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n"
      .. "Connection: close\r\n\r\n") }
  end,
  first = function() return { ["token.1"] = reply_and_refuse(list.token_body()) } end,
  middle = function() return { ["page-2.1"] = reply_and_refuse(list.body(2)) } end,
  last = function() return { ["page-4.1"] = reply_and_refuse(list.body(4)) } end,
}

local function refused(name, once, spent, more)
  more.files = function(place) return REFUSED[place]() end
  more.prepare = function(place)
    if place == "token" then rawserver.refuse(true) end
  end
  more.recover = function() rawserver.refuse(false) end
  more.uncounted, more.loose, more.connection = true, true, true
  add(name, { once, spent }, nil, more)
end
refused("refused connections", nil, fails("network", 3, { code = 7 }), {})
refused("a refused connection", whole(2), nil, { on_event = function(event)
  if event.event == "retry" then rawserver.refuse(false) end
end })

-- TLS that is none. There is no going on: the server does not learn it.
local function handshake(name, kind, tries, script_text, client)
  add("TLS: " .. name, { nil, fails(kind, tries, { endless = true }) }, script_text, {
    at = { "token", "first" }, connection = true, uncounted = true, client = client,
    urls = function(base, place)
      local tls = base:gsub("^http:", "https:")
      if place == "token" then return { token_url = tls .. "/connect/token" } end
      return { base_url = tls }
    end })
end
handshake("garbage", "tls", 1, script("close", ("garbage "):rep(20)))
handshake("an HTTP answer", "tls", 1, script("close", reply "{}"))
handshake("an alert", "tls", 1, script("close", "\21\3\3\0\2\2\40"))
handshake("an alert of its own trouble", "network", 3, script("close", "\21\3\3\0\2\2\80"))
handshake("closed in the handshake", "network", 3, script "close")
handshake("reset in the handshake", "network", 3, script "reset")
handshake("silence in the handshake", "timeout", 2, script "hang", row.SILENCE)
for name, more in pairs {
  ["a certificate nobody vouches for"] = { port = "untrusted" },
  ["plain HTTP"] = { urls = function()
    local url = "https://localhost:" .. helper.ports.http
    return { base_url = url, token_url = url .. "/connect/token" }
  end },
} do
  more.at, more.server, more.uncounted = { "token" }, "simulator", true
  more.fault = { kind = "html" }
  add("TLS: " .. name, { nil, fails("tls", 1, { endless = true }) }, nil, more)
end
add("a name that nobody knows", { nil, fails("network", 2, { endless = true, code = 6 }) }, nil, {
  at = { "token" }, uncounted = true, client = { max_attempts = 2 }, urls = {
    base_url = "https://nowhere.invalid", token_url = "https://nowhere.invalid/connect/token" } })

-- Status lines.
for _, text in ipairs { "garbage", "\0\1\2\3", "HTTP/1.1", "HTTP/1.1 abc OK", "HTTP/9.9 200 OK",
  "ICY 200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2x0 OK",
  "HTTP/1.1 -200 OK", "HTTP/1.1 000 OK", " HTTP/1.1 200 OK",
  "SSH-2.0-OpenSSH_9.2", "220 mail ESMTP", "+OK ready", "{}" } do
  say("status line: " .. text:gsub("%c", "?"), WRONG, "close", head(text .. "\r\n" .. JSON))
end
say("no head, JSON at once (HTTP/0.9)", WRONG, "close", function(good) return good end)
say("HTTP/1.0", always(FINE), "close", head("HTTP/1.0 200 OK\r\n" .. JSON))
say("HTTP/2 on HTTP/1.1", always(FINE), "close", head("HTTP/2 200\r\n" .. JSON))
say("http/1.1 in lower case", always(FINE), "close", head("http/1.1 200 OK\r\n" .. JSON))
say("status 999", always(fails("http", 1, { status = 999 })), "close",
  head("HTTP/1.1 999 Odd\r\n" .. JSON))
say("no reason behind the status", always(FINE), "close", head("HTTP/1.1 200\r\n" .. JSON))
say("a status line without an end", LIMIT, "repeat 1000", function()
  return "HTTP/1.1 200 " .. ("a"):rep(1000)
end)

-- Interim answers.
for _, status in ipairs { 100, 102, 103, 199 } do
  say(status .. " before the answer", always(FINE), "close", function(good)
    return ("HTTP/1.1 %d Interim\r\nRetry-After: 5\r\n\r\n"):format(status):rep(3) .. reply(good)
  end)
end
say("100 without an end", LIMIT, "repeat 2500", function()
  return ("HTTP/1.1 100 Continue\r\n\r\n"):rep(100)
end)
say("100 and nothing more", NETWORK, "close", function()
  return "HTTP/1.1 100 Continue\r\n\r\n"
end)
say("100 and silence", TIMEOUT, "hang", function() return "HTTP/1.1 100 Continue\r\n\r\n" end,
  SILENCE)
say("101, another protocol", NETWORK, "close", function()
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
end)

-- Headers.
local function header(name, outcomes, text, more)
  say("header: " .. name, outcomes, "close", function(good) return reply(good, text) end, more)
end
header("no colon", WRONG, "this is no header\r\n")
header("no name", always(FINE), ": value\r\n")
header("a NUL", WRONG, "X-Nul: a\0b\r\n")
header("bytes that are no ASCII", always(FINE), "X-\255: \254\253\r\n")
header("bare LF", always(FINE), "X-One: 1\nX-Two: 2\n")
header("folded", always(FINE), "X-Folded: 1\r\n  2\r\n\t3\r\n")
say("header: a folded first", always(fails("protocol", 1, { or_whole = true })), "close",
  head("HTTP/1.1 200 OK\r\n X-First: 1\r\n" .. JSON))
header("60 KB of them", always(FINE), ("X-Filler: " .. ("a"):rep(90) .. "\r\n"):rep(600))
header("70 KB of them", LIMIT, ("X-Filler: " .. ("a"):rep(90) .. "\r\n"):rep(700))
header("one of 60 KB", always(FINE), "X-Long: " .. ("a"):rep(60000) .. "\r\n")
header("one of 70 KB", LIMIT, "X-Long: " .. ("a"):rep(70000) .. "\r\n")
header("one of 200 KB", LIMIT, "X-Long: " .. ("a"):rep(200000) .. "\r\n")
header("Retry-After with 200", always(FINE), "Retry-After: 3600\r\n")
header("Location with 200", always(FINE), "Location: http://127.0.0.1:1/\r\n")
header("another Content-Type", always(FINE), "Content-Type: text/html; charset=utf-16\r\n")
say("one without an end", LIMIT, "repeat 1000", function()
  return OK .. "X-Long: " .. ("a"):rep(1000)
end)
say("headers without an end, short", LIMIT, "repeat 600", function()
  return OK .. ("X: y\r\n"):rep(100)
end)
say("folded lines without an end", LIMIT, "repeat 400", function()
  return OK .. "X: y\r\n" .. (" z\r\n"):rep(100)
end)

-- Lengths.
for _, length in ipairs { "-1", "-99999999999999999999", "abc", "", "0x20", "1e3", "1 2",
  "+" } do
  say("Content-Length: " .. length, WRONG, "close", function(good)
    return OK .. ("Content-Length: %s\r\n\r\n%s"):format(length, good)
  end)
end
say("Content-Length: 99999999999999999999", always(FINE), "close", function(good)
  return OK .. "Content-Length: 99999999999999999999\r\n\r\n" .. good
end)
-- Newer versions of libcurl take no two that differ, older ones the last.
say("two Content-Lengths, the longer last", {
  fails("protocol", 1, { or_whole = true }),
  fails("protocol", 1, { attempts = "any", retryable = "any" }),
}, "close", function(good)
  return OK .. ("Content-Length: %d\r\nContent-Length: %d\r\n\r\n%s"):format(#good, #good + 9, good)
end, { loose = true, uncounted = true })
say("two Content-Lengths, the shorter last", WRONG, "close", function(good)
  return OK .. ("Content-Length: %d\r\nContent-Length: %d\r\n\r\n%s"):format(#good, #good - 9, good)
end)
say("Content-Length too long, closed", CUT, "close", function(good)
  return OK .. ("Content-Length: %d\r\n\r\n%s"):format(#good + 1, good)
end)
say("Content-Length too long, silence", TIMEOUT, "hang", function(good)
  return OK .. ("Content-Length: %d\r\n\r\n%s"):format(#good + 1, good)
end, SILENCE)
say("Content-Length too short", WRONG, "close", function(good)
  return OK .. ("Content-Length: %d\r\n\r\n%s"):format(#good - 1, good)
end)
say("Content-Length: 0 before a body", WRONG, "close", function(good)
  return OK .. "Content-Length: 0\r\n\r\n" .. good
end)
say("no length, closed at the end", always(FINE), "close", function(good)
  return OK .. "\r\n" .. good
end)
say("no length, closed in the middle", WRONG, "close", function(good)
  return OK .. "\r\n" .. half(good)
end)
say("no length, reset in the middle", NETWORK, "reset", function(good)
  return OK .. "\r\n" .. half(good)
end)
say("a body without an end", LIMIT, "repeat 1000", function()
  return OK .. "\r\n" .. (" "):rep(1000)
end, { client = { max_body = 100000 } })

-- Chunks.
local CHUNKED = OK .. "Transfer-Encoding: chunked\r\n\r\n"
local function chunk(text) return ("%x\r\n%s\r\n"):format(#text, text) end
local function chunks(name, outcomes, directive, make, more)
  say("chunked: " .. name, outcomes, directive, function(good) return CHUNKED .. make(good) end,
    more)
end
chunks("one byte each", always(FINE), "close", function(good)
  return good:gsub(".", chunk) .. "0\r\n\r\n"
end)
chunks("no last chunk, closed", CUT, "close", chunk)
chunks("no last chunk, reset", NETWORK, "reset", chunk)
chunks("no last chunk, silence", TIMEOUT, "hang", chunk, SILENCE)
chunks("closed in a chunk", CUT, "close", function(good) return ("%x\r\n%s"):format(#good + 9, good)
end)
chunks("bare LF", always(FINE), "close", function(good)
  return ("%x\n%s\n0\n\n"):format(#good, good)
end)
chunks("an extension and a trailer", always(FINE), "close", function(good)
  return ("%x;a=b\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n"):format(#good, good)
end)
for _, size in ipairs { "zz", "", "-5", "fffffffffffffffffff", " " } do
  chunks("size '" .. size .. "'", NETWORK, "close", function(good)
    return size .. "\r\n" .. good
  end)
end
chunks("no line end behind a chunk", NETWORK, "close", function(good)
  return ("%x\r\n%s0\r\n\r\n"):format(#good, good)
end)
chunks("a size without an end", NETWORK, "repeat 1", function() return "0" end)
chunks("chunks without an end", LIMIT, "repeat 1500", function()
  return chunk((" "):rep(10)):rep(100)
end, { client = { max_body = 100000 } })
chunks("trailers without an end", LIMIT, "repeat 600", function(good)
  return chunk(good) .. "0\r\n" .. ("X: y\r\n"):rep(100)
end)
chunks("with a Content-Length as well", always(FINE), "close", function(good)
  return chunk(good) .. "0\r\n\r\n"
end)
say("an unknown Transfer-Encoding", CUT, "close", function(good)
  return OK .. ("Transfer-Encoding: x-none\r\nContent-Length: %d\r\n\r\n%s"):format(#good, good)
end)

-- Compression.
say("gzip cut after its head", CUT, "close", function()
  return reply("\31\139\8\0\0\0\0\0\0\3", "Content-Encoding: gzip\r\n")
end)
say("gzip of nothing but its first byte", CUT, "close", function()
  return reply("\31", "Content-Encoding: gzip\r\n")
end)
say("gzip twice over", CUT, "close", function(good)
  return reply(good, "Content-Encoding: gzip, gzip\r\n")
end)
say("gzip twenty times over", CUT, "close", function(good)
  return reply(good, "Content-Encoding: " .. ("gzip, "):rep(20) .. "gzip\r\n")
end)

-- Statuses without a body that have one.
for _, status in ipairs { 304, 205 } do
  say(status .. " with a body", always(fails("http", 1, { status = status })), "close",
    function(good)
      return ("HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s"):format(status, #good, good)
    end)
end

-- Retry-After in odd forms, with 503.
for name, text in pairs {
  ["twice, 0 and 3600"] = "Retry-After: 3600\r\nRetry-After: 0\r\n",
  ["of 10 KB"] = "Retry-After: " .. ("9"):rep(10000) .. "\r\n",
  ["folded"] = "Retry-After:\r\n 0\r\n",
  ["of bytes that are no ASCII"] = "Retry-After: \255\254\r\n",
  ["without a value"] = "Retry-After:\r\n",
  ["in lower case"] = "retry-after: 0\r\n",
  ["past, by the reply's own Date"] = "Date: Fri, 01 Jan 2100 00:00:00 GMT\r\n"
    .. "Retry-After: Thu, 31 Dec 2099 23:59:59 GMT\r\n",
  ["of 1970 beside a Date that is none"] = "Date: nonsense\r\n"
    .. "Retry-After: Thu, 01 Jan 1970 00:00:00 GMT\r\n",
} do
  add("503, Retry-After " .. name, { whole(2), fails("server", 3, { status = 503 }) },
    script("close", "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n", text, "\r\n"))
end
table.sort(rows, function(a, b) return a.name < b.name end)

return rows
