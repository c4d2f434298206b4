--- Shares one token among many processes: the option token_store. Before a process fetches a token,
-- it looks for one in the store. If there is none, it takes a lock, fetches a token, puts it into
-- the store and unlocks. The lock expires, so that a process that died does not block the others
-- for long.
--
-- The store is the name of an ngx.shared dictionary, or an object with
--     get(self, key) -> string or nil
--     put(self, key, value, seconds)            the value may be dropped after so many seconds
--     lock(self, key, seconds) -> function that unlocks; or nil while another process has the lock;
--                                 or nil and a message if it cannot be taken
--
-- Entries are not trusted: damaged, expired and refused tokens count as none.
-- SPDX-License-Identifier: MIT
-- luacheck: read globals ngx

local compat = require "avepoint.compat"
local core = require "avepoint.core"

local store = {}

--- Seconds after which a lock expires; a token request takes less.
store.lock_seconds = 30

local PATIENCE = 35 -- seconds to wait for another process's fetch
local PAUSE = 0.05 -- seconds between two looks during this wait
local MARGIN = 10 -- seconds; a token that expires sooner is not taken

-- Makes a store of an ngx.shared dictionary.
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
    local ok, why = dictionary:add(name, owner, seconds)
    if not ok then
      return nil, why ~= "exists" and why or nil
    end
    return function()
      if dictionary:get(name) == owner then -- it may have expired, and another process have it
        dictionary:delete(name)
      end
    end
  end
  return place
end

-- Returns the key of the client's token: token URL, client id, scope and credential decide.
local function key_of(about)
  return "avepoint token " .. core.hash(table.concat({ about.token_url, about.client_id or "",
    about.scope or "", about.credential_hash or "" }, "\n"))
end

--- Prepares the store that the client's option names.
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
  state.unlock, state.fetching = false, false
end

-- Returns the entry for a token. Its hash guards against damage.
local function pack(token, ends, key)
  return ("1 %d %s %s"):format(ends, core.hash(("%s %d %s"):format(key, ends, token)), token)
end

-- Returns an entry's token and the seconds until it expires, or nil.
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

-- Takes the shared token. Returns false if there is none that is new to the client.
local function take(client, state)
  local token, seconds = unpack_entry(state.store:get(state.store_key), state.store_key)
  return token ~= nil and core.found(client, token, seconds)
end

-- The lock is noted in the state before anything is called, since each call may fail for lack of
-- memory: `unlock` is its function, or false. `fetching` tells whether it is kept for a fetch.
local function release_lock(state)
  local unlock = state.unlock
  state.unlock = false
  if unlock then
    unlock()
  end
end

--- Looks once for a shared token: supplies it, or lets the core fetch one. Returns false while
-- another process has the lock; the core then asks again after a while. Does not loop: the caller
-- waits, so that deadlines hold and the client's other requests go on. If this raises, call
-- store.give_up.
-- @param waited seconds since the core's first question
function store.answer(client, state, waited)
  if take(client, state) then
    return true
  end
  local unlock, failed = state.store:lock(state.store_key, store.lock_seconds)
  if unlock then
    state.unlock = unlock
    take(client, state) -- the lock's last holder may have put a token there
    if core.fetch(client) then -- none was found, nor has one come meanwhile
      state.fetching = true
    else
      release_lock(state)
    end
    return true
  elseif not failed and core.later(client, PAUSE) then
    return true -- the old token will do meanwhile
  elseif not failed and waited <= PATIENCE or not core.fetch(client) then
    return false
  end
  state.fetching = true -- without the lock
  return true
end

--- Called after an error: unlocks, unless the lock is kept for a fetch that goes on.
function store.give_up(state)
  if state.unlock and not state.fetching then
    release_lock(state)
  end
end

-- If the fetch that began here has ended, stores the token and unlocks.
local function settle(client, state)
  local over, token, seconds = core.token(client)
  if not over then
    return
  end
  state.fetching = false -- first: the store's functions may yield, and another coroutine come here
  if token and seconds > 0 then
    local ends = os.time() + math.floor(math.min(seconds, 1e9))
    state.store:put(state.store_key, pack(token, ends, state.store_key), math.ceil(seconds))
  end
  release_lock(state)
end

--- Called after each step: stores what a fetch that began here has brought.
function store.settle(client, state)
  if state.fetching then
    local ok, err = compat.pcall(settle, client, state)
    if not ok then
      store.give_up(state)
      error(err, 0)
    end
  end
end

-- Calls f in a coroutine of its own: the caller may be unable to yield, and must not get f's error
-- instead of its own.
local function aside(f, ...)
  coroutine.resume(coroutine.create(f), ...)
end

--- Called after a listing left a wait or was closed: if no other listing waits for the token, ends
-- the fetch and unlocks.
function store.leave(client, state)
  if state.unlock then
    aside(function()
      client:step()
      store.settle(client, state)
    end)
  end
end

--- Called after the client was closed: unlocks.
function store.close(state)
  if state.unlock then
    aside(release_lock, state)
  end
end

return store
