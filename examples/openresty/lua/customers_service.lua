--- Serves the customers of an AvePoint partner from a copy that all workers share.
--
-- A timer in each worker looks whether the copy is due; whoever takes the lock lists the customers
-- and replaces it. Requests never wait for AvePoint. While listing fails, the last copy is served
-- and called stale. A worker that dies leaves a lock that ends by itself: another takes over.
--
-- nginx.conf calls configure, start, and one function a location; see there.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local cjson = require "cjson"
local Copy = require "customers_copy"

local service = {}

local settings = {
  interval = 300, -- seconds from one listing to the next, a tenth of it more or less
  retry = 30, -- seconds after a listing that failed, unless the service asks for more
  lock = 120, -- seconds: the longest a listing may take, and until another takes over
  look = 1, -- seconds between two looks of a worker
  copy = "customers", -- names of the lua_shared_dict
  tokens = "tokens",
  client = {}, -- options of avepoint.client; credentials come from the environment
}

local copy, shared -- the list, and the dictionary for what is said beside it
local client -- of this worker, once it has to list
local busy = false -- this worker is listing

--- Called in init_by_lua. `given` overrides the settings above.
function service.configure(given)
  for name, value in pairs(given or {}) do
    if settings[name] == nil then
      error("customers_service: unknown setting " .. name, 2)
    end
    settings[name] = value
  end
  copy = Copy.open(settings.copy)
  shared = copy.dictionary
end

-- refreshing --------------------------------------------------------------------------------------

local function new_client()
  local options = { token_store = settings.tokens }
  for name, value in pairs(settings.client) do
    options[name] = value
  end
  return avepoint.client(options)
end

local function encode(customer)
  local tenants = customer.tenants
  if type(tenants) ~= "table" or next(tenants) ~= nil then
    return cjson.encode(customer)
  end
  customer.tenants = nil -- many a cjson takes an empty table for an object
  return cjson.encode(customer):sub(1, -2) .. ',"tenants":[]}'
end

