--- One token for many processes: the option token_store. Before a process fetches a token, it looks
-- for one in a place that all share; if there is none, it takes a lock, fetches, puts the token
-- there, and lets go. The lock ends by itself, so that a dead holder does not block the others for
-- long.
--
-- The place is an ngx.shared dictionary, named, or an object with
--     get(self, key) -> string or nil
--     put(self, key, value, seconds)            the value is not needed after so many seconds
--     lock(self, key, seconds) -> function that lets go, or nil while another holds it
--
-- What is found there is not trusted: damaged, expired and refused tokens count as none.
-- SPDX-License-Identifier: MIT
-- luacheck: read globals ngx

local compat = require "avepoint.compat"
local core = require "avepoint.core"

local store = {}

--- Seconds after which a lock ends by itself; a token request takes less.
store.lock_seconds = 30

local PATIENCE = 35 -- seconds for which another's fetch is waited for
local PAUSE = 0.05 -- seconds between two looks meanwhile
local MARGIN = 10 -- seconds; a token that ends sooner is not worth taking

-- An ngx.shared dictionary as such an object.
local function of_dictionary(dictionary)
  local count = 0
  local place = {}
  function place.get(_, key)
    return dictionary:get(key)
  end
  function place.put(_, key, value, seconds)
    dictionary:set(key, value, seconds)
  end
  function place.lock(_, key, seconds)
    count = count + 1
    local name, owner = key .. " lock", ("%d %d"):format(ngx.worker.pid(), count)
    if not dictionary:add(name, owner, seconds) then
      return nil
    end
    return function()
      if dictionary:get(name) == owner then -- it may have ended, and be another's by now
        dictionary:delete(name)
      end
    end
  end
  return place
end

-- Another token URL, client, scope or credential is another token.
local function key_of(about)
  return "avepoint token " .. core.hash(table.concat({ about.token_url, about.client_id or "",
    about.scope or "", about.credential_hash or "" }, "\n"))
end

--- Prepares the place that the client's option names.
-- @param state the client's table
-- @return nil, or what is wrong
function store.open(state)
  local given = state.token_store
  if type(given) == "string" then
    local shared = rawget(_G, "ngx") and ngx.shared
    if not shared then
      return "token_store names an ngx.shared dictionary, and this is not nginx: give an object "
        .. "{ get, put, lock } instead"
    elseif not shared[given] then
      return ("token_store: nginx.conf has no \"lua_shared_dict %s 1m;\""):format(given)
    end
    given = of_dictionary(shared[given])
  end
  for _, name in ipairs { "get", "put", "lock" } do
    if type(given[name]) ~= "function" then
      return ("token_store needs a function %s"):format(name)
    end
  end
  state.store, state.store_key = given, key_of(state.about)
end

-- The entry's own hash guards against damage.
local function pack(token, ends, key)
  return ("1 %d %s %s"):format(ends, core.hash(("%s %d %s"):format(key, ends, token)), token)
end

-- The token and its seconds, or nil.
local function unpack_entry(entry, key)
  if type(entry) ~= "string" then
    return nil
  end
  local ends, hash, token = entry:match "^1 (%d+) (%x+) (%S+)$"
  ends = tonumber(ends)
  if not ends or ends - os.time() < MARGIN
    or hash ~= core.hash(("%s %d %s"):format(key, ends, token)) then
    return nil
  end
  return token, ends - os.time()
end

-- Takes the shared token if there is one that is news to the client.
local function take(client, state)
  local token, seconds = unpack_entry(state.store:get(state.store_key), state.store_key)
  return token ~= nil and core.found(client, token, seconds)
end

-- With the lock in hand, looks once more: its last holder may have put a token there. The lock is
-- kept only for a fetch, until store.settle.
local function look_again(client, state, unlock)
  local ok, found = compat.pcall(take, client, state)
  if ok and not found and core.fetch(client) then
    state.fetching, state.unlock = true, unlock
    return
  end
  unlock()
  if not ok then
    error(found, 0)
  end
end

--- One look, for the core's wish for a shared token: supplies one, or lets the core fetch. Returns
-- false while another process holds the lock; the core then asks again after a while. There is no
-- loop here: the caller waits, so that deadlines hold and the client goes on meanwhile.
-- @param waited seconds since the wish began
function store.answer(client, state, waited)
  if take(client, state) then
    return true
  end
  local unlock = state.store:lock(state.store_key, store.lock_seconds)
  if unlock then
    look_again(client, state, unlock)
  elseif not core.later(client, PAUSE) then -- else the old one will do while another renews it
    if waited <= PATIENCE or not core.fetch(client) then
      return false
    end
    state.fetching = true
  end
  return true
end

local function let_go(state)
  local unlock = state.unlock
  state.unlock = nil
  if unlock then
    unlock()
  end
end

local function put(state, token, seconds)
  local ends = os.time() + math.floor(math.min(seconds, 1e9))
  state.store:put(state.store_key, pack(token, ends, state.store_key), math.ceil(seconds))
end

--- After each step: if a fetch that began here has ended, shares the token and lets the others go
-- on.
function store.settle(client, state)
  local over, token, seconds
  if state.fetching then
    over, token, seconds = core.token(client)
  end
  if not over then
    return
  end
  state.fetching = nil -- first: the functions of the store may yield, and others come here
  local ok, err = true, nil
  if token and seconds > 0 then
    ok, err = compat.pcall(put, state, token, seconds)
  end
  let_go(state)
  if not ok then
    error(err, 0)
  end
end

-- Calls f in a coroutine of its own: the caller may be unable to yield, and has something else to
-- raise than what f raises.
local function aside(f, ...)
  coroutine.resume(coroutine.create(f), ...)
end

--- After a listing has left a wait, or was closed: if nothing else waits for the token, ends its
-- fetch and lets the lock go.
function store.leave(client, state)
  if state.unlock then
    aside(function()
      client:step()
      store.settle(client, state)
    end)
  end
end

--- After the client was closed.
function store.close(state)
  if state.unlock then
    aside(let_go, state)
  end
end

return store
