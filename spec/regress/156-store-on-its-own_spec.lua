-- Where processes share a token: an unlock that comes late leaves the lock that another has by now,
-- and a token that is over is not put there.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

-- The store, over a core that returns these values for the token, and says whether the one at hand
-- will do for a while.
local function store_with(will_do, ...)
  local values, real = { ... }, package.loaded["avepoint.core"]
  package.loaded["avepoint.core"] = { hash = function() return "hash" end,
    token = function() return values[1], values[2], values[3] end,
    later = function() return will_do end,
    fetch = function() return true end, found = function() return false end }
  local store = dofile(helper.top .. "/lua/avepoint/store.lua")
  package.loaded["avepoint.core"] = real
  return store
end

-- A dictionary of nginx.
local function dictionary()
  local entries = {}
  return {
    get = function(_, key) return entries[key] end,
    set = function(_, key, value) entries[key] = value end,
    add = function(_, key, value)
      if entries[key] then return nil, "exists" end
      entries[key] = value
      return true
    end,
    delete = function(_, key) entries[key] = nil end,
  }, entries
end

describe("the token's store", function()
  it("gives back its own lock, and leaves another's", function()
    local shared, entries = dictionary()
    rawset(_G, "ngx", { shared = { tokens = shared }, worker = { pid = function() return 1 end } })
    finally(function() rawset(_G, "ngx", nil) end)
    local store = store_with(false)
    local state = { token_store = "tokens", about = { token_url = "u" } }
    local name = "avepoint token hash lock"
    assert.is_nil(store.open(state))
    assert.is_true(store.answer({}, state, 0))
    assert.is_truthy(entries[name])
    store.close(state)
    assert.is_nil(entries[name])
    assert.is_true(store.answer({}, state, 0))
    entries[name] = "another's"
    store.close(state)
    assert.equal("another's", entries[name])
  end)

  it("leaves a renewal to whom has the lock, while the old token is good", function()
    local place = { get = function() end, lock = function() end, put = print }
    for _, row in ipairs { -- will the old one do; waited so long: answered, fetching
      { true, 0, true, false }, { true, 1000, true, false },
      { false, 0, false, false }, { false, 1000, true, true },
    } do
      local state = { token_store = place, about = { token_url = "u" } }
      local store = store_with(row[1])
      assert.is_nil(store.open(state))
      assert.equal(row[3], store.answer({}, state, row[2]))
      assert.equal(row[4], state.fetching)
    end
  end)

  it("gets no token that is over", function()
    for seconds, wanted in pairs { [-1] = 0, [0] = 0, [60] = 1 } do
      local store, puts, unlocked = store_with(false, true, "token", seconds), 0, false
      store.settle({}, { fetching = true, store_key = "key",
        store = { put = function() puts = puts + 1 end },
        unlock = function() unlocked = true end })
      assert.equal(wanted, puts)
      assert.is_true(unlocked)
    end
  end)
end)
