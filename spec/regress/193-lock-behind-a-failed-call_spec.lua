-- Where any call failed for lack of memory right after the token store's lock had been taken, the
-- lock was kept until it expired, and this process waited for it too. (torture_spec.lua, the way
-- "store", lets allocations fail; this stands for LuaJIT too, which takes no allocator of ours.)
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

-- A store for one token that calls a function when its lock is taken first.
local function store_with(on_lock)
  local store = { locks = 0, unlocks = 0 }
  function store:get()
    return self.entry
  end
  function store:put(_, value)
    self.entry = value
  end
  function store:lock()
    if self.locks > self.unlocks then
      return nil
    end
    self.locks = self.locks + 1
    if self.locks == 1 then
      on_lock()
    end
    return function()
      self.unlocks = self.unlocks + 1
    end
  end
  return store
end

-- Lets the n-th call from now on fail, as it does where the stack cannot grow. Returns a function
-- that tells whether one has failed.
local function fail_at(n)
  local left = n
  debug.sethook(function()
    left = left - 1
    if left == 0 then
      debug.sethook()
      error("not enough memory", 0)
    end
  end, "c")
  return function()
    return left <= 0
  end
end

describe("the lock of the token's store", function()
  it("is given back whichever call behind it fails, and the next call goes on", function()
    local options = helper.options(helper.scenario { customers = 3, journal = false })
    local failed
    options.deadline = 5
    for n = 1, 10 do
      options.token_store = store_with(function() failed = fail_at(n) end)
      local client = avepoint.client(options)
      local list = client:customers()
      local ok, row = pcall(list)
      debug.sethook()
      if not ok then
        assert.is_true(failed(), tostring(row))
        assert.is_true(row == "not enough memory" or row.kind == "memory", tostring(row))
        row = list()
      end
      local store = options.token_store
      assert.is_table(row)
      assert.equal(2, list:count())
      assert.equal(store.locks, store.unlocks, "call " .. n)
      client:close()
    end
    assert.is_true(failed())
  end)
end)
