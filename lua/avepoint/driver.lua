--- Waits for a client, by the driver that fits the running host. Chooses it at each wait, since one
-- client may be used in several places.
-- SPDX-License-Identifier: MIT

-- Loaded eagerly: a `require` during a wait could fail for lack of memory.
local blocking = require "avepoint.driver.blocking"
local compat = require "avepoint.compat"
local problem = require "avepoint.problem"

local driver = {}

-- Raised by a wait that the user ended.
driver.CANCELLED = "avepoint: cancelled"
driver.INTERRUPTED = "avepoint: interrupted"

local function load_driver(name)
  return assert(compat.require("avepoint.driver." .. name))
end

-- The hosts of drivers that work nowhere else, with the global by which each is known.
local hosts = { nvim = { "vim", "Neovim" }, ngx = { "ngx", "nginx" } }

-- Returns the driver that the option gives or names; of "auto", the one for the running code.
local function choose(given)
  if type(given) == "table" then
    return given
  elseif given ~= "auto" then
    local host = hosts[given]
    if host and rawget(_G, host[1]) == nil then
      problem.misuse("the driver %s works in %s only: leave out the option driver", given, host[2])
    end
    return load_driver(given)
  elseif rawget(_G, "ngx") and ngx.get_phase then -- luacheck: read globals ngx
    return load_driver "ngx"
  end
  local uv = package.loaded["avepoint.driver.uv"]
  if uv and uv.in_task() then
    return uv
  end
  if rawget(_G, "vim") and vim.wait then -- luacheck: read globals vim
    return load_driver "nvim"
  end
  return blocking
end

--- Waits until the client should be stepped, at most `seconds` (nil: without a limit).
function driver.wait(client, state, seconds)
  choose(state.driver).wait(client, seconds)
end

--- Stops watching the client's descriptor. Call it before the client is closed.
function driver.release(client)
  for _, name in ipairs { "avepoint.driver.uv", "avepoint.driver.nvim" } do
    local one = package.loaded[name]
    if one then
      one.release(client)
    end
  end
end

--- Wakes all tasks that wait for the client, so that they look again. Call it when the client or a
-- listing of it was closed.
function driver.wake(client)
  local uv = package.loaded["avepoint.driver.uv"]
  if uv then
    uv.wake(client)
  end
end

return driver
