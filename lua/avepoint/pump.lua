--- Runs the loop "try, wait, step" behind every call that needs the network. It is in Lua so that a
-- driver may yield (LuaJIT cannot return into C after a yield). It also calls the user's functions;
-- the core never does.
-- SPDX-License-Identifier: MIT

local compat = require "avepoint.compat"
local core = require "avepoint.core"
local driver = require "avepoint.driver"
local log = require "avepoint.log"
local store = require "avepoint.store"

local pump = {}

-- listing -> the coroutine that waits on it
pump.waiting = setmetatable({}, { __mode = "kv" })

--- Calls on_event for each event since the last call.
function pump.events(client, state)
  local on_event = state.on_event
  if not on_event then
    return
  end
  local event = core.next_event(client)
  while event do
    on_event(event)
    event = core.next_event(client)
  end
end

local warn = log.new "warn"

--- The same at the end of a list or of a wait. Without an on_event the first warning of a client
-- still reaches stderr, or nginx's error log.
function pump.last_events(client, state)
  if state.on_event then
    pump.events(client, state)
    return
  end
  local event = core.next_event(client)
  if event and not state.warned then
    state.warned = true
    warn(event)
  end
end

-- Calls a function of the user's for what the core wants. If the function raises, core.later makes
-- the next coroutine that waits ask again.
local function ask(client, f, ...)
  if not compat.protects() then
    core.later(client, 0) -- now: an error will not come back here
  end
  local ok, value, more = compat.pcall(f, ...)
  if not ok then
    core.later(client, 0)
    error(value, 0)
  end
  return value, more
end

-- Gets what the core wants, from the token store or from the user's credential function. Returns
-- true if the core has its answer.
local function answer(client, state)
  local want, detail, refused = core.wants(client)
  if not want then
    return false
  elseif want == "store" then
    return (ask(client, store.answer, client, state, detail))
  elseif refused and state.forget then
    state.forget()
  end
  local value, more = ask(client, state.credential, want == "assertion" and detail or nil)
  if value == nil and more ~= nil then
    core.fail(client, tostring(more))
  else
    core.supply(client, value, more)
  end
  return true
end

-- Waits until the client's progress may have changed, then steps it. If it changed while a function
-- of the user's yielded, does not wait: no later event would wake us.
local function wait(listing, word, seen)
  local client, state = listing._client, listing._state
  pump.events(client, state)
  local at_once = answer(client, state) or word == "again" or core.progress(client) ~= seen
  pump.waiting[listing] = compat.running()
  driver.wait(client, state, at_once and 0 or client:timeout())
  pump.waiting[listing] = nil
  client:step()
  store.settle(client, state)
end

--- Continues a call that has to wait: waits and calls the method again until it has a result.
-- @param listing the root
-- @param word from the method's first call: "wait" or "again"
-- @param method of the listing's core
-- @return a value, or nil at the end, or nil and an error object
function pump.call(listing, word, method)
  local value, err
  local seen = core.progress(listing._client)
  repeat
    wait(listing, word, seen)
    value, err, word = method(listing._core)
    seen = core.progress(listing._client)
    if value == nil and listing._on_turn then
      listing:_on_turn()
    end
  until word == nil
  if value == nil then
    pump.last_events(listing._client, listing._state)
  end
  return value, err
end

return pump
