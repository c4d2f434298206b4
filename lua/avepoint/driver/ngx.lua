--- The driver for OpenResty: nginx has no public way to wait on a foreign descriptor, so it sleeps
-- cooperatively in growing steps.
-- SPDX-License-Identifier: MIT
-- luacheck: read globals ngx

local core = require "avepoint.core"
local store = require "avepoint.store"

local driver = {}

local FIRST = 0.001 -- seconds; also nginx's resolution, and the shortest: many an nginx warns of 0
local LONGEST = 0.02
local TAKE_OVER = 0.1 -- a poller that was not heard of for so long is gone

--- Seconds for which what was asked for is fetched though nobody waits for it.
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

-- client -> { owner =, at = }: who steps it, and when it did so last. One light thread is enough;
-- the others only look. A poller whose request has died is followed by another.
local pollers = setmetatable({}, { __mode = "k" })

local function may_poll(client, owner)
  local poller = pollers[client]
  if poller and poller.owner ~= owner and ngx.now() - poller.at < TAKE_OVER then
    return false
  end
  pollers[client] = { owner = owner, at = ngx.now() }
  return true
end

-- client -> when somebody last waited for it, while anything may be in flight.
--
-- A request that ends in mid-loop (its caller has gone, ngx.exit) is not unwound: nobody tells us.
-- Nor does a loop wait for us while its body is busy elsewhere. So a timer goes on with what is in
-- flight, and after a while takes it back; a loop that comes again finds what has come, and asks
-- anew for the rest.
local heard = setmetatable({}, { __mode = "k" })
local minding = false

local mind

local function keep_minding()
  if not minding then
    minding = ngx.timer.at(TAKE_OVER, mind) and true
  end
end

local function mind_one(client, silent)
  local state = core.state(client)
  if silent > driver.grace then
    core.park(client)
  elseif silent > TAKE_OVER then
    client:step()
  end
  if silent > TAKE_OVER then
    pcall(store.settle, client, state) -- no worker waits for a lock that nobody would let go
  end
  if silent > TAKE_OVER and not core.in_flight(client) then
    heard[client] = nil
  end
end

function mind(premature)
  minding = false
  if premature then
    return
  end
  local now, clients = ngx.now(), {}
  for client in pairs(heard) do
    clients[#clients + 1] = client -- a store may yield, and meanwhile another be heard of
  end
  for _, client in ipairs(clients) do
    mind_one(client, now - heard[client])
  end
  if next(heard) then
    keep_minding()
  end
end

local function check_phase()
  local phase = ngx.get_phase()
  if not yields[phase] then
    error(("avepoint: nginx's phase %s cannot wait for the network: list in a timer "
      .. "(ngx.timer.at(0, ...)) or in a content handler"):format(phase), 0)
  end
end

--- Waits at most `seconds` (nil: without a limit) until the client has gone on.
function driver.wait(client, seconds)
  check_phase()
  local owner = {}
  local before = core.progress(client)
  local step = FIRST
  local left = seconds or math.huge
  repeat
    local polls = may_poll(client, owner)
    heard[client] = ngx.now()
    keep_minding()
    local pause = left < step and left or step
    ngx.sleep(pause > FIRST and pause or FIRST)
    if ngx.worker.exiting() then
      client:close() -- the worker must leave: its listings end with `closed`
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
