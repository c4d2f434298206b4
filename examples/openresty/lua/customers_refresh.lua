--- Renews the list of customers in the background.
--
-- A timer in each worker looks whether a listing is due. Whoever takes the machine's lock, and with
-- Redis the lock of all machines, lists the customers and replaces the list. Each machine keeps the
-- newest list in ngx.shared and serves from there: no request waits for AvePoint or for Redis. A
-- worker or a machine that dies leaves a lock that expires: another takes over.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local cjson = require "cjson"

local ROWS = 100 -- in a piece of the list

local refresh = {}

local settings -- see customers_service.lua
local machine -- the store of this machine's workers
local fleet -- the store of all machines; nil if there is no Redis
local worker -- text that no other worker has
local client -- of this worker, once it has to list
local busy = false -- this worker is looking or listing

-- Different for each worker and time, 0 to 1: machines that were started together need not list
-- together.
local function chance()
  return ngx.crc32_short(("%s %f"):format(worker, ngx.now())) / 2 ^ 32
end

local function jittered(seconds)
  return seconds * (0.9 + 0.2 * chance())
end

-- listing -----------------------------------------------------------------------------------------

local function new_client()
  local options = { token_store = (fleet or machine):tokens(worker) }
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

-- Lists all customers. Returns what is to be known of the list, and its pieces; or nil and an
-- error.
local function list()
  client = client or new_client()
  local begun = ngx.now()
  local rows, pieces, counts, total = {}, {}, {}, 0
  local function end_piece()
    pieces[#pieces + 1] = rows[1] and table.concat(rows, "\n")
    rows = {}
  end
  local listing = client:customers { deadline = settings.lock * 0.8 }
  local customer, err = listing:next() -- which returns its errors: a loop's would be logged too
  while customer do
    local status = customer.jobStatus or "unknown"
    counts[status] = (counts[status] or 0) + 1
    total = total + 1
    rows[#rows + 1] = encode(customer)
    if #rows == ROWS then
      end_piece()
    end
    customer, err = listing:next()
  end
  if err then
    return nil, err
  end
  end_piece()
  local now = ngx.now()
  return { id = ("%s %f"):format(worker, now), fetched_at = now, total = total, counts = counts,
    seconds = now - begun }, pieces
end

-- Puts a state, and a list if there is one, where all machines find them, and into this machine.
local function put(owner, state, about, pieces)
  if fleet then
    local done = fleet:put(owner, state, about, pieces)
    if done == false then
      return true -- it took too long, and another machine has begun
    elseif done == nil then -- the list serves this machine alone; Redis gets the next one
      machine.dictionary:set("rest", true, settings.interval)
      state.list = machine:state().list
    end
  end
  return machine:put(owner, state, about, pieces)
end

local function note_failure(owner, err)
  local known, before = avepoint.is_error(err), machine:state()
  local message = known and err.message or tostring(err)
  if message ~= before.error then
    ngx.log(ngx.WARN, "the list of customers is not renewed: ", message)
  end
  local wait = math.max(settings.retry, known and err.retry_after or 0)
  put(owner, { list = before.list, error = message, failed_at = ngx.now(),
    next = ngx.now() + jittered(math.min(wait, settings.interval)) })
end

local function renew(owner)
  local ok, about, pieces = pcall(list)
  local err = not ok and about or not about and pieces
  if avepoint.is_error(err) and err.kind == "closed" then
    client = nil -- nginx told this worker to leave: another begins at once
    return
  end
  if not err then
    local before = machine:state()
    ok, err = put(owner, { list = about.id, failed_at = before.failed_at,
      next = ngx.now() + jittered(settings.interval) }, about, pieces)
    err = not ok and err
    if not err and before.error then
      ngx.log(ngx.WARN, "the list of customers is renewed again")
    end
  end
  machine.dictionary:incr(err and "failed" or "listed", 1, 0)
  if err then
    note_failure(owner, err)
  end
end

-- whose turn it is --------------------------------------------------------------------------------

local function due(state)
  return ngx.now() >= (state.next or 0)
end

-- Brings this machine up to what all machines share. Returns that state, or nil while Redis does
-- not answer. A list that this machine made for itself stays until there is a new one.
local function follow(owner)
  local state = fleet:state()
  if not state then
    return nil
  end
  local about, pieces
  if state.list and state.list ~= machine:state().list then
    about, pieces = fleet:list()
    if not about then
      return nil
    end
  end
  local ok, err = machine:put(owner, state, about, pieces)
  if not ok and err then
    error(err, 0)
  end
  return state
end

-- While Redis does not answer, each machine lists for itself, but seldom: one interval to five
-- apart, at a moment of its own; until it has a list, about a retry apart.
local function alone(owner)
  local dictionary = machine.dictionary
  local at = dictionary:get "alone"
  if at and ngx.now() < at then
    return
  elseif at then
    renew(owner)
  end
  local wait = machine.copy:about() and settings.interval * (1 + 4 * chance())
    or settings.retry * (0.5 + chance())
  dictionary:set("alone", ngx.now() + wait)
end

-- Called with the machine's lock.
local function take_turn(owner)
  if not fleet then
    return due(machine:state()) and renew(owner)
  end
  local state = follow(owner)
  local locked = false
  if state and due(state) and not machine.dictionary:get "rest" then
    locked = fleet:lock(owner, settings.lock)
  end
  if not state or locked == nil then
    return alone(owner)
  end
  machine.dictionary:delete "alone"
  if locked then
    state = follow(owner) -- another may have just renewed it
    if state and due(state) then
      renew(owner)
    end
    fleet:unlock(owner)
  end
end

local function look(premature)
  if premature or busy or not fleet and not due(machine:state()) then
    return
  end
  local owner = ("%s %f"):format(worker, ngx.now())
  if not machine:lock(owner, settings.lock) then
    return
  end
  busy = true
  local ok, err = pcall(take_turn, owner)
  busy = false
  machine:unlock(owner)
  machine:note("trouble", not ok and tostring(err) or nil, "looking after the list works again")
end

--- Starts the timers; called in init_worker_by_lua.
-- @param given the service's settings
-- @param stores { machine =, fleet = }, as customers_shared.lua describes them
function refresh.start(given, stores)
  settings, machine, fleet = given, stores.machine, stores.fleet
  local random = assert(io.open("/dev/urandom", "rb"))
  worker = ("%d %s"):format(ngx.worker.pid(), ngx.md5(random:read(16)):sub(1, 16))
  random:close()
  assert(ngx.timer.at(0, look))
  assert(ngx.timer.every(settings.look, look))
end

return refresh