-- Lists all customers: pieces for the copy, and what is to be known of them.
local function list()
  client = client or new_client()
  local listing = client:customers { deadline = settings.lock * 0.8 }
  local pieces, counts, total = {}, {}, 0
  for page in listing:pages() do
    local rows = {}
    for i, customer in ipairs(page) do
      local status = customer.jobStatus or "unknown"
      counts[status] = (counts[status] or 0) + 1
      rows[i] = encode(customer)
    end
    total = total + #rows
    pieces[#pieces + 1] = #rows > 0 and table.concat(rows, "\n") or nil
  end
  return pieces, { fetched_at = ngx.now(), total = total, counts = counts }
end

-- Servers that were started together need not ask together.
local function jittered(seconds)
  local chance = ngx.crc32_short(("%d %f"):format(ngx.worker.pid(), ngx.now())) / 2 ^ 32
  return seconds * (0.9 + 0.2 * chance)
end

-- Notes that a listing failed, and when the next may begin. Gives the message.
local function failed(err)
  local known = avepoint.is_error(err)
  local message = known and err.message or tostring(err)
  shared:set("error", message)
  local wait = math.max(settings.retry, known and err.retry_after or 0)
  shared:set("next", ngx.now() + jittered(math.min(wait, settings.interval)))
  return message
end

local function refresh(owner)
  local ok, pieces, about = pcall(list)
  if shared:get "lock" ~= owner then
    return -- it took too long, and another has begun
  end
  if not ok and avepoint.is_error(pieces) and pieces.kind == "closed" then
    client = nil -- nginx told this worker to leave: the next one begins at once
    return
  end
  if ok then
    ok, pieces = copy:put(pieces, about)
  end
  if ok then
    shared:delete "error"
    shared:set("next", ngx.now() + jittered(settings.interval))
  else
    ngx.log(ngx.WARN, "the list of customers is not renewed: ", failed(pieces))
  end
end

-- Refreshes where that is due and nobody else is at it.
local function look(premature)
  if premature or busy or ngx.now() < (shared:get "next" or 0) then
    return
  end
  local owner = ("%d %f"):format(ngx.worker.pid(), ngx.now())
  if not shared:add("lock", owner, settings.lock) then
    return
  end
  if ngx.now() >= (shared:get "next" or 0) then -- else another has just done it
    busy = true
    local ok, err = pcall(refresh, owner)
    busy = false
    if not ok then
      ngx.log(ngx.ERR, err)
    end
  end
  if shared:get "lock" == owner then
    shared:delete "lock"
  end
end

--- Called in init_worker_by_lua.
function service.start()
  assert(ngx.timer.at(0, look))
  assert(ngx.timer.every(settings.look, look))
end

-- serving -----------------------------------------------------------------------------------------

local function head(about)
  local age = math.max(0, ngx.now() - about.fetched_at)
  local problem = shared:get "error"
  return ('{"age":%.1f,"fetched_at":%.3f,"stale":%s,"error":%s,"total":%d'):format(age,
    about.fetched_at, tostring(problem ~= nil or age > 2 * settings.interval),
    problem and cjson.encode(problem) or "null", about.total)
end

local function json(...)
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Cache-Control"] = "no-store"
  ngx.print(...)
end

local function refuse(status, message)
  ngx.status = status
  json(('{"error":%s}\n'):format(cjson.encode(message)))
end

-- Before there is a list.
local function not_yet()
  local wait = math.ceil((shared:get "next" or 0) - ngx.now())
  ngx.header["Retry-After"] = math.max(1, wait)
  refuse(503, shared:get "error" or "the first list of customers is on its way")
end

-- What the query asks for: a set of status names in lower case or nil, and a text or nil. A status
-- that nobody knows is refused: a typo must not look like "none failed".
local function read_query(about)
  local args = ngx.req.get_uri_args(20)
  local known = {}
  for name, code in pairs(avepoint.job_status) do
    known[tostring(name):lower()] = type(name) == "number" and code:lower() or name:lower()
  end
  for name in pairs(about.counts) do
    known[name:lower()] = name:lower()
  end
  local asked = args.status
  local wanted = asked and {}
  for _, name in ipairs(type(asked) == "table" and asked or { asked }) do
    local one = known[tostring(name):lower()]
    if not one then
      return nil, nil, "no such status: " .. tostring(name)
    end
    wanted[one] = true
  end
  local search = args.search
  search = type(search) == "string" and search ~= "" and search:lower() or nil
  return wanted, search
end

local function print_matching(wanted, search)
  local about, rows = copy:decoded()
  if not about then
    return not_yet()
  end
  local found = {}
  for _, row in ipairs(rows) do
    local status = (row.customer.jobStatus or "unknown"):lower()
    if (not wanted or wanted[status]) and (not search or row.words:find(search, 1, true)) then
      found[#found + 1] = row.text
    end
  end
  json(head(about), ',"customers":[', table.concat(found, ","), "]}\n")
end

--- GET /customers: all of the copy, or what ?status= (a name or a code, may be repeated) and
-- ?search= (in every text of a customer) select.
function service.customers()
  local about, pieces = copy:newest()
  if not about then
    return not_yet()
  end
  local wanted, search, problem = read_query(about)
  if problem then
    return refuse(400, problem)
  elseif wanted or search then
    return print_matching(wanted, search)
  end
  local body = { head(about), ',"customers":[' }
  for i, piece in ipairs(pieces) do
    body[#body + 1] = (i > 1 and "," or "") .. piece:gsub("\n", ",")
  end
  body[#body + 1] = "]}\n"
  json(body)
end

--- GET /status: how many customers there are of each status.
function service.status()
  local about = copy:about()
  if not about then
    return not_yet()
  end
  local counts = next(about.counts) and cjson.encode(about.counts) or "{}"
  json(head(about), ',"counts":', counts, "}\n")
end

local page -- the dashboard, read once

--- GET /: the dashboard. It may run its own script and style, and ask this server; nothing else.
function service.dashboard()
  if not page then
    local file = assert(io.open(ngx.config.prefix() .. "dashboard.html", "rb"))
    page = file:read "*a"
    file:close()
  end
  local nonce = ngx.var.request_id
  ngx.header["Content-Type"] = "text/html; charset=utf-8"
  ngx.header["Content-Security-Policy"] = ("default-src 'none'; connect-src 'self'; "
    .. "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src 'nonce-%s'; "
    .. "style-src 'nonce-%s'"):format(nonce, nonce)
  ngx.print((page:gsub("NONCE", nonce)))
end

return service
