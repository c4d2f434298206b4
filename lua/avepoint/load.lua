--- Loads the C module. If its object was built for another Lua, raises a sentence that says so: the
-- dynamic linker's complaint about a symbol would not help.
-- SPDX-License-Identifier: MIT

local SIGNS = { "undefined symbol", "[Ss]ymbol not found", "version mismatch", "multiple Lua VMs",
  "wrong architecture", "ELF" }

local ok, core = pcall(require, "avepoint.core")
if ok then
  return core
end
for _, sign in ipairs(SIGNS) do
  if tostring(core):find(sign) then
    local jit = rawget(_G, "jit")
    error(("avepoint: its C module was built for another Lua than this one, %s: build it with "
      .. "\"make LUA=%s\", or put the folder of the right build first in LUA_CPATH (%s)"):format(
      jit and jit.version or _VERSION, jit and "luajit" or "lua" .. _VERSION:match "%d.%d",
      (tostring(core):gsub("%s+", " "))), 0)
  end
end
error(core, 0)
