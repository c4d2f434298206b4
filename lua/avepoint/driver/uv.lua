--- The driver for a libuv loop: Neovim's, or plain luv. Code runs as a task, a coroutine that
-- waits without holding the loop:
--
--     uv.run(function() for c in client:customers() do ... end end, function(err) ... end)
--
-- One watcher per client wakes all of its waiting tasks; it lives only while one waits, so an idle
-- client does not keep the loop alive.
-- SPDX-License-Identifier: MIT
-- luacheck: read globals vim

local core = require "avepoint.core"
local drivers = require "avepoint.driver"

local driver = {}

local in_neovim = rawget(_G, "vim") ~= nil and vim.schedule ~= nil
local uv = in_neovim and (vim.uv or vim.loop) or require "luv"

local tasks = setmetatable({}, { __mode = "k" }) -- coroutine -> its task
local watchers = setmetatable({}, { __mode = "k" }) -- client -> its watcher

-- In Neovim a uv callback must not touch vim.api: user code runs through vim.schedule only.
local function on_loop(f)
  if in_neovim then
    vim.schedule(f)
  else
    f()
  end
end

--- Whether the running coroutine is a task.
function driver.in_task()
  local co = coroutine.running()
  return co ~= nil and tasks[co] ~= nil
end

local function close_handle(handle)
  if handle and not handle:is_closing() then
    handle:close()
  end
end

local function close_watcher(client, watcher)
  close_handle(watcher.poll)
  close_handle(watcher.timer)
  watchers[client] = nil
  drivers.on_close(client, watcher, nil)
end

local function wake_all(client, watcher)
  close_watcher(client, watcher)
  for _, task in ipairs(watcher.waiting) do
    on_loop(task.resume)
  end
end

--- (Re)arms the watcher: the descriptor may appear with the first request and changes after a
-- fork, the moment moves with each step.
local arm

local function on_ready(client, watcher)
  if watchers[client] ~= watcher then
    return
  end
  local ok = pcall(client.step, client) -- an error shows again when the waiting task steps
  if not ok or core.progress(client) ~= watcher.progress then
    wake_all(client, watcher)
  else
    arm(client, watcher)
  end
end

function arm(client, watcher)
  local fd = client:fd()
  if fd ~= watcher.fd then
    close_handle(watcher.poll)
    watcher.fd = fd
    watcher.poll = fd and uv.new_poll(fd)
  end
  local function fire()
    on_ready(client, watcher)
  end
  if watcher.poll then
    watcher.poll:start("r", fire)
  end
  local seconds = client:timeout()
  if watcher.limit and (not seconds or seconds > watcher.limit) then
    seconds = watcher.limit
  end
  if seconds then
    watcher.timer:start(math.ceil(seconds * 1000), 0, fire)
  else
    watcher.timer:stop()
  end
end

-- The step of a task that does not wait may have brought what another one waits for: so progress
-- is counted from the beginning of the wait.
local function watch(client)
  local watcher = watchers[client]
  if not watcher then
    watcher = { waiting = {}, timer = uv.new_timer(), progress = core.progress(client) }
    watchers[client] = watcher
    arm(client, watcher)
    drivers.on_close(client, watcher, function()
      close_handle(watcher.poll) -- its descriptor is gone
      watcher.timer:start(0, 0, function()
        on_ready(client, watcher)
      end)
    end)
  elseif watcher.progress ~= core.progress(client) then
    watcher.timer:start(0, 0, function()
      on_ready(client, watcher)
    end)
  end
  return watcher
end

-- A cancelled task waits no more. Where it was the last, nothing must keep the loop alive.
local function unwatch(client, task)
  local watcher = watchers[client]
  for i = watcher and #watcher.waiting or 0, 1, -1 do
    if watcher.waiting[i] == task then
      table.remove(watcher.waiting, i)
    end
  end
  if watcher and #watcher.waiting == 0 then
    close_watcher(client, watcher)
  end
end

--- Waits, as a task, until the client has gone on; with `seconds` 0 only gives the loop its turn.
function driver.wait(client, seconds)
  local task = tasks[coroutine.running()]
  if not task then
    error("avepoint: the driver uv works inside a task: avepoint.driver.uv.run(function ...)", 0)
  end
  if seconds and seconds <= 0 then
    local timer = uv.new_timer()
    timer:start(0, 0, function()
      timer:close()
      on_loop(task.resume)
    end)
  else
    local watcher = watch(client)
    watcher.waiting[#watcher.waiting + 1] = task
  end
  task.waiting = true
  coroutine.yield()
  if task.cancelled then
    unwatch(client, task)
    error(driver.cancelled, 0)
  end
end

--- What a cancelled task's `on_done` gets.
driver.cancelled = "avepoint: cancelled"

local function finish(task, on_done, ok, ...)
  if coroutine.status(task.co) ~= "dead" then
    return
  end
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

--- Runs f in a coroutine on the loop. Calls on_done(err, ...) at its end, err nil on success;
-- without on_done an error is raised on the loop.
-- @return a task with :cancel()
function driver.run(f, on_done)
  local task = { cancelled = false, done = false, waiting = true }
  task.co = coroutine.create(f)
  function task.resume() -- only out of our own wait: a task may yield for reasons of its own
    if task.waiting then
      task.waiting = false
      finish(task, on_done, coroutine.resume(task.co))
    end
  end
  function task:cancel()
    if not self.done and not self.cancelled then
      self.cancelled = true
      on_loop(self.resume)
    end
  end
  tasks[task.co] = task
  on_loop(task.resume)
  return task
end

return driver
