--- Runs the loop "try, wait, step" behind every call that needs the network; for the waiting itself
-- it only calls driver.lua's wait. The loop is in Lua so that a driver may yield (LuaJIT cannot
-- return into C after a yield). It also calls the user's functions; the core never does.
-- SPDX-License-Identifier: MIT

local compat = require "avepoint.compat"
local core = require "avepoint.core"
local driver = require "avepoint.driver"
local log = require "avepoint.log"
local problem = require "avepoint.problem"
local store = require "avepoint.store"

local pump = {}

local warn = log.new "warn"

-- listing -> the coroutine that waits on it, in the loop or in a function of the user's that the
-- loop has called; else false, which keeps the place: noting a coroutine must not need memory
local waiting = setmetatable({}, { __mode = "kv" })

--- What draws for an on_progress that avepoint.progress has made (progress.lua).
pump.bars = setmetatable({}, { __mode = "k" })

--- Keeps a new listing's place among those that wait, and notes whether the user listens. `_waits`
-- tells sooner than the table whether anybody waits.
function pump.add(listing)
  waiting[listing] = false
  listing._waits = false
  listing._listens = (listing._state.on_event or listing._on_progress) and true or false
end

local function is_busy(listing)
  local other = waiting[listing]
  return other and other ~= compat.running() and compat.is_alive(other)
end

-- A second coroutine must not mix in where one waits. One that was dropped in its wait waits no
-- more, but only the collector knows of it.
local function check_busy(listing)
  if is_busy(listing) then
    collectgarbage()
    if is_busy(listing) then
      problem.misuse "this listing is busy: another coroutine waits on it"
    end
  end
end

--- Tells the user's on_event and on_progress what is new since the last call. Call it only while no
-- row is taken: they may raise, or ask this very listing for more.
function pump.notify(listing)
  local on_event, on_progress = listing._state.on_event, listing._on_progress
  if on_event then
    for event in core.next_event, listing._client do
      if listing._bar then
        listing._bar:hide() -- on_event may print
      end
      on_event(event)
    end
  end
  if on_progress then
    local _, total, _, _, pages, received = listing._core:progress()
    if pages ~= listing._pages_reported then
      listing._pages_reported = pages
      on_progress(received, total)
    end
  end
end

-- Clears the line of progress until the listing waits again, since the user's loop may print.
local function hide_bar(listing)
  if listing._bar and not listing._keeps_bar then
    listing._bar:hide()
  end
end

--- Clears the line of progress at the end of a list or a wait.
-- @param listing the root
function pump.clear_bar(listing)
  if listing._bar then
    listing._bar:clear()
    listing._keeps_bar = false
  end
end

-- The same at the end of a list or of a wait. Without an on_event the first warning of a client
-- still reaches stderr, or nginx's error log.
local function notify_at_end(listing)
  pump.notify(listing)
  pump.clear_bar(listing)
  local state = listing._state
  local event = not state.on_event and core.next_event(listing._client)
  if event and not state.warned then
    state.warned = true
    warn(event)
  end
end

-- Gets what the core wants, from the token store or from the user's credential function. Returns
-- true if the core has its answer. May raise.
local function answer(client, state)
  local want, detail, refused = core.wants(client)
  if not want then
    return false
  elseif not compat.protects() then
    core.later(client, 0) -- now: an error will not come back to try_answer
  end
  if want == "store" then
    return store.answer(client, state, detail)
  elseif refused and state.forget then
    state.forget()
  end
  local value, more = state.credential(want == "assertion" and detail or nil)
  if value == nil and more ~= nil then
    core.fail(client, tostring(more))
  else
    core.supply(client, value, more)
  end
  return true
end

-- The core says what it wants once. If nothing comes of it, because the user's function raises or
-- memory is out, core.later makes the next coroutine that waits ask again.
local function try_answer(client, state)
  local ok, answered = compat.pcall(answer, client, state)
  if not ok then
    core.later(client, 0)
    store.give_up(state)
    error(answered, 0)
  end
  return answered
end

-- Waits until the client's progress may have changed, then steps it. If it changed while a function
-- of the user's yielded, does not wait: no later event would wake us.
local function wait(listing, word)
  local client, state = listing._client, listing._state
  local seen = core.progress(client)
  pump.notify(listing)
  if listing._bar then
    listing._bar:note_wait(core.pause(client))
  end
  local at_once = try_answer(client, state) or word == "again" or core.progress(client) ~= seen
  driver.wait(client, state, at_once and 0 or client:timeout())
  client:step()
  store.settle(client, state)
end

-- Continues a call that gave no value: while it has a word ("wait" or "again"), waits and tries
-- again.
local function continue(listing, method, err, word)
  local value
  while word ~= nil do
    wait(listing, word)
    value, err, word = method(listing._core)
  end
  if value == nil then
    notify_at_end(listing)
  end
  return value, err
end

--- Ends what a listing has in flight, by its core's `cancel` or `close`, and wakes whoever waits.
function pump.stop(listing, method)
  method(listing._core)
  pump.clear_bar(listing)
  driver.wake(listing._client)
  store.leave(listing._client, listing._state)
end

-- Returns the error object for what was raised while we waited; raises what is not ours.
local function error_of_wait(listing, err)
  if err == problem.MEMORY or core.is_error(err) and err.kind == "memory" then
    return core.memory_error
  elseif listing._once or err == driver.CANCELLED or err == driver.INTERRUPTED then
    pump.stop(listing, listing._core.cancel) -- the user has ended the wait, or cannot wait again
  else
    driver.wake(listing._client) -- what failed here, others may be waiting for
  end
  pump.clear_bar(listing)
  pcall(listing._client.step, listing._client) -- the wait is over: the time of attempts stops
  error(err, 0)
end

-- Waits for what a method gave no value for.
local function wait_for(listing, method, err, word)
  local before = waiting[listing] -- this coroutine, if its own function uses the listing
  local ok, value, more
  waiting[listing], listing._waits = compat.running(), true
  ok, value, more = compat.pcall(continue, listing, method, err, word)
  waiting[listing], listing._waits = before, before and true
  if not ok then
    return nil, error_of_wait(listing, value)
  end
  return value, more
end

--- Calls a method of a listing's core, waiting as often as it asks for. Once it has given a row,
-- nothing on the row's way to the user may need memory: no table grows, no function takes `...`.
-- @param listing the root
-- @return a value, or nil at the end, or nil and an error object
function pump.call(listing, method)
  if listing._waits then
    check_busy(listing)
  end
  if listing._listens then
    pump.notify(listing)
    hide_bar(listing)
  end
  local value, more, word = method(listing._core)
  if value ~= nil then
    return value, more
  end
  return wait_for(listing, method, more, word)
end

--- Calls the core's `next`, as pump.call does, of a root to which nobody listens: this is the way
-- of most rows, so it is short.
function pump.next(listing)
  if listing._waits then
    check_busy(listing)
  end
  local row, err, word = listing._next(listing._core)
  if row ~= nil then
    return row
  end
  return wait_for(listing, listing._next, err, word)
end

return pump
