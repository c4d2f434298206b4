-- While another process held the lock of the token store, a listing looked for the token in a loop
-- of its own: no deadline held, nobody stepped the client, and where a descriptor was ready it
-- looked a hundred thousand times a second. And a lock that was taken stayed taken where the store
-- then raised, the client was closed, or the listing was left.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local blocking = require "avepoint.driver.blocking"
local cjson = require "cjson"
local helper = require "spec.helper"

local function new_place()
  local place = { entries = {}, gets = 0, held = false, taken = 0 }
  function place:get(key)
    self.gets = self.gets + 1
    return self.entries[key]
  end
  function place:put(key, value)
    self.entries[key] = value
  end
  function place:lock()
    if self.held then return nil end
    self.held, self.taken = true, self.taken + 1
    return function() self.held = false end
  end
  return place
end

local function new_client(scenario, place, more)
  local id = helper.scenario(scenario)
  local options = helper.options(id, more)
  options.token_store = place
  return avepoint.client(options), id
end

describe("a listing that waits for a token that another process fetches", function()
  it("keeps its deadline and looks a few times a second", function()
    local place = new_place()
    place.held = true
    local client = new_client({ customers = 5 }, place)
    local before = os.time()
    local _, err = client:customers({ deadline = 1 }):next()
    assert.equal("timeout", err.kind)
    assert.is_true(os.time() - before <= 3)
    assert.is_true(place.gets > 4 and place.gets < 60, place.gets)
  end)

  it("lets the client go on with what is under way", function()
    local place = new_place()
    local client = new_client({ customers = 50, latency = 0.2, token = { uses = 2 } }, place,
      { concurrency = 2 })
    local listing = client:customers { page_size = 10 }
    assert.is_table(listing())
    local lock, looks = place.lock, 0
    function place.lock(self)
      looks = looks + 1
      self.held = looks < 20
      return lock(self)
    end
    assert.equal(49, listing:count())
    assert.is_true(place.gets < 80, place.gets)
  end)

  it("ends when it is closed meanwhile", function()
    for _, what in ipairs { "client", "listing" } do
      local place, client, listing, waits = new_place(), nil, nil, 0
      place.held = true
      client = new_client({ customers = 5 }, place, { driver = { wait = function(c, seconds)
        waits = waits + 1
        if waits == 3 then
          (what == "client" and client or listing):close()
        end
        blocking.wait(c, seconds)
      end } })
      listing = client:customers()
      local _, err = listing:next()
      assert.equal("closed", err.kind)
      assert.is_true(place.gets < 10)
    end
  end)
end)

describe("the lock of a token store is let go", function()
  it("where put raises", function()
    local place = new_place()
    function place.put() error("mine", 0) end
    local listing = new_client({ customers = 5 }, place):customers()
    assert.equal("mine", helper.error_of(listing))
    assert.is_false(place.held)
    assert.equal(5, listing:count())
  end)

  it("where the second look raises", function()
    local place = new_place()
    local get = place.get
    function place:get(key)
      if self.gets == 1 then
        self.gets = 2
        error("mine", 0)
      end
      return get(self, key)
    end
    local listing = new_client({ customers = 5 }, place):customers()
    assert.equal("mine", helper.error_of(listing))
    assert.is_false(place.held)
    assert.equal(5, listing:count())
  end)

  it("where client or listing is closed, or the wait is cancelled, in mid-fetch", function()
    for _, how in ipairs { "client", "listing", "cancel" } do
      local place, client, listing = new_place(), nil, nil
      local done = false
      client = new_client({ customers = 5, token_latency = 1 }, place, { driver = {
        wait = function(c, seconds)
          blocking.wait(c, seconds)
          if place.held and not done then
            done = true
            if how == "cancel" then error("avepoint: cancelled", 0) end
            (how == "client" and client or listing):close()
          end
        end } })
      listing = client:customers()
      local ok, _, err = pcall(listing.next, listing)
      assert.is_true(not ok and how == "cancel" or err.kind == "closed")
      assert.equal(1, place.taken)
      assert.is_false(place.held, how)
    end
  end)
end)

describe("a lock whose token nobody waits for any more", function()
  it("is given back when the client is closed", function()
    local place = new_place()
    local client = new_client({ customers = 5, token_latency = 1 }, place, {
      on_event = function() if place.held then error("mine", 0) end end })
    local listing = client:customers()
    assert.equal("mine", helper.error_of(listing))
    assert.is_true(place.held) -- the token is still being fetched, for whoever asks again
    client:close()
    assert.is_false(place.held)
  end)
end)

describe("the key of a token store", function()
  it("tells secrets that come from files apart", function()
    local base, token = helper.urls(helper.scenario { customers = 5 })
    local hashes = {}
    for i, secret in ipairs { "one", "another", "one" } do
      local path = helper.temporary ".secret"
      helper.write(path, secret .. "\n")
      local pipe = io.popen(("AVEPOINT_CLIENT_ID=x AVEPOINT_CLIENT_SECRET_FILE=%s %s -e '%s'")
        :format(path, helper.lua, ([[
          local client = require "avepoint".client { base_url = %s, token_url = %s }
          print(require "avepoint.core".state(client).about.credential_hash)
        ]]):format(cjson.encode(base):gsub("\\/", "/"), cjson.encode(token):gsub("\\/", "/"))))
      hashes[i] = pipe:read "*l"
      pipe:close()
      assert.matches("^%x+$", hashes[i])
    end
    assert.not_equal(hashes[1], hashes[2])
    assert.equal(hashes[1], hashes[3])
  end)
end)
