--- The driver for a libuv loop: Neovim's, or plain luv. Code runs as a task, a coroutine that waits
-- without blocking the loop:
--
--     uv.run(function() for c in client:customers() do ... end end, function(err) ... end)
--
-- One watcher per client wakes all tasks that wait for it. The watcher exists only while one waits,
-- so an idle client does not keep the loop alive.
-- SPDX-License-Identifier: MIT
-- luacheck: read globals vim

local choice = require "avepoint.driver"
local compat = require "avepoint.compat"
local core = require "avepoint.core"
local problem = require "avepoint.problem"

local driver = {}

-- ms between two looks at the client at most. Others step it too, and a collected listing frees a
-- place in flight: neither shows at the descriptor.
local LOOK = 50

local unpack = table.unpack or unpack -- luacheck: read globals unpack

local in_neovim = rawget(_G, "vim") ~= nil and vim.schedule ~= nil
local uv = in_neovim and (vim.uv or vim.loop) or require "luv"

local tasks = setmetatable({}, { __mode = "k" }) -- coroutine -> its task
local watchers = setmetatable({}, { __mode = "k" }) -- client -> its watcher

local function close_handle(handle)
  if handle and not handle:is_closing() then
    handle:close()
  end
end

-- Calls f from a callback of the loop: in Neovim through vim.schedule, since a callback must not
-- use vim.api.
local call_on_main = in_neovim and vim.schedule or function(f)
  f()
end

-- Calls f in the loop's next turn. In Neovim vim.schedule alone would not do: vim.wait runs
-- scheduled functions until none is left, without a turn of the loop.
local function call_next_turn(f)
  local timer = uv.new_timer()
  timer:start(0, 0, function()
    timer:close()
    call_on_main(f)
  end)
end

--- Returns whether the running coroutine is a task.
function driver.in_task()
  local co = coroutine.running()
  return co ~= nil and tasks[co] ~= nil
end

local function close_watcher(watcher)
  close_handle(watcher.poll)
  close_handle(watcher.timer)
  if watchers[watcher.client] == watcher then
    watchers[watcher.client] = nil
  end
end

local function wake_all(watcher, call)
  close_watcher(watcher)
  for _, task in ipairs(watcher.waiting) do
    call(task.resume)
  end
end

-- Removes a task that waits no longer from its watcher. With the last task closes the watcher,
-- which would keep the loop alive.
local function leave_watcher(task)
  local watcher = task.watcher
  task.watcher = nil
  if not watcher or watchers[watcher.client] ~= watcher then
    return
  end
  for i, other in ipairs(watcher.waiting) do
    if other == task then
      table.remove(watcher.waiting, i)
      break
    end
  end
  if #watcher.waiting == 0 then
    close_watcher(watcher)
  end
end

--- Stops watching the client's descriptor; called before it is closed.
function driver.release(client)
  local watcher = watchers[client]
  if watcher then
    close_handle(watcher.poll)
    watcher.poll, watcher.fd = nil, nil
  end
end

--- Wakes all tasks that wait for the client, so that they look again.
function driver.wake(client)
  local watcher = watchers[client]
  if watcher then
    wake_all(watcher, call_next_turn)
  end
end

local arm

local function on_ready(watcher)
  local client = watcher.client
  local ok = pcall(client.step, client) -- an error shows again when the waiting task steps
  local late = watcher.limit and uv.now() >= watcher.limit
  if not ok or late or core.progress(client) ~= watcher.progress then
    wake_all(watcher, call_on_main)
  else
    arm(watcher)
  end
end

