--- Rows of the fault matrix: every status that may be met instead of 200, and Retry-After.
-- SPDX-License-Identifier: MIT

local row = require "spec.support.faults.row"
local whole, fails = row.whole, row.fails

local rows = {}

local RETRIED = { [408] = true, [429] = true, [500] = true, [502] = true, [503] = true,
  [504] = true, [509] = true,
  [520] = true, [521] = true, [522] = true, [523] = true, [524] = true }
local REFUSALS = { [400] = true, [401] = true, [403] = true } -- of credentials, by their endpoint
local PAST_END = { [400] = true, [404] = true } -- what some servers say behind the last page
local KINDS = { [401] = "auth", [403] = "forbidden", [404] = "not_found", [429] = "throttled" }

-- The kind that section 2.7 of the design gives to a status.
local function kind_of(status)
  return KINDS[status] or status >= 500 and "server" or "http"
end

local function add(name, at, fault, once, spent, more)
  local new = { name = name, at = at, fault = fault, once = once, spent = spent }
  for field, value in pairs(more or {}) do new[field] = value end
  rows[#rows + 1] = new
end

local function add_status(status, headers)
  local kind, at = kind_of(status), row.ALL
  local fault = { status = status, headers = headers }
  if REFUSALS[status] then at = row.PAGES end
  if PAST_END[status] then at = row.FIRST end
  if RETRIED[status] then
    add("status " .. status, at, fault, whole(2), fails(kind, 3, { status = status }))
  else
    local outcome = fails(kind, 1, { status = status })
    add("status " .. status, at, fault, outcome, outcome)
  end
end

add("status 404", row.TOKENS, { status = 404 }, fails("not_found", 1, { status = 404 }),
  fails("not_found", 1, { status = 404 }))

local function add_statuses()
  for _, status in ipairs { 201, 202, 203, 205, 206, 207, 226 } do add_status(status) end
  for status = 300, 308 do
    add_status(status, { Location = "/partner/external/v3/general/elsewhere" })
  end
  for status = 400, 429 do
    if status ~= 401 then add_status(status) end
  end
  for _, status in ipairs { 431, 451, 500, 501, 502, 503, 504, 505, 507, 509, 511,
    519, 520, 521, 522, 523, 524, 525, 529, 599 } do
    add_status(status)
  end
end
add_statuses()

-- A refusal by the token endpoint is one of the credentials.
for _, status in ipairs { 400, 401, 403 } do
  local refused = fails("auth", 1, { status = status })
  add("status " .. status, row.TOKENS, { status = status }, refused, refused)
end
for _, word in ipairs { "invalid_client", "invalid_scope", "unauthorized_client",
  "unsupported_grant_type", "invalid_request", "temporarily_unavailable" } do
  local refused = fails("auth", 1, { status = 400, code = word })
  add("refused: " .. word, row.TOKENS, { status = 400, body = { error = word } }, refused, refused)
end

-- 401 is the token's fault: another one is fetched, unless it had not served anything yet.
local unauthorised = fails("auth", 1, { status = 401 })
add("status 401", row.FIRST, { status = 401 }, unauthorised, unauthorised)
add("status 401", row.LATER, { status = 401 }, whole(2),
  fails("auth", 2, { status = 401, attempts = 1, retryable = false }), { loose = true })

-- 204: an empty list as page 1, else a page without its rows, which is drift.
add("status 204", row.TOKENS, { status = 204 }, fails("http", 1, { status = 204 }),
  fails("http", 1, { status = 204 }))

local function add_endpoints()
  -- Where the GET is not served, `auto` reads the batch instead, of which nothing is told here.
  for _, status in ipairs { 400, 401, 403, 404, 405, 410, 501 } do
    add("status " .. status .. ", endpoint auto", row.FIRST, { status = status, on = "get" },
      whole(1, { batch = true }), whole(1, { batch = true }), { listing = { endpoint = "auto" },
      loose = true })
  end
  for _, status in ipairs { 402, 406, 418 } do
    local outcome = fails("http", 1, { status = status })
    add("status " .. status .. ", endpoint auto", row.PAGES, { status = status }, outcome, outcome,
      { listing = { endpoint = "auto" } })
  end

  -- The batch is a read, too.
  for _, status in ipairs { 403, 408, 429, 500, 502, 503, 504 } do
    local retried = RETRIED[status]
    add("status " .. status .. ", batch", status == 403 and row.PAGES or row.ALL,
      { status = status },
      retried and whole(2) or fails(kind_of(status), 1, { status = status }),
      fails(kind_of(status), retried and 3 or 1, { status = status }),
      { listing = { endpoint = "batch" } })
  end
end
add_endpoints()

-- Retry-After: at once, unreadable (then it is as if there were none), or too long.
local AT_ONCE = { "0", "0.0", "000", "0.004", "date:-60", "date:-100000000",
  "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994" }
local UNREADABLE = { "-1", "-0.5", "-99999999999999999999", "soon", "1e9", "0x10", "1,5", "1 2",
  "+1", "5 minutes", "NaN", "inf", "Wed, 99 Foo 9999 99:99:99 GMT", "1; 2",
  ("x"):rep(4000) }
local TOO_LONG = { "1", "60", "0.5", "20300101", "2147483648", "99999999999999999999",
  ("9"):rep(60), "date:+3600", "date:+100000000", "Fri, 31 Dec 9999 23:59:59 GMT" }

local function shown(value)
  return #value > 40 and value:sub(1, 8) .. "... (" .. #value .. " bytes)" or value
end

local function add_waits()
  for _, group in ipairs { AT_ONCE, UNREADABLE } do
    for i, value in ipairs(group) do
      local status = i % 2 == 0 and 429 or 503
      add(("%d, Retry-After: %s"):format(status, shown(value)), row.ALL,
        { status = status, headers = { ["Retry-After"] = value } }, whole(2),
        fails(kind_of(status), 3, { status = status }))
    end
  end
  for i, value in ipairs(TOO_LONG) do
    local status = i % 2 == 0 and 429 or 503
    local outcome = fails(kind_of(status), 1, { status = status, asked_to_wait = true })
    add(("%d, Retry-After: %s"):format(status, shown(value)), row.ALL,
      { status = status, headers = { ["Retry-After"] = value } }, outcome, outcome)
  end
end
add_waits()

return rows
