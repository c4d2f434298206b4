--- The store of several machines, in Redis; for what it has see customers_shared.lua. Its own:
--
--     store:list()    the newest list: what is known of it, and its pieces; nil if it is not there
--
-- Three keys: the lock; the state as JSON; and the list, a Redis list whose first element describes
-- it and whose others are its pieces, so that one command reads all of it. A script in Redis looks
-- whether the owner still has the lock before it writes. Only timers use this, never requests.
-- SPDX-License-Identifier: MIT

local cjson = require "cjson.safe"

-- OpenResty's name of lua-resty-redis, and Debian's (package lua-nginx-redis).
local function library()
  for _, name in ipairs { "resty.redis", "nginx.redis" } do
    local ok, found = pcall(require, name)
    if ok then
      return found
    end
  end
  error("AVEPOINT_REDIS is set, and neither resty.redis nor nginx.redis is here: install "
    .. "lua-resty-redis (Debian: lua-nginx-redis)", 0)
end

local UNLOCK = [[
  if redis.call("get", KEYS[1]) == ARGV[1] then redis.call("del", KEYS[1]) end
  return 1
]]
local PUT = [[
  if redis.call("get", KEYS[1]) ~= ARGV[1] then return 0 end
  redis.call("set", KEYS[2], ARGV[2])
  if ARGV[3] then
    redis.call("del", KEYS[3])
    for i = 3, #ARGV do redis.call("rpush", KEYS[3], ARGV[i]) end
  end
  return 1
]]

local TIMEOUT = 2000 -- ms, for connecting and for each answer
local IDLE = 60000 -- ms that an unused connection is kept

local Redis = {}
Redis.__index = Redis

local function decoded(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- The URL's parts; nil where it is none. Nobody shows the URL: it may hold a password.
local function parse(url)
  local rest = url:match "^redis://(.+)$"
  local login, place = (rest or ""):match "^(.*)@(.*)$"
  place = place or rest or ""
  local host, port, number = place:match "^([^:/%[%]]+):?(%d*)/?(%d*)$"
  if not host then
    host, port, number = place:match "^(%[[%x:.]+%]):?(%d*)/?(%d*)$"
  end
  if not host then
    return nil
  end
  local user, password = (login or ""):match "^([^:]*):(.*)$"
  return {
    host = host, port = tonumber(port) or 6379, number = tonumber(number) or 0,
    login = password and { user ~= "" and decoded(user) or decoded(password),
      user ~= "" and decoded(password) or nil },
  }
end

--- Opens the Redis of a URL. Sends nothing.
-- @param prefix what the names of all keys begin with
-- @param machine the store where the workers note whether Redis answers
function Redis.open(url, prefix, machine)
  local self = parse(url)
  if not self then
    error("AVEPOINT_REDIS must look like redis://user:password@host:6379/0, where user, password, "
      .. "port and number may be left out", 0)
  end
  self.library, self.prefix, self.machine = library(), prefix, machine
  self.name = ("Redis at %s:%d"):format(self.host, self.port)
  self.pool = ("avepoint %s:%d/%d"):format(self.host, self.port, self.number)
  return setmetatable(self, Redis)
end

-- A connection that has signed in; nil and what is wrong.
local function connected(self)
  local redis = self.library:new()
  redis:set_timeout(TIMEOUT)
  local ok, err = redis:connect(self.host, self.port, { pool = self.pool })
  if ok and redis:get_reused_times() == 0 then
    if self.login then
      ok, err = redis:auth(unpack(self.login))
    end
    if ok and self.number > 0 then
      ok, err = redis:select(self.number)
    end
  end
  if not ok then
    return nil, err
  end
  return redis
end

-- Sends one command. Returns its answer, false for "no such thing"; nil and a message if it failed.
local function call(self, command, ...)
  local answer
  local redis, err = connected(self)
  if redis then
    answer, err = redis[command](redis, ...)
    if err then
      redis:close()
    else
      redis:set_keepalive(IDLE, 10)
    end
  end
  -- Redis repeats the arguments of a command that it does not know: a password, or customers.
  local problem = err and ("%s: %s"):format(self.name, (err:gsub(",? with args.*", "")))
  self.machine:note("redis", problem, self.name .. " answers again")
  if problem then
    return nil, problem
  end
  return answer ~= ngx.null and answer
end

local function lock(self, key, owner, seconds)
  local got, err = call(self, "set", key, owner, "NX", "PX", math.ceil(seconds * 1000))
  if err then
    return nil, err
  end
  return got == "OK"
end

function Redis:state()
  local text, err = call(self, "get", self.prefix .. "state")
  if err then
    return nil, err
  end
  return cjson.decode(text or "") or {}
end

function Redis:list()
  local pieces = call(self, "lrange", self.prefix .. "list", 0, -1) or {}
  return cjson.decode(table.remove(pieces, 1) or ""), pieces
end

function Redis:lock(owner, seconds)
  return lock(self, self.prefix .. "lock", owner, seconds)
end

function Redis:unlock(owner)
  return call(self, "eval", UNLOCK, 1, self.prefix .. "lock", owner)
end

function Redis:put(owner, state, about, pieces)
  local prefix = self.prefix
  local words = { owner, cjson.encode(state), pieces and cjson.encode(about) }
  for _, piece in ipairs(pieces or {}) do
    words[#words + 1] = piece
  end
  local done, err = call(self, "eval", PUT, 3, prefix .. "lock", prefix .. "state",
    prefix .. "list", unpack(words))
  if err then
    return nil, err
  end
  return done == 1
end

--- One token for all machines. While Redis is out of reach, a client does without.
-- @param worker text that no other worker of the machines has
function Redis:tokens(worker)
  local redis, count = self, 0
  local store = {}
  function store.get(_, key)
    return (call(redis, "get", redis.prefix .. key)) or nil
  end
  function store.put(_, key, value, seconds)
    call(redis, "set", redis.prefix .. key, value, "EX", math.max(1, math.ceil(seconds)))
  end
  function store.lock(_, key, seconds)
    count = count + 1
    local name = redis.prefix .. key .. " lock"
    local owner = ("%s %d"):format(worker, count)
    local got, err = lock(redis, name, owner, seconds)
    if not got then
      return nil, err
    end
    return function()
      call(redis, "eval", UNLOCK, 1, name, owner)
    end
  end
  return store
end

return Redis
