--- Rows of the fault matrix: connections that break or stall in the middle, on HTTP/2, on HTTP/1.1
-- with TLS, and on plain HTTP/1.1.
-- SPDX-License-Identifier: MIT

local row = require "spec.support.faults.row"
local whole, fails = row.whole, row.fails

local rows = {}

local PORTS = { { "https", "HTTP/2" }, { "http1", "TLS" }, { "http", "plain" } }

local function add(name, at, fault, once, spent, more)
  local new = { name = name, at = at, fault = fault, once = once, spent = spent }
  for field, value in pairs(more or {}) do new[field] = value end
  rows[#rows + 1] = new
end

-- A connection that breaks takes other pages with it on HTTP/2 (so that one which is reset for ever
-- is tried with one page in flight), and libcurl itself sends a request again that died on a
-- connection used before: how often a page is asked for is not told.
local function add_resets(port, once, spent, more)
  more.port, more.loose, more.uncounted, more.client = port[1], true, true, { max_attempts = 2 }
  add("reset, " .. port[2], row.ALL, { kind = "reset" }, once, spent, more)
  add("reset in mid-body, " .. port[2], row.ALL, { kind = "reset_body" }, once, spent, more)
end
add_resets(PORTS[1], whole(), nil, {})
add_resets({ "https", "HTTP/2, one page in flight" }, whole(), fails("network", 2),
  { listing = { concurrency = 1 } })
add_resets(PORTS[2], whole(), fails("network", 2), {})
add_resets(PORTS[3], whole(), fails("network", 2), {})
for _, port in ipairs(PORTS) do
  local more = { port = port[1], loose = true, client = { max_attempts = 2 } }
  add("short body, longer Content-Length, " .. port[2], row.ALL, { kind = "short_body" }, whole(),
    fails("protocol", 2), more)
  add("chunked without an end, " .. port[2], row.ALL, { kind = "no_end_chunk" }, whole(),
    fails("protocol", 2), more)
end

-- Silence. Time is real here, so only one place is tried on the other ports.
for _, port in ipairs(PORTS) do
  local more = { port = port[1], client = row.SILENCE, loose = true }
  local at = port[1] == "http" and row.ALL or { "middle" }
  add("no answer, " .. port[2], at, { kind = "wait", seconds = 5 }, whole(2),
    fails("timeout", 2, { code = 28 }), more)
  add("stalled body, " .. port[2], at, { kind = "stall", seconds = 5 }, whole(2),
    fails("timeout", 2, { code = 28 }), more)
  add("drip over the timeout, " .. port[2], at, { kind = "drip", interval = 0.02 }, whole(2),
    fails("timeout", 2, { code = 28 }), more)
end
add("late answer", row.ALL, { kind = "wait", seconds = 0.05 }, whole(1), whole(1), { port = "https",
  endless = true })
add("drip under the timeout", row.ALL, { kind = "drip", interval = 0.0001 }, whole(1), whole(1),
  { endless = true, client = { timeout = 20 } })

for _, port in ipairs { PORTS[2], PORTS[3] } do
  add("103 before the answer, " .. port[2], row.ALL, { kind = "informational" }, whole(1), whole(1),
    { port = port[1], endless = true })
  add("headers without an end, " .. port[2], row.ALL, { kind = "endless_headers" },
    fails("limit", 1), fails("limit", 1), { port = port[1] })
end
-- On HTTP/2 the reply is ended by our limit, or the connection by libcurl's or nghttp2's: then the
-- request is tried again, since it may have been a neighbour's fault.
add("a megabyte of headers, HTTP/2", row.ALL, { kind = "endless_headers" },
  fails("limit", 1, { or_whole = true, attempts = "any", retryable = false }),
  fails("limit", 1, { attempts = "any", retryable = false }),
  { port = "https", loose = true, uncounted = true, listing = { concurrency = 1 } })

return rows
