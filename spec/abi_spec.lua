-- An object that was built for another Lua fails with a sentence, and does not crash.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local LUAS = { ["lua5.4"] = true, ["lua5.3"] = true, ["lua5.2"] = true, ["lua5.1"] = true,
  luajit = true }
local DEFAULTS = "/nowhere/?.so"

-- Whether an object of one Lua works in another: LuaJIT and 5.1 share their binary interface.
local function is_compatible(built, lua)
  local is_51 = { ["lua5.1"] = true, luajit = true }
  return built == lua or is_51[built] and is_51[lua]
end

local function exists(path)
  return helper.read(path) ~= nil
end

-- Loads an object with the interpreter under test. A sanitizer's runtime is not for foreign ones.
local function load_with(folder)
  local script = helper.temporary ".lua"
  helper.write(script, [[
    local ok, why = pcall(require, "avepoint")
    io.write(tostring(ok), " ", ok and why._VERSION or tostring(why))
  ]])
  local pipe = assert(io.popen(("env -u LD_PRELOAD -u LUA_CPATH_5_4 LUA_PATH='%s/lua/?.lua;"
    .. "%s/lua/?/init.lua' LUA_CPATH='%s/?.so;%s' %s %s 2>&1; echo \" $?\""):format(helper.top,
    helper.top, folder, DEFAULTS, helper.lua, script)))
  local out = pipe:read "*a"
  pipe:close()
  return out
end

describe("the object of another Lua", function()
  for built in pairs(LUAS) do
    local folder = helper.top .. "/build/" .. built
    if exists(folder .. "/avepoint/core.so") and not is_compatible(built, helper.lua) then
      it(("fails with a sentence: %s's"):format(built), function()
        local out = load_with(folder)
        assert.matches("^false avepoint: its C module was built for another Lua", out)
        assert.matches("make LUA=" .. helper.lua, out, 1, true)
        assert.matches(" 0\n$", out)
      end)
    end
  end

  if not is_compatible("luajit", helper.lua) then
    it("is at hand to be tried", function() -- make test builds LUA's and LuaJIT's
      assert.is_true(exists(helper.top .. "/build/luajit/avepoint/core.so"))
    end)
  end

  it("that is missing is told as such", function()
    local out = load_with "/nowhere"
    assert.matches("^false .*avepoint%.core", out)
    assert.not_matches("another Lua", out, 1, true)
  end)
end)
