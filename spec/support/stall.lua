--- Inside Neovim, or where luv is: how long the loop stands still at the longest, as a timer of
-- 1 ms sees it, and the ids that the simulator's customers must have.
-- SPDX-License-Identifier: MIT
-- luacheck: read globals vim

local in_neovim = rawget(_G, "vim") ~= nil
local loop = in_neovim and (vim.uv or vim.loop) or require "luv"

local stall = {}

--- Starts the timer.
-- @return a function that stops it and gives the longest time between two of its calls (ms), and
--   how often it was called
function stall.watch()
  local timer, last, longest, ticks = loop.new_timer(), loop.hrtime(), 0, 0
  local function look()
    local now = loop.hrtime()
    longest = math.max(longest, (now - last) / 1e6)
    last, ticks = now, ticks + 1
  end
  timer:start(0, 1, look)
  return function()
    timer:close()
    look() -- a loop that stands still until now has not called it
    return longest, ticks - 1
  end
end

--- The first of these ids that is not the simulator's of that place, or nil. Knows the simulator's
-- customers from the file that makes them.
-- @param ids list
-- @param n how many there must be
function stall.wrong_id(ids, n, folder)
  local path = package.path
  package.path = folder .. "/?.lua;" .. path
  local customers = require "customers"
  package.path = path
  for i = 1, math.max(n, #ids) do
    if i > n or ids[i] ~= customers.id(i) then
      return ("place %d: %s"):format(i, tostring(ids[i]))
    end
  end
  return nil
end

return stall
