--- The driver for Neovim's main context: waits with vim.wait, so that timers and redraw go on and
-- Ctrl-C cancels.
-- SPDX-License-Identifier: MIT
-- luacheck: read globals vim

local choice = require "avepoint.driver"
local core = require "avepoint.core"
local problem = require "avepoint.problem"

local uv = vim.uv or vim.loop
local polls = setmetatable({}, { __mode = "k" }) -- client -> uv handle that watches its descriptor

local nvim = {}

-- ms; the caller waits again. Before 0.8, Neovim looks for Ctrl-C only at the end of vim.wait.
local LONGEST = 100
local CHECK = 50 -- ms between looks at the condition if no event comes

--- Waits until the client's descriptor is ready, at most `seconds` (nil: without a limit) and never
-- longer than LONGEST: the caller waits again.
function nvim.wait(client, seconds)
  if vim.in_fast_event() then
    problem.misuse("a Neovim fast event (a uv callback) cannot wait: use vim.schedule, or run "
      .. "the loop in a task with avepoint.driver.uv.run")
  end
  local ready = false
  local before = core.progress(client)
  local fd = client:fd()
  local poll = fd and uv.new_poll(fd)
  if poll then
    polls[client] = poll
    poll:start("r", function()
      ready = true
    end)
  end
  local ms = math.min(LONGEST, seconds and math.ceil(seconds * 1000) or LONGEST)
  local ok, why = vim.wait(ms, function()
    return ready or core.progress(client) ~= before -- client or listing was closed
  end, CHECK)
  if poll and not poll:is_closing() then
    poll:close()
  end
  if not ok and why == -2 then
    error(choice.INTERRUPTED, 0)
  end
end

--- Stops watching the client's descriptor, which is about to be closed.
function nvim.release(client)
  local poll = polls[client]
  if poll and not poll:is_closing() then
    poll:close()
  end
end

return nvim
