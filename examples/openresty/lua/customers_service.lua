--- Serves the customers of an AvePoint partner from a copy that all workers share.
--
-- customers_refresh.lua renews the copy in the background, for this machine or, with
-- AVEPOINT_REDIS, for several. Requests never wait for AvePoint. While listing fails, the last copy
-- is served and called stale.
--
-- nginx.conf calls configure, start, and one function a location; see there.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local cjson = require "cjson"
local metrics = require "customers_metrics"
local Redis = require "customers_redis"
local refresh = require "customers_refresh"
local Shared = require "customers_shared"

local service = {}

local settings = {
  interval = 300, -- seconds from one listing to the next, a tenth of it more or less
  retry = 30, -- seconds after a listing that failed, unless the service asks for more
  lock = 120, -- seconds: the longest a listing may take, and until another takes over
  look = 1, -- seconds between two looks of a worker
  copy = "customers", -- names of the lua_shared_dict
  tokens = "tokens",
  redis = os.getenv "AVEPOINT_REDIS" or false, -- redis://host:6379: one list for several machines
  prefix = "avepoint:", -- of all keys in Redis
  client = {}, -- options of avepoint.client; credentials come from the environment
}

local machine, copy -- the store of this machine, and the list in it
local fleet -- the store of all machines, if there is a Redis

--- Called in init_by_lua. `given` overrides the settings above.
function service.configure(given)
  for name, value in pairs(given or {}) do
    if settings[name] == nil then
      error("customers_service: unknown setting " .. name, 2)
    end
    settings[name] = value
  end
  machine = Shared.open(settings.copy, settings.tokens)
  copy = machine.copy
  fleet = settings.redis and settings.redis ~= ""
    and Redis.open(settings.redis, settings.prefix, machine) or nil
end

--- Called in init_worker_by_lua.
function service.start()
  refresh.start(settings, { machine = machine, fleet = fleet })
end

-- serving -----------------------------------------------------------------------------------------

-- The copy's age, whether it is stale, and why. What keeps this machine from the newest list makes
-- a copy stale only when it is old.
local function freshness(about)
  local age = math.max(0, ngx.now() - about.fetched_at)
  local old, problem = age > 2 * settings.interval, machine:state().error
  if old and not problem then
    problem = machine.dictionary:get "redis" or machine.dictionary:get "trouble"
  end
  return age, old or problem ~= nil, problem
end

local function head(about)
  local age, stale, problem = freshness(about)
  return ('{"age":%.1f,"fetched_at":%.3f,"stale":%s,"error":%s,"total":%d'):format(age,
    about.fetched_at, tostring(stale), problem and cjson.encode(problem) or "null", about.total)
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
  local state = machine:state()
  ngx.header["Retry-After"] = math.max(1, math.ceil((state.next or 0) - ngx.now()))
  refuse(503, state.error or machine.dictionary:get "redis" or machine.dictionary:get "trouble"
    or "the first list of customers is on its way")
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

--- GET /metrics: for Prometheus.
function service.metrics()
  local about = copy:about()
  local age, stale = 0, true
  if about then
    age, stale = freshness(about)
  end
  ngx.header["Content-Type"] = "text/plain; version=0.0.4"
  ngx.print(metrics.text {
    about = about, age = age, stale = stale, state = machine:state(),
    listed = machine.dictionary:get "listed", failed = machine.dictionary:get "failed",
    redis = fleet and not machine.dictionary:get "redis",
  })
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
