--- Hides the differences between Lua versions, on the Lua side.
-- SPDX-License-Identifier: MIT

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

--- Returns the running coroutine, or a value that stands for the main one.
function compat.running()
  return coroutine.running() or "main"
end

--- Returns whether a coroutine, as compat.running returned it, can still be resumed.
function compat.is_alive(co)
  return type(co) ~= "thread" or coroutine.status(co) ~= "dead"
end

return compat
