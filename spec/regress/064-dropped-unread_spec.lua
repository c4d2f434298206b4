-- A page that had come and was dropped unread, by first() or because the total had shrunk, may have
-- shown another total: a boundary that was then accepted for its totals alone lost a customer.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local function row(id)
  return ('{"id":"%s"}'):format(id)
end

local function body(ids, total)
  local rows = {}
  for i = 1, #ids do rows[i] = row(ids:sub(i, i)) end
  return ('{"data":[%s],"metadata":{"totalCount":%d}}'):format(table.concat(rows, ","), total)
end

local function answer(page, ids, total)
  return { on = "get", page = page, status = 200, body = body(ids, total), times = 1 }
end

local function totalless(page, ids)
  local text = body(ids, 0):gsub('"metadata.*', '"metadata":{}}')
  return { on = "get", page = page, status = 200, body = text, times = 1 }
end

local function letters(list)
  local ids = helper.ids(list)
  table.sort(ids)
  return table.concat(ids)
end

local function let_come(client)
  for _ = 1, 300 do
    client:step()
    os.execute "sleep 0.002"
  end
end

describe("a page that came and was dropped unread", function()
  it("by first() lets the page before it be read again", function()
    -- a b c d e f g; a is removed while page 2 is read ahead, then h is added
    local client = helper.client { raw_items = { row "b", row "c", row "d", row "e", row "f",
      row "g", row "h" }, faults = { answer(1, "abc", 7), answer(2, "efg", 6) } }
    local listing = client:customers { page_size = 3, concurrency = 1, endpoint = "get" }
    local list = { listing(), listing() }
    let_come(client) -- page 2, which is not looked at
    list[#list + 1] = listing:first()
    for customer in listing do list[#list + 1] = customer end
    assert.equal("abcdefgh", letters(list))
  end)

  it("does not spoil the position of an error behind the page that is read again", function()
    local client = helper.client { raw_items = { row "a", row "b", row "c", row "d", row "e",
      row "f", row "g" }, faults = { answer(2, "def", 7), { on = "get", page = 2, status = 403 } } }
    local listing = client:customers { page_size = 3, concurrency = 1, endpoint = "get" }
    assert.is_table(listing() and listing())
    let_come(client) -- page 2, which is not looked at
    assert.equal("c", listing:first().id)
    local _, err = listing:next()
    assert.equal("forbidden", err.kind)
    local rest = client:customers { resume = err.position, endpoint = "get" }
    assert.equal("defg", letters(rest:collect()))
  end)

  it("costs nothing where nothing had come", function()
    local client, id = helper.client { customers = 23 }
    local listing = client:customers { page_size = 5, concurrency = 1 }
    for _ = 1, 23 do assert.is_table(listing:first()) end
    assert.same({ 1, 2, 3, 4, 5 }, helper.pages(id))
  end)

  it("is no sign: a resumed listing of a list at rest goes on after it", function()
    local client = helper.client { customers = 23 }
    local listing = client:customers { page_size = 5 }
    for _ = 1, 3 do listing() end
    local rest = client:customers { resume = listing:position(), concurrency = 4 }
    local list = { rest(), rest(), rest() }
    let_come(client)
    list[#list + 1] = rest:first()
    for customer in rest do list[#list + 1] = customer end
    assert.equal(20, #list)
    assert.equal(20, helper.distinct(list))
  end)
end)

describe("totals that come late", function()
  it("leave the list to be read twice", function()
    -- a b c d e f g h without totals, b removed between pages 1 and 2, totals from page 3 on
    local client = helper.client { raw_items = { row "a", row "c", row "d", row "e", row "f",
      row "g", row "h" }, faults = {
        totalless(1, "ab"), totalless(2, "de"),
      } }
    local listing = client:customers { page_size = 2, concurrency = 1, endpoint = "get" }
    assert.equal("abcdefgh", letters(listing:collect()))
    assert.equal(2, listing:stats().readings)
  end)
end)

describe("a position on a page that held known customers behind it", function()
  it("resumes under ignore only: they would come again", function()
    -- a..h; while page 1 is read, x, y and z come in: x y in front, z behind a
    local client = helper.client { raw_items = { row "x", row "y", row "a", row "z", row "b",
      row "c", row "d", row "e", row "f", row "g", row "h" },
      faults = { answer(1, "abc", 8) } }
    local listing = client:customers { page_size = 3, concurrency = 1, endpoint = "get" }
    for _ = 1, 3 do listing() end
    assert.equal("z", listing().id) -- page 2 is z b c
    local _, err = client:customers({ resume = listing:position(), endpoint = "get" }):next()
    assert.equal("drift", err and err.kind)
    assert.equal("d", listing().id)
    local rest = client:customers { resume = listing:position(), endpoint = "get" }
    assert.equal("efgh", letters(rest:collect()))
  end)

  it("does so too behind all rows of a page whose last one was known", function()
    -- a..h; while page 1 is read, v to z come in, in front
    local client = helper.client { raw_items = { row "v", row "w", row "x", row "y", row "z",
      row "a", row "b", row "c", row "d", row "e", row "f", row "g", row "h" },
      faults = { answer(1, "abc", 8) } }
    local listing = client:customers { page_size = 3, concurrency = 1, endpoint = "get" }
    local next_page = listing:pages()
    assert.equal("abc", letters(next_page()))
    assert.equal("yz", letters(next_page())) -- and a, behind which b and c stand
    local _, err = client:customers({ resume = listing:position(), endpoint = "get" }):next()
    assert.equal("drift", err and err.kind)
  end)
end)