-- Starts the watcher's handles, after each step anew: the descriptor appears with the first request
-- and changes after a fork, and a step moves the time of the next one.
function arm(watcher)
  local client = watcher.client
  local fd = client:fd()
  local function fire()
    on_ready(watcher)
  end
  if fd ~= watcher.fd or not watcher.poll then
    close_handle(watcher.poll)
    watcher.fd = fd
    watcher.poll = fd and uv.new_poll(fd) -- refused while Neovim's main context watches it
  end
  if watcher.poll then
    watcher.poll:start("r", fire)
  end
  local seconds = client:timeout()
  local ms = seconds and math.min(LOOK, math.ceil(seconds * 1000)) or LOOK
  if core.progress(client) ~= watcher.progress then
    ms = 0 -- another task's step has brought what these tasks wait for
  end
  if watcher.limit then
    ms = math.min(ms, math.max(0, watcher.limit - uv.now()))
  end
  watcher.timer:start(ms, 0, fire)
end

-- Lets a task wait for the client, at most `seconds` (nil: without a limit).
local function watch(client, task, seconds)
  local watcher = watchers[client]
  if not watcher then
    watcher = { client = client, waiting = {}, timer = uv.new_timer(),
      progress = core.progress(client) }
    watchers[client] = watcher
  end
  if seconds then
    local limit = uv.now() + math.ceil(seconds * 1000)
    watcher.limit = watcher.limit and math.min(watcher.limit, limit) or limit
  end
  watcher.waiting[#watcher.waiting + 1] = task
  task.watcher = watcher
  arm(watcher)
end

--- Waits in a task until the client's progress changes, at most `seconds` (nil: without a limit).
-- With 0 only gives the loop a turn.
function driver.wait(client, seconds)
  local task = tasks[coroutine.running()]
  if not task then
    problem.misuse "the driver uv works inside a task: avepoint.driver.uv.run(function ...)"
  end
  if task.cancelled then -- while the user's code had yielded
    error(driver.cancelled, 0)
  end
  task.waiting = true
  if seconds and seconds <= 0 then
    call_next_turn(task.resume)
  else
    watch(client, task, seconds)
  end
  coroutine.yield()
  if task.cancelled then
    error(driver.cancelled, 0)
  end
end

--- The error that a cancelled task's `on_done` gets.
driver.cancelled = choice.CANCELLED

local function report(task, on_done, ok, ...)
  tasks[task.co] = nil
  task.done = true
  if on_done then
    if ok then
      on_done(nil, ...)
    else
      on_done((...))
    end
  elseif not ok then
    error((...), 0)
  end
end

-- Called after each resume of ours; reports a task that has ended. The first value is that of
-- coroutine.resume, the others are those of the body's pcall or, if pcall could not protect (PUC
-- 5.1), the coroutine's own error.
local function finish(task, on_done, resumed, ...)
  task.driven = false
  if coroutine.status(task.co) ~= "dead" then
    return
  elseif resumed then
    report(task, on_done, ...)
  else
    report(task, on_done, false, ...)
  end
end

-- Called as the last thing in a task's coroutine. If other code than ours resumed it (the user's
-- code had yielded), `finish` is not called, so this reports the end.
local function ending(task, on_done, ...)
  if not task.driven then
    local n, values = select("#", ...), { ... }
    call_next_turn(function()
      report(task, on_done, unpack(values, 1, n))
    end)
  end
  return ...
end

--- Runs f as a task on the loop.
-- @param f function()
-- @param on_done function(err, ...), called at the end with f's error, or with nil and f's values;
-- without it an error is raised on the loop
-- @return the task; task:cancel() ends its current or next wait with `driver.cancelled`
function driver.run(f, on_done)
  local task = { cancelled = false, done = false, waiting = true }
  task.co = coroutine.create(function()
    return ending(task, on_done, compat.pcall(f))
  end)
  function task.resume() -- only from a wait of ours: the user's code may have yielded elsewhere
    if not task.waiting then
      return
    end
    task.waiting = false
    leave_watcher(task)
    if task.cancelled and not task.started then
      report(task, on_done, false, driver.cancelled)
    else
      task.started, task.driven = true, true
      finish(task, on_done, coroutine.resume(task.co))
    end
  end
  function task:cancel()
    if not self.done and not self.cancelled then
      self.cancelled = true
      call_next_turn(self.resume)
    end
  end
  tasks[task.co] = task
  call_next_turn(task.resume)
  return task
end

return driver
