--- Who runs: a title, a command, and variables to set before it. All do the same: fetch a token,
-- list all customers, and print how many have failed.
-- SPDX-License-Identifier: MIT

local top = os.getenv "BENCH_TOP" or "."
local peers = top .. "/spec/bench/peers/"

local contenders = {}

--- A word of the shell.
function contenders.quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local quoted = contenders.quoted

local function peer(title, interpreter, program)
  return { title = title, command = interpreter .. " " .. quoted(peers .. program),
    variables = "" }
end

local function with_module(title, lua, program)
  local one = peer(title, lua, program)
  local paths = ("%s/lua/?.lua;%s/lua/?/init.lua;%s/?.lua;;"):format(top, top, top)
  one.variables = ("LUA_PATH=%s LUA_CPATH=%s"):format(quoted(paths),
    quoted(("%s/build/%s/?.so;;"):format(top, lua)))
  return one
end

local function floor(in_flight)
  return { title = ("floor: C, %d in flight"):format(in_flight), variables = "",
    command = ("%s %d"):format(quoted(top .. "/build/bench/floor"), in_flight) }
end

contenders.all = {
  ours = with_module("avepoint, Lua 5.4", "lua5.4", "ours.lua"),
  ours_jit = with_module("avepoint, LuaJIT", "luajit", "ours.lua"),
  stall = with_module("avepoint, Lua 5.4, in a loop (luv)", "lua5.4", "stall.lua"),
  luasocket = peer("LuaSocket, LuaSec, cjson (5.4)", "lua5.4", "luasocket.lua"),
  luacurl = peer("lua-curl, cjson (5.1)", "lua5.1", "luacurl.lua"),
  -- Debian's Python, whatever else is on the PATH: Debian's requests is its package
  requests = peer("Python requests", "/usr/bin/python3", "python-requests.py"),
  curl_jq = peer("curl and jq", "sh", "curl-jq"),
  floor_1 = floor(1),
  floor_4 = floor(4),
  decode = peer("lua-cjson alone, LuaJIT", "luajit", "decode.lua"),
}

--- What a user would pick instead of us.
contenders.peers = { "luasocket", "luacurl", "requests", "curl_jq" }

--- Whose instructions are counted.
contenders.counted = { "ours", "floor_4", "ours_jit", "decode" }

return contenders
