-- Clients and listings as objects: closing, sharing between coroutines, what they say of
-- themselves and what they have cost.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

local function assert_closed(f, ...)
  local err = helper.error_of(f, ...)
  assert.is_true(avepoint.is_error(err), tostring(err))
  assert.equal("closed", err.kind)
  return err
end

describe("close()", function()
  it("ends a listing: what is used afterwards raises closed", function()
    local client = helper.client { customers = 12 }
    local listing = client:customers { page_size = 5 }
    local filtered = listing:skip(0)
    listing()
    listing:close()
    listing:close()
    for _, l in ipairs { listing, filtered } do
      assert_closed(l)
      local customer, err = l:next()
      assert.is_nil(customer)
      assert.equal("closed", err.kind)
      for _, name in ipairs { "collect", "count", "first", "total" } do
        assert_closed(l[name], l)
      end
    end
    assert_closed(function()
      for _ in listing:pages() do listing = nil end
    end)
    assert.equal(12, client:customers():count()) -- others go on
  end)

  it("of a derived listing is that of its source", function()
    local listing = helper.client({ customers = 3 }):customers()
    local mapped = listing:failed():map(tostring)
    mapped:close()
    assert_closed(listing)
  end)

  it("before anything was asked for sends nothing", function()
    local client, id = helper.client { customers = 3 }
    local listing = client:customers()
    listing:close()
    assert_closed(listing)
    assert.same({}, helper.journal(id))
  end)

  it("of the client ends all of its listings", function()
    local client = helper.client { customers = 12 }
    local one, two = client:customers({ page_size = 5 }), client:customers()
    one()
    client:close()
    client:close()
    assert_closed(one)
    assert_closed(two)
    local err = assert_closed(client.customers, client)
    assert.matches("avepoint.client", err.message, 1, true)
    assert.matches("closed", tostring(client), 1, true)
  end)

  it("happens by itself when nothing refers to them any more", function()
    local weak = setmetatable({}, { __mode = "k" })
    for _ = 1, 20 do
      local client = helper.client { customers = 5 }
      local listing = client:customers { page_size = 2 }
      listing()
      listing()
      weak[client], weak[listing] = true, true
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(weak))
  end)

  it("is not needed while a listing is used: it keeps its client", function()
    local listing = helper.client({ customers = 12 }):customers { page_size = 5 }
    collectgarbage()
    collectgarbage()
    assert.equal(12, listing:count())
  end)
end)

describe("stats()", function()
  it("counts what a listing has cost", function()
    local client = helper.client { customers = 23, faults = { { on = "page", page = 2, status = 503,
      headers = { ["Retry-After"] = "0" } } } }
    local listing = client:customers { page_size = 5 }
    assert.equal(0, listing:stats().requests)
    assert.equal(0, listing:stats().pages)
    listing:count()
    local stats = listing:stats()
    assert.equal(6, stats.requests)
    assert.equal(1, stats.retries)
    assert.equal(5, stats.pages)
    assert.equal(1, stats.readings)
    assert.equal(0, stats.missing)
    assert.is_true(stats.bytes > 500)
    assert.is_true(stats.seconds > 0 and stats.seconds < 30)
    local one, other = listing:stats(), listing:failed():stats()
    assert.same(one, other) -- time stands still at the end
  end)

  it("is of one listing, not of the client", function()
    local client = helper.client { customers = 23 }
    local one, two = client:customers { page_size = 5 }, client:customers { page_size = 10 }
    one:count()
    two:count()
    assert.equal(5, one:stats().requests)
    assert.equal(3, two:stats().requests)
  end)
end)

