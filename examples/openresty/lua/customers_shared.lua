--- The store of one machine, in an ngx.shared dictionary: what its workers share, and what they
-- serve from. customers_redis.lua is the same for several machines. Both have
--
--     store:state()                 what is known of listing: { list, next, error, failed_at }
--     store:lock(owner, seconds)    true; false while another has the lock, which expires
--     store:unlock(owner)           releases the lock if it is still this owner's
--     store:put(owner, state, about, pieces)
--                                   puts a state, and a list if there is one; true; false if the
--                                   owner has lost the lock, and then nothing is changed
--     store:tokens()                for the option token_store of avepoint.client
--
-- and return nil and a message if they fail. Of the state: `list` is the id of the newest list that
-- the machines share, `next` the time when the next listing is due, `error` why the last one
-- failed, `failed_at` when one last failed.
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"
local Copy = require "customers_copy"

local Shared = {}
Shared.__index = Shared

--- Opens the dictionaries of these names, which nginx.conf has to declare.
function Shared.open(copy, tokens)
  local self = setmetatable({ copy = Copy.open(copy), token_store = tokens }, Shared)
  self.dictionary = self.copy.dictionary
  return self
end

function Shared:state()
  local text = self.dictionary:get "state"
  if text ~= self.state_text then
    self.state_text, self.state_table = text, text and cjson.decode(text)
  end
  return self.state_table or {}
end

function Shared:lock(owner, seconds)
  return (self.dictionary:add("lock", owner, seconds))
end

function Shared:unlock(owner)
  if self.dictionary:get "lock" == owner then
    self.dictionary:delete "lock"
  end
end

function Shared:put(owner, state, about, pieces)
  if self.dictionary:get "lock" ~= owner then
    return false
  end
  if pieces then
    local ok, err = self.copy:put(pieces, about)
    if not ok then
      return nil, err
    end
  end
  return self.dictionary:safe_set("state", cjson.encode(state))
end

--- Notes a problem under a name, or nil that there is none: a line in the log when that changes, by
-- whichever worker sees it. `over` is that line where the problem has gone.
function Shared:note(name, problem, over)
  local known = self.dictionary:get(name)
  if problem == known then
    return
  elseif problem then
    self.dictionary:set(name, problem)
  else
    self.dictionary:delete(name)
  end
  ngx.log(ngx.WARN, problem or over)
end

function Shared:tokens()
  return self.token_store
end

return Shared
