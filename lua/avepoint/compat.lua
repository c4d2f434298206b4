--- What differs between Lua versions, on the Lua side.
-- SPDX-License-Identifier: MIT

local compat = {}

-- PUC 5.1 cannot yield across pcall; LuaJIT, which says "Lua 5.1" too, can.
local pcall_yields = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

--- Whether compat.pcall protects here.
function compat.protects()
  return pcall_yields or not coroutine.running()
end

--- pcall where a coroutine may yield in it; elsewhere an unprotected call.
function compat.pcall(f, ...)
  if compat.protects() then
    return pcall(f, ...)
  end
  return true, f(...)
end

--- The running coroutine, or a value that stands for the main one.
function compat.running()
  return coroutine.running() or "main"
end

--- Whether a value that compat.running gave can still go on.
function compat.is_alive(co)
  return type(co) ~= "thread" or coroutine.status(co) ~= "dead"
end

return compat
