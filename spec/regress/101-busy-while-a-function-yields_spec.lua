-- A listing counted as busy only while it waited for the network. While a function of the user's
-- that it had called yielded, another coroutine was let in, and both hung.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local function pass()
  return function() end -- of a lock: what unlocks it
end

local function yielding(value)
  return function()
    coroutine.yield "mine"
    return value, 3600
  end
end

-- Begins to read the listing in a coroutine until a function of the user's yields.
local function begin(listing)
  local co = coroutine.create(function() return listing:count() end)
  assert.same({ true, "mine" }, { coroutine.resume(co) })
  return co
end

-- Resumes the coroutine until it ends; gives its value.
local function finish(co)
  local ok, value
  repeat
    ok, value = coroutine.resume(co)
    assert.is_true(ok, tostring(value))
  until coroutine.status(co) == "dead"
  return value
end

describe("a listing whose caller's function has yielded", function()
  local places = {
    client_secret = { client_secret = yielding(helper.client_secret) },
    access_token = { access_token = yielding "a-token" },
    ["the store's get"] = { token_store = { get = yielding(), put = function() end, lock = pass } },
  }
  for place, options in pairs(places) do
    it("is busy for others: " .. place, function()
      local client = helper.client({ customers = 10, token = { known = "a-token" } }, options)
      local listing = client:customers()
      local co = begin(listing)
      for _, method in ipairs { "first", "total", "count" } do
        assert.matches("this listing is busy", helper.error_of(listing[method], listing), 1, true)
      end
      assert.equal(10, finish(co))
    end)
  end

  it("is busy also after the function has used the listing itself", function()
    local listing, co
    local calls = 0
    local client = helper.client({ customers = 10 }, { on_event = function()
      calls = calls + 1
      if calls == 1 then
        listing:first()
      elseif coroutine.running() == co then
        coroutine.yield "mine"
      end
    end })
    listing = client:customers()
    co = coroutine.create(function() return listing:count() end)
    assert.same({ true, "mine" }, { coroutine.resume(co) })
    assert.matches("this listing is busy", helper.error_of(listing.first, listing), 1, true)
    assert.equal(9, finish(co))
  end)

  it("is busy for a coroutine that the function resumes", function()
    local listing, said
    local client = helper.client({ customers = 10 }, { on_event = function()
      said = said or select(2, coroutine.resume(coroutine.create(function()
        return listing:first()
      end)))
    end })
    listing = client:customers()
    assert.equal(10, coroutine.wrap(function() return listing:count() end)())
    assert.matches("this listing is busy", said, 1, true)
  end)

  it("is free again after an error and at the end", function()
    local n = 0
    local client = helper.client({ customers = 10 }, { client_secret = function()
      n = n + 1
      if n == 1 then error("mine", 0) end
      return helper.client_secret
    end })
    local listing = client:customers()
    local ok, err = coroutine.resume(coroutine.create(function() return listing:first() end))
    assert.same({ false, "mine" }, { ok, err })
    assert.is_table(listing:first())
    local co = coroutine.create(function() return listing:count() end)
    assert.equal(9, finish(co))
    assert.is_nil(listing:first())
  end)
end)
