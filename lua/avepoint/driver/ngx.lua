--- The driver for OpenResty: sleeps cooperatively in growing steps, since nginx has no public way
-- to wait on a foreign descriptor.
-- SPDX-License-Identifier: MIT
-- luacheck: read globals ngx

local core = require "avepoint.core"
local problem = require "avepoint.problem"
local store = require "avepoint.store"

local driver = {}

local FIRST = 0.001 -- seconds; nginx's resolution, and the shortest sleep: some versions warn of 0
local LONGEST = 0.02 -- seconds
local TAKE_OVER = 0.1 -- seconds without a step after which a poller counts as dead

--- Seconds for which requests go on after the last wait for them.
driver.grace = 5

-- Phases that may yield.
local yields = {
  rewrite = true,
  access = true,
  content = true,
  timer = true,
  ssl_cert = true,
  ssl_session_fetch = true,
  ssl_client_hello = true,
}

-- client -> { owner =, at = }: the wait that steps it, and the time of its last step. One light
-- thread steps for all; the others only look. If its request died, another takes over.
local pollers = setmetatable({}, { __mode = "k" })

local function may_poll(client, owner)
  local poller = pollers[client]
  if poller and poller.owner ~= owner and ngx.now() - poller.at < TAKE_OVER then
    return false
  end
  pollers[client] = { owner = owner, at = ngx.now() }
  return true
end

-- client -> time of the last wait for it, as long as a request of it may be in flight.
--
-- If nginx ends a request in mid-loop (the browser left, ngx.exit), it does not unwind the loop and
-- tells us nothing. A loop also does not wait for us while its body does other work. So a timer
-- steps the requests in flight, and parks them after the grace. A loop that comes back finds the
-- pages that have arrived, and asks again for the others.
local last_wait = setmetatable({}, { __mode = "k" })
local timer_pending = false

local on_timer

local function start_timer()
  if not timer_pending then
    timer_pending = ngx.timer.at(TAKE_OVER, on_timer) and true
  end
end

local function mind_one(client, silent)
  if silent <= TAKE_OVER then
    return
  elseif silent > driver.grace then
    core.park(client)
  else
    client:step()
  end
  pcall(store.settle, client, core.state(client)) -- lets go of a lock that other workers wait for
  if not core.in_flight(client) then
    last_wait[client] = nil
  end
end

function on_timer(premature)
  timer_pending = false
  if premature then
    return
  end
  local now, clients = ngx.now(), {}
  for client in pairs(last_wait) do -- a copy: a store may yield, and the table change meanwhile
    clients[#clients + 1] = client
  end
  for _, client in ipairs(clients) do
    mind_one(client, now - (last_wait[client] or now)) -- nil: another timer is done with it
  end
  if next(last_wait) then
    start_timer()
  end
end

local function check_phase()
  local phase = ngx.get_phase()
  if not yields[phase] then
    problem.misuse("nginx's phase %s cannot wait for the network: list in a timer "
      .. "(ngx.timer.at(0, ...)) or in a content handler", phase)
  end
end

--- Waits at most `seconds` (nil: without a limit) until the client's progress changes.
function driver.wait(client, seconds)
  check_phase()
  local owner = {}
  local before = core.progress(client)
  local step = FIRST
  local left = seconds or math.huge
  repeat
    local polls = may_poll(client, owner)
    last_wait[client] = ngx.now()
    start_timer()
    local due = client:timeout() or step -- also tells the client that somebody waits
    ngx.sleep(math.max(FIRST, math.min(left, step, due)))
    if ngx.worker.exiting() then
      client:close() -- the worker must exit: the client's listings end with `closed`
    elseif polls then
      client:step()
    end
    left = left - step
    step = step * 1.3 < LONGEST and step * 1.3 or LONGEST
  until left <= 0 or core.progress(client) ~= before
  local poller = pollers[client]
  if poller and poller.owner == owner then
    pollers[client] = nil
  end
end

return driver
