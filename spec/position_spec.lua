-- Positions: where a listing stands, and going on from there in a new one.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

local TOTAL, SIZE = 23, 5

local function new(fields, more)
  fields.customers = fields.customers or TOTAL
  return helper.client(fields, more)
end

local function take(listing, n)
  local list = {}
  for i = 1, n do list[i] = listing() end
  return list
end

describe("a position", function()
  it("at every offset, the rest of an unchanged list is resumed once each", function()
    local client, id = new {}
    local whole = helper.ids(client:customers():collect())
    for _, endpoint in ipairs { "get", "batch" } do
      for k = 0, TOTAL do
        local listing = client:customers { page_size = SIZE, endpoint = endpoint }
        local ids = helper.ids(take(listing, k))
        local position = listing:position()
        assert.matches("^[%w%p]+$", position)
        assert.is_true(#position < 200)
        local other = avepoint.client(helper.options(id))
        for _, rest in ipairs(helper.ids(other:customers({ resume = position }):collect())) do
          ids[#ids + 1] = rest
        end
        assert.same(whole, ids, "at " .. k)
      end
    end
  end)

  it("reads that page again, and none before it", function()
    local client, id = new {}
    local listing = client:customers { page_size = SIZE }
    take(listing, 12)
    local position = listing:position()
    listing:close()
    local before = #helper.pages(id)
    assert.equal(11, client:customers({ resume = position }):count())
    for i, page in ipairs(helper.pages(id)) do
      assert.is_true(i <= before or page >= 3)
    end
  end)

  it("goes on at the endpoint that it was taken at, whatever the client's is", function()
    local method = { get = "GET", batch = "POST" }
    for endpoint, other in pairs { get = "batch", batch = "get" } do
      local client, id = new({}, { endpoint = other })
      local listing = client:customers { page_size = SIZE, endpoint = endpoint }
      take(listing, 12)
      assert.equal(11, client:customers({ resume = listing:position() }):count())
      local journal = helper.journal(id)
      for i = 2, #journal do assert.equal(method[endpoint], journal[i].method) end -- 1: the token's
      assert.is_true(#journal > 4)
    end
  end)

  it("follows a chain of resumptions", function()
    local client, seen, position = (new {}), {}, nil
    repeat
      local list = client:customers({ page_size = SIZE, resume = position }):take(3)
      local n = #seen
      for customer in list do seen[#seen + 1] = customer end
      position = list:position()
    until #seen == n
    assert.equal(TOTAL, #seen)
    assert.equal(TOTAL, helper.distinct(seen))
  end)

  it("is the same from a filtered listing", function()
    local listing = new({}):customers { page_size = SIZE }
    local filtered = listing:filter(function() return true end):map(tostring)
    filtered()
    assert.equal(listing:position(), filtered:position())
  end)

  it("in an error is where to resume", function()
    local client = new { faults = { { on = "page", page = 3, status = 403, times = 1 } } }
    local listing, seen = client:customers({ page_size = SIZE, endpoint = "get" }), {}
    local customer, err = listing:next()
    while customer do
      seen[#seen + 1] = customer
      customer, err = listing:next()
    end
    assert.equal("forbidden", err.kind)
    assert.equal(10, #seen)
    assert.equal(listing:position(), err.position)
    for other in client:customers { resume = err.position } do seen[#seen + 1] = other end
    assert.equal(TOTAL, helper.distinct(seen))
    assert.equal(TOTAL, #seen)
  end)

  it("of a listing that has not begun is its beginning", function()
    local client = new {}
    local position = client:customers({ page_size = SIZE, first_page = 3 }):position()
    assert.equal(13, client:customers({ resume = position }):count())
  end)

  it("at the end resumes to nothing", function()
    local client = new {}
    local listing = client:customers { page_size = SIZE }
    assert.equal(TOTAL, listing:count())
    assert.is_nil(client:customers({ resume = listing:position() })())
  end)

  it("holds where the server gives no total, or another page size", function()
    for _, fields in ipairs { { no_total = true }, { metadata = false }, { page_size_max = 4 } } do
      local client = new(fields)
      local listing = client:customers { page_size = SIZE }
      local seen = take(listing, 9)
      for customer in client:customers { resume = listing:position() } do
        seen[#seen + 1] = customer
      end
      assert.equal(TOTAL, #seen)
      assert.equal(TOTAL, helper.distinct(seen))
    end
  end)

  it("counts the row whose filter raised: it was given to the filter", function()
    local client = new {}
    local n = 0
    local listing = client:customers({ page_size = SIZE }):filter(function()
      n = n + 1
      if n == 7 then error "mine" end
      return true
    end)
    take(listing, 6)
    assert.matches("mine", helper.error_of(listing))
    local position = listing:position()
    assert.equal(TOTAL - 7, client:customers({ resume = position }):count())
    assert.equal(TOTAL - 7, listing:count())
  end)

  it("of some customers only goes on with those", function()
    local client = new {}
    local ids = helper.ids(client:customers():collect())
    local wanted = { ids[20], ids[3], ids[11], ids[7] }
    local listing = client:customers { customer_ids = wanted, page_size = 2 }
    local seen = take(listing, 3)
    local shuffled = { wanted[4], wanted[2], wanted[1], wanted[3], wanted[2] } -- one of them twice
    for customer in client:customers { customer_ids = shuffled, resume = listing:position() } do
      seen[#seen + 1] = customer
    end
    assert.equal(4, #seen)
    assert.equal(4, helper.distinct(seen))
  end)
end)

describe("an argument error", function()
  local client, position, with_ids
  local function list(options) return (client:customers(options)) end

  setup(function()
    client = new {}
    local listing = client:customers { page_size = SIZE }
    take(listing, 7)
    position = listing:position()
    listing = client:customers { customer_ids = { "a" }, page_size = SIZE }
    with_ids = listing:position()
  end)

  local function refused(options)
    local err = helper.error_of(list, options)
    assert.is_string(err)
    assert.matches("position_spec.lua:%d+:", err)
    assert.matches("resume", err, 1, true)
  end

  it("is raised for a malformed position", function()
    for i = 1, #position do
      refused { resume = position:sub(1, i - 1) .. position:sub(i + 1) }
      local changed = position:sub(i, i) == "1" and "2" or "1"
      refused { resume = position:sub(1, i - 1) .. changed .. position:sub(i + 1) }
    end
    for _, text in ipairs { "x", position .. "0", position:rep(2),
      position .. "\0", ("9"):rep(5000), "ap1", "ap1-g-5-2-2-23-1-0-0-000000" } do
      refused { resume = text }
    end
  end)

  it("is not raised for white space around a position: a line of a file ends with some", function()
    for _, text in ipairs { " " .. position, position .. "\n", "\t" .. position .. " \r\n" } do
      assert.is_table(list { resume = text })
    end
    refused { resume = position:sub(1, 5) .. " " .. position:sub(6) }
    refused { resume = "  " }
  end)

  it("is raised for another page size, or other customers", function()
    refused { resume = position, page_size = SIZE + 1 }
    refused { resume = position, customer_ids = { "a" } }
    refused { resume = with_ids }
    refused { resume = with_ids, customer_ids = { "b" } }
    refused { resume = with_ids, customer_ids = { "a", "b" } }
    assert.is_table(list { resume = with_ids, customer_ids = { "a" } })
    assert.is_table(list { resume = position, page_size = SIZE })
  end)

  it("is raised for resume and first_page together", function()
    refused { resume = position, first_page = 2 }
  end)
end)

describe("a list that changed since the position was taken", function()
  -- The first listing asks for pages 1 and 2; the change comes before the third request.
  local function resumed(change, options)
    change.before = 3
    local client = new { changes = { change } }
    local listing = client:customers { page_size = SIZE, concurrency = 1, drift = "ignore" }
    for _ = 1, 7 do listing() end
    options.resume = listing:position()
    listing:close()
    return client:customers(options)
  end

  for _, drift in ipairs { "repair", "strict", "error" } do
    it("raises drift under " .. drift, function()
      for name, change in pairs { removed = { remove = 1 }, added = { insert = 1 },
        swapped = { move = { 7, 23 } }, ["removed and added"] = { remove = 1, insert = 22 } } do
        local customer, err = resumed(change, { drift = drift }):next()
        assert.is_nil(customer, name)
        assert.equal("drift", err.kind, name)
        assert.matches("start anew", err.message, 1, true)
      end
    end)
  end

  it("is read on under ignore", function()
    assert.equal(TOTAL - 1 - 7, resumed({ remove = 1 }, { drift = "ignore" }):count())
  end)

  it("raises drift where it changes later", function()
    local client = new { changes = { { before = 5, remove = 1 } } }
    local listing = client:customers { page_size = SIZE, concurrency = 1 }
    for _ = 1, 7 do listing() end
    local position = listing:position()
    listing:close()
    local rest = client:customers { resume = position, concurrency = 1 }
    local n = 0
    local customer, err = rest:next()
    while customer do
      n = n + 1
      customer, err = rest:next()
    end
    assert.equal("drift", err and err.kind)
    assert.is_true(n < TOTAL - 7)
  end)
end)

describe("a position taken while a page is read again", function()
  it("resumes under ignore only, until the page of the change is read again", function()
    local client = new { customers = 20, changes = { { before = 3, remove = 1 } } }
    local listing = client:customers { page_size = SIZE, concurrency = 1 }
    for _ = 1, 11 do assert.is_truthy(listing()) end -- the eleventh is on the page of the sign
    assert.equal(1, listing:stats().went_back)
    local position = listing:position()
    local _, err = client:customers({ resume = position }):next()
    assert.equal("drift", err.kind)
    assert.is_false(err.retryable)
    assert.matches("ignore", err.message, 1, true)
    assert.is_true(client:customers({ resume = position, drift = "ignore" }):count() >= 1)
    while #listing:position() > 0 and listing() do
      local rest = client:customers { resume = listing:position() }
      if rest:next() or rest:stats().pages > 1 then return end -- it resumes again
    end
    error "no position behind the change resumes"
  end)

  it("the same in a second reading", function()
    local client = new { customers = 12, no_total = true }
    local listing = client:customers { page_size = SIZE }
    assert.equal(12, listing:count())
    assert.equal(2, listing:stats().readings)
    local _, err = client:customers({ resume = listing:position() }):next()
    assert.equal("drift", err.kind)
  end)
end)