describe("tostring", function()
  it("of a listing says how far it is", function()
    local listing = helper.client({ customers = 23 }):customers { page_size = 5 }
    local texts = { tostring(listing) }
    for _ = 1, 7 do listing() end
    texts[2] = tostring(listing)
    assert.matches("7", texts[2], 1, true)
    assert.matches("23", texts[2], 1, true)
    listing:count()
    texts[3] = tostring(listing)
    listing:close()
    texts[4] = tostring(listing)
    for i = 1, #texts do
      assert.matches("listing", texts[i], 1, true)
      assert.not_matches("\n", texts[i], 1, true)
      for j = 1, i - 1 do assert.not_equal(texts[i], texts[j]) end
    end
  end)

  it("of client, listing and error never shows a secret", function()
    local client = helper.client { customers = 3, endpoints = { get = 403, batch = 403 } }
    local listing = client:customers()
    local _, err = listing:next()
    for _, value in ipairs { client, listing, err } do
      local text = helper.everything(value)
      assert.not_matches(helper.client_secret, text, 1, true)
      assert.not_matches("Bearer", text, 1, true)
    end
    local fixed = avepoint.client { access_token = "made-up-token-123456",
      proxy = "http://user:made-up-password@127.0.0.1:1", max_attempts = 1 }
    local _, refused = fixed:customers():next()
    for _, value in ipairs { fixed, fixed:customers(), refused } do
      assert.not_matches("made%-up", helper.everything(value))
    end
  end)
end)

-- A driver that gives way to whoever resumes the coroutine.
local function yielding(options)
  options.driver = { wait = function() coroutine.yield() end }
  return options
end

-- Resumes coroutines in turn until all are dead; raises what they raise.
local function run_all(left)
  while #left > 0 do
    for i = #left, 1, -1 do
      local ok, err = coroutine.resume(left[i])
      if not ok then error(err, 0) end
      if coroutine.status(left[i]) == "dead" then table.remove(left, i) end
    end
  end
end

local function reader(listing, list)
  return coroutine.create(function()
    local customer, err = listing:next()
    while customer do
      list[#list + 1] = customer
      customer, err = listing:next()
    end
    if err then error(err, 0) end
  end)
end

describe("coroutines", function()
  it("may share a client, with one token and any number of listings", function()
    local client, id = helper.client({ customers = 23, latency = 0.01 }, yielding {})
    local lists, readers = {}, {}
    for i = 1, 5 do
      lists[i] = {}
      readers[i] = reader(client:customers { page_size = 4 + i }, lists[i])
    end
    run_all(readers)
    for i = 1, 5 do assert.equal(23, helper.distinct(lists[i])) end
    assert.equal(1, #helper.journal(id, "/connect/token"))
  end)

  it("may not share a listing while one waits: busy, an argument error", function()
    local client = helper.client({ customers = 23 }, yielding {})
    local listing, list = client:customers { page_size = 5 }, {}
    local waiting = reader(listing, list)
    assert.is_true(coroutine.resume(waiting))
    for _, f in ipairs { listing.next, listing.total, listing.first, listing.count } do
      local err = helper.error_of(coroutine.wrap(f), listing)
      assert.is_string(err)
      assert.matches("busy", err, 1, true)
    end
    run_all { waiting }
    assert.equal(23, helper.distinct(list)) -- nothing was lost by it
  end)

  it("that were dropped in a wait leave the listing to others", function()
    local client = helper.client({ customers = 23 }, yielding {})
    local listing, list = client:customers { page_size = 5 }, {}
    local dropped = reader(listing, {})
    assert.is_true(coroutine.resume(dropped))
    dropped = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    run_all { reader(listing, list) }
    assert.equal(23, helper.distinct(list))
  end)

  it("that met an error and live on leave the listing to others", function()
    local failures = 1
    local client = helper.client({ customers = 23 }, { on_event = function(event)
      if event.event == "response" and failures > 0 then
        failures = failures - 1
        error("mine", 0)
      end
    end })
    -- Pulls until the callback's error comes; gives what came before it.
    local function pull_until_error(listing, list)
      local ok, customer = pcall(listing.next, listing)
      while ok do
        list[#list + 1] = customer
        ok, customer = pcall(listing.next, listing)
      end
      assert.equal("mine", customer)
    end
    local listing, list = client:customers { page_size = 5 }, {}
    pull_until_error(listing, list) -- here, in the main coroutine
    run_all { reader(listing, list) }
    assert.equal(23, #list)
    assert.equal(23, helper.distinct(list))

    failures, listing, list = 1, client:customers { page_size = 5 }, {}
    local living = coroutine.wrap(function()
      pull_until_error(listing, list)
      coroutine.yield()
    end)
    living()
    for customer in listing do list[#list + 1] = customer end
    assert.equal(23, #list)
    assert.equal(23, helper.distinct(list))
  end)
end)
