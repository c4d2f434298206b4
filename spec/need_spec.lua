-- What a listing asks for when only a part of it is wanted, and how its parts are read: take, skip,
-- map, pages, total.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local function truth() return true end
local function same(c) return c end

-- 23 customers in pages of 5. What is taken of it, how many customers come, which pages are asked.
local cases = {
  { "take(0)", function(l) return l:take(0):collect() end, 0, {} },
  { "take(1)", function(l) return l:take(1):collect() end, 1, { 1 } },
  { "take(5)", function(l) return l:take(5):collect() end, 5, { 1 } },
  { "take(6)", function(l) return l:take(6):collect() end, 6, { 1, 2 } },
  { "take(10)", function(l) return l:take(10):collect() end, 10, { 1, 2 } },
  { "take(99)", function(l) return l:take(99):collect() end, 23, { 1, 2, 3, 4, 5 } },
  { "take(99):take(5)", function(l) return l:take(99):take(5):collect() end, 5, { 1 } },
  { "take(5):take(99)", function(l) return l:take(5):take(99):collect() end, 5, { 1 } },
  { "take(7):skip(3)", function(l) return l:take(7):skip(3):collect() end, 4, { 1, 2 } },
  { "take(7):skip(9)", function(l) return l:take(7):skip(9):collect() end, 0, { 1, 2 } },
  { "skip(3):take(2)", function(l) return l:skip(3):take(2):collect() end, 2, { 1 } },
  { "skip(5):take(5)", function(l) return l:skip(5):take(5):collect() end, 5, { 1, 2 } },
  { "skip(5):take(0)", function(l) return l:skip(5):take(0):collect() end, 0, {} },
  { "skip(0):take(5)", function(l) return l:skip(0):take(5):collect() end, 5, { 1 } },
  { "skip(99)", function(l) return l:skip(99):collect() end, 0, { 1, 2, 3, 4, 5 } },
  { "skip(7):first()", function(l) return { l:skip(7):first() } end, 1, { 1, 2 } },
  { "skip(2):first()", function(l) return { l:skip(2):first() } end, 1, { 1 } },
  { "take(5):map", function(l) return l:take(5):map(same):collect() end, 5, { 1 } },
  { "take(5):filter", function(l) return l:take(5):filter(truth):collect() end, 5, { 1 } },
  { "take(5):filter:first", function(l) return { l:take(5):filter(truth):first() } end, 1, { 1 } },
  { "take twice", function(l) l:take(5):collect() return l:take(5):collect() end, 5, { 1, 2 } },
  { "first of take", function(l) return { l:take(6):first() } end, 1, { 1 } },
  { "a call and take", function(l) l() return l:take(4):collect() end, 4, { 1 } },
  { "a loop over take", function(l)
    local list = {}
    for c in l:take(5) do list[#list + 1] = c end
    return list
  end, 5, { 1 } },
}

describe("only what is needed is asked for by", function()
  for _, case in ipairs(cases) do
    it(case[1], function()
      local client, id = helper.client { customers = 23 }
      local list = case[2](client:customers { page_size = 5 })
      assert.equal(case[3], #list)
      assert.equal(case[3], helper.distinct(list))
      for _ = 1, 10 do client:step() end
      local pages = helper.pages(id)
      table.sort(pages)
      assert.same(case[4], pages)
      if #case[4] == 0 then assert.same({}, helper.journal(id)) end
    end)
  end

  it("skip, which counts rows, not pages that failed", function()
    local fault = { on = "page", page = 1, status = 403, times = 2 }
    local listing = helper.client({ customers = 23, faults = { fault } }):customers {
      page_size = 5, endpoint = "get" }
    local rest = listing:skip(7)
    assert.equal("forbidden", helper.error_of(rest).kind)
    assert.equal("forbidden", select(2, rest:next()).kind)
    assert.equal(16, rest:count())
  end)

  it("take, which counts rows, not pages that failed", function()
    local fault = { on = "page", page = 2, status = 403, times = 2 }
    local part = helper.client({ customers = 23, faults = { fault } }):customers({
      page_size = 5, endpoint = "get" }):take(7)
    for _ = 1, 5 do assert.is_table(part()) end
    assert.equal("forbidden", helper.error_of(part).kind)
    assert.equal("forbidden", select(2, part:next()).kind)
    assert.equal(2, part:count())
  end)

  it("take, which does not end its source", function()
    local listing = helper.client({ customers = 23 }):customers { page_size = 5 }
    assert.equal(6, #listing:take(6):collect())
    assert.equal(17, #listing:collect())
  end)
end)

describe("map", function()
  it("drops nil and goes on, and only the first result counts", function()
    local n = 0
    local list = helper.client({ customers = 23 }):customers({ page_size = 5 }):map(function(c)
      n = n + 1
      if n % 3 == 0 then return c.id, "more" end
      return nil, c.id
    end):collect()
    assert.equal(7, #list)
    assert.is_string(list[1])
    assert.equal(1, select("#", helper.client({ customers = 1 }):customers()
      :map(function() return 1, 2, 3 end)()))
  end)

  it("keeps false, which does not end a list", function()
    local client = helper.client { customers = 4 }
    local function no() return false end
    assert.equal(4, client:customers():map(no):count())
    assert.same({ false, false }, client:customers():map(no):take(2):collect())
    assert.is_false(client:customers():map(no):first())
    assert.equal(2, client:customers():map(no):skip(2):count())
    assert.equal(4, client:customers():map(no):map(function(v) return not v end):count())
  end)

  it("takes whatever can be called", function()
    local callable = setmetatable({}, { __call = function(_, c) return c.organization end })
    assert.is_string(helper.client({ customers = 1 }):customers():map(callable)())
    assert.is_table(helper.client({ customers = 1 }):customers():filter(callable)())
  end)
end)

describe("pages()", function()
  it("gives lists and their metadata", function()
    local client = helper.client { customers = 23 }
    local sizes, all = {}, {}
    for list, metadata in client:customers({ page_size = 5 }):pages() do
      sizes[#sizes + 1] = #list
      assert.same({ pageIndex = #sizes, pageSize = 5, totalCount = 23 }, metadata)
      for _, customer in ipairs(list) do all[#all + 1] = customer end
    end
    assert.same({ 5, 5, 5, 5, 3 }, sizes)
    assert.equal(23, helper.distinct(all))
  end)

  it("gives the rest of the current page first", function()
    local listing = helper.client({ customers = 12 }):customers { page_size = 5 }
    local seen = { listing(), (listing()) }
    local rest = listing:pages()()
    assert.equal(3, #rest)
    for _, customer in ipairs(rest) do seen[#seen + 1] = customer end
    for customer in listing do seen[#seen + 1] = customer end
    assert.equal(12, #seen)
    assert.equal(12, helper.distinct(seen))
  end)

  it("gives no page after the last customer, and none of an empty list", function()
    local listing = helper.client({ customers = 5 }):customers { page_size = 5 }
    for _ = 1, 5 do listing() end
    assert.is_nil((listing:pages()()))
    assert.is_nil((helper.client({ customers = 0 }):customers():pages()()))
  end)

  it("is refused on a filtered listing", function()
    local err = helper.error_of(function()
      return (helper.client({ customers = 1 }):customers():failed():pages())
    end)
    assert.is_string(err)
    assert.matches("need_spec.lua:%d+:", err)
  end)
end)

describe("total()", function()
  it("fetches the first page once and keeps it for the loop", function()
    local client, id = helper.client { customers = 12 }
    local listing = client:customers { page_size = 5 }
    assert.equal(12, listing:total())
    assert.same({ 1 }, helper.pages(id))
    assert.equal(12, listing:failed():total())
    assert.equal(12, listing:count())
    assert.same({ 1, 2, 3 }, helper.pages(id))
    assert.equal(12, listing:total())
  end)

  it("counts all customers whatever is taken or filtered", function()
    local client = helper.client { customers = 12 }
    assert.equal(12, client:customers():take(1):total())
    assert.equal(12, client:customers():take(0):total())
    assert.equal(12, client:customers({ first_page = 2, page_size = 5 }):total())
    assert.equal(0, helper.client({ customers = 0 }):customers():total())
    local listing = client:customers()
    listing:first()
    assert.equal(12, listing:total())
  end)

  it("raises an error object where the page fails, and can be asked again", function()
    local client = helper.client { customers = 3, faults = { { on = "page", status = 404 } } }
    local listing = client:customers { endpoint = "get" }
    assert.equal("not_found", helper.error_of(listing.total, listing).kind)
    assert.equal(3, listing:total())
  end)

  it("is a whole number", function()
    assert.equal("12", tostring(helper.client({ customers = 12 }):customers():total()))
  end)
end)

describe("first_page", function()
  it("starts there, and takes nothing of the pages before", function()
    local client, id = helper.client { customers = 23 }
    assert.equal(13, client:customers({ page_size = 5, first_page = 3 }):count())
    local pages = helper.pages(id)
    table.sort(pages)
    assert.same({ 3, 4, 5 }, pages)
  end)

  it("beyond the end is an empty list", function()
    for _, past in ipairs { "empty", 204 } do
      local client = helper.client { customers = 5, past_end = past }
      local listing = client:customers { page_size = 5, first_page = 4, endpoint = "get" }
      assert.is_nil(listing())
    end
  end)
end)
