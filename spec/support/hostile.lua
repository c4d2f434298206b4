--- Values that no function expects: every type, extreme numbers, texts with zero bytes, foreign
-- userdata, and tables whose metamethods raise or give what they must not.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local hostile = {}

local HUGE = 1024 * 1024

local function raise()
  error("raised on purpose", 0)
end

local function giving(value)
  return function()
    return value
  end
end

local EVENTS = { "__index", "__newindex", "__call", "__tostring", "__len", "__eq", "__lt", "__le",
  "__concat", "__unm", "__add", "__mod", "__pairs", "__ipairs", "__close", "__gc", "__name",
  "__mode", "__metatable" }

local function with_meta(value)
  local meta = {}
  for _, event in ipairs(EVENTS) do meta[event] = value end
  return setmetatable({}, meta)
end

-- A userdata with a metatable of its own, where this Lua can make one without C.
local function proxy()
  local make = rawget(_G, "newproxy")
  if not make then return assert(io.open("/dev/null", "w")) end
  local made = make(true)
  getmetatable(made).__index = raise
  return made
end

local function closed_file()
  local file = assert(io.open("/dev/null", "w"))
  file:close()
  return file
end

local function nested(depth)
  local t = {}
  for _ = 1, depth do t = { t } end
  return t
end

local function itself()
  local t = {}
  t.data, t[1], t[t] = t, t, t
  return t
end

--- A list of { name, value } for the arguments of a call.
function hostile.values()
  local folder = helper.directory .. "/" -- what is taken for a path must lie here
  local list = {}
  local function add(name, value) list[#list + 1] = { name = name, value = value } end
  add("nil", nil)
  add("true", true)
  add("false", false)
  for _, n in ipairs { 0, 1, -1, 0.5, 0.0001, 1e-300, 2 ^ 31, -2 ^ 31, 2 ^ 53, 2 ^ 63, -2 ^ 63,
    1e308, math.huge, -math.huge } do
    add(tostring(n), n)
  end
  add("-0.0", tonumber "-0.0")
  add("nan", 0 / 0)
  add("mininteger", rawget(math, "mininteger") or -2 ^ 63)
  add("maxinteger", rawget(math, "maxinteger") or 2 ^ 63)
  add("empty text", "")
  add("path", folder .. "hostile")
  add("zero byte", folder .. "a\0b")
  add("zero bytes", ("\0"):rep(100))
  add("no UTF-8", folder .. "\255\254\192\128\27[2J")
  add("format", folder .. "%s%n%d%99999d%")
  add("lines", "a\r\nX-Evil: 1\r\n\r\n")
  add("number as text", "12")
  add("1 MB", ("x"):rep(HUGE))
  add("1 MB of zero bytes", ("\0"):rep(HUGE))
  add("1 MB of slashes", "https://" .. ("/"):rep(HUGE))
  add("empty table", {})
  add("list", { folder .. "a", 2, {}, false })
  add("nested table", nested(200))
  add("itself", itself())
  add("function", function() end)
  add("function that raises", raise)
  add("function of C", string.rep)
  add("coroutine", coroutine.create(raise))
  add("dead coroutine", coroutine.wrap(function() end))
  add("open file", assert(io.open("/dev/null", "w")))
  add("closed file", closed_file())
  add("proxy", proxy())
  for name, value in pairs { raises = raise, ["false"] = false, number = giving(1),
    ["nothing"] = giving(nil), text = giving "text", table = giving {} } do
    add("metamethods: " .. name, with_meta(value))
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

-- What Lua says in the midst of our code where the fault is the user's: a value that cannot be
-- shown (5.1 says so later), a function of the user's that is a dead coroutine, or is one of C and
-- does not take what it gets, and an __index that cannot be asked.
local USERS = { "tostring", "cannot resume dead coroutine", "argument #%d to 'on_event'",
  "argument #%d to 'credential'", "argument #%d to 'wait'", "'get' on bad self", "to 'get'",
  "index a boolean value" }

--- Whether a call that ended so has met a check that is missing. An error is our object, what
-- a metamethod or a function raised, or a text of ours: none of Lua's in the midst of our code.
function hostile.is_mishap(ok, err)
  local ours = not ok and type(err) == "string" and err:find "lua/avepoint/"
  for _, word in ipairs(USERS) do ours = ours and not err:find(word) end
  return ours or false
end

--- A generator of the same numbers in each run: random(n) gives 1 to n.
function hostile.random()
  local state = 20240229
  return function(n)
    state = (state * 16807) % 2147483647
    return state % n + 1
  end
end

return hostile
