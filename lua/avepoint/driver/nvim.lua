--- The driver for Neovim's main context: waits with vim.wait, so timers and redraw go on and
-- Ctrl-C cancels.
-- SPDX-License-Identifier: MIT
-- luacheck: read globals vim

local uv = vim.uv or vim.loop

local nvim = {}

local FOREVER = 2 ^ 30 -- ms; the caller comes again
local CHECK = 50 -- ms between looks at the condition where no event comes

--- Waits at most `seconds` (nil: without a limit) until the client's descriptor is ready.
function nvim.wait(client, seconds)
  if vim.in_fast_event() then
    error("avepoint: a Neovim fast event (a uv callback) cannot wait: use vim.schedule, or run "
      .. "the loop in a task with avepoint.driver.uv.run", 0)
  end
  local ready = false
  local fd = client:fd()
  local poll = fd and uv.new_poll(fd)
  if poll then
    poll:start("r", function()
      ready = true
    end)
  end
  local ms = seconds and math.ceil(seconds * 1000) or FOREVER
  local ok, why = vim.wait(ms, function()
    return ready
  end, CHECK)
  if poll then
    poll:close()
  end
  if not ok and why == -2 then
    error("avepoint: interrupted", 0)
  end
end

return nvim
