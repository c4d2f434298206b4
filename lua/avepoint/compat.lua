--- Hides the differences between Lua versions, on the Lua side.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"
local problem = require "avepoint.problem"

local compat = {}

-- PUC 5.1 cannot yield across pcall; LuaJIT, which says "Lua 5.1" too, can.
local pcall_yields = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

--- Returns whether compat.pcall protects here.
function compat.protects()
  return pcall_yields or not coroutine.running()
end

--- Calls f with pcall if a coroutine may yield in pcall; else calls f without protection.
function compat.pcall(f, ...)
  if compat.protects() then
    return pcall(f, ...)
  end
  return true, f(...)
end

--- Loads a module when it is first needed. If memory runs out meanwhile, raises the error object
-- for it, and a later call tries again. `require` would word that as a module that cannot be
-- loaded, and Lua 5.1 and LuaJIT would refuse the module from then on: they leave a mark in the
-- place of each module whose loading did not end.
-- @return the module, or nil and why it cannot be loaded
function compat.require(name)
  local ok, module = pcall(require, name)
  if ok then
    return module
  end
  local mark = package.loaded[name]
  for other, value in pairs(package.loaded) do
    if value == mark then
      package.loaded[other] = nil
    end
  end
  if problem.is_memory(module) then
    error(core.memory_error, 0)
  end
  return nil, module
end

--- Returns the running coroutine, or a value that stands for the main one.
function compat.running()
  return coroutine.running() or "main"
end

--- Returns whether a coroutine, as compat.running returned it, can still be resumed.
function compat.is_alive(co)
  return type(co) ~= "thread" or coroutine.status(co) ~= "dead"
end

return compat
