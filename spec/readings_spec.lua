-- Readings: how a listing reads again what changed or does not add up, and how that ends.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local moving = require "spec.support.moving"

local TOTAL, SIZE = moving.total, moving.size
local read = moving.read
local assert_once, assert_nothing_lost = moving.assert_once, moving.assert_nothing_lost

describe("a total that counts more than is sent", function()
  it("ends with stats().missing and a warning under repair", function()
    for _, fields in ipairs { { total_add = 2 }, { faults = { { on = "page", page = 2, times = -1,
      kind = "drop_rows", rows = 2 } } } } do
      local warnings = {}
      local ids, err, stats = read(fields, {}, { on_event = function(event)
        if event.event == "warning" then warnings[#warnings + 1] = event end
      end })
      assert.is_nil(err and tostring(err))
      assert.equal(fields.total_add and TOTAL or TOTAL - 2, #ids)
      assert_once(ids)
      assert.equal(2, stats.missing)
      assert.is_true(stats.readings >= 2 and stats.readings <= 3)
      assert.equal(1, #warnings)
      assert.matches("2", warnings[1].message, 1, true)
    end
  end)

  it("is told on stderr once a client, if there is no on_event", function()
    local id = helper.scenario { customers = 12, total_add = 3 }
    local script = helper.temporary ".lua"
    helper.write(script, [[
      local avepoint = require "avepoint"
      for _ = 1, 2 do avepoint.customers({ page_size = 5 }):count() end
      local loud = avepoint.client { on_event = function() end }
      loud:customers({ page_size = 5 }):count()
    ]])
    local words = {}
    for name, value in pairs(helper.environment(id)) do
      words[#words + 1] = ("%s='%s'"):format(name, value)
    end
    words = table.concat(words, " ")
    local pipe = io.popen(("env %s %s %s 2>&1"):format(words, helper.lua, script))
    local said = pipe:read "*a"
    pipe:close()
    assert.matches("^avepoint warning message=\"the server counts 3 customers more[^\n]*\n$", said)
  end)

  it("is nothing of the kind where customers come later", function()
    local ids, err, stats = read({ faults = { { on = "page", page = 2, kind = "drop_rows",
      rows = 2 } } }, {})
    assert.is_nil(err)
    assert.equal(TOTAL, #ids)
    assert.equal(0, stats.missing)
  end)
end)

describe("growth", function()
  it("that was read again excuses nobody who does not come", function()
    -- one more is counted than sent; one is added behind page 1, which is then read again
    local ids, err, stats = read({ total_add = 1, changes = { { before = 2, insert = 24 } } }, {},
      { on_event = function() end })
    assert.is_nil(err and tostring(err))
    assert.equal(TOTAL + 1, #ids)
    assert.equal(1, stats.went_back)
    assert.equal(1, stats.missing)
  end)
end)

describe("a customer who was removed", function()
  it("does not stand in for one whom a change of places has hidden", function()
    -- a b c d e f g: c and d change places behind page 1, then a is removed behind page 2
    local function rows(ids)
      return (ids:gsub("%a", '{"id":"%0"},'):sub(1, -2))
    end
    local function answer(page, ids)
      return { on = "get", page = page, status = 200, times = 1,
        body = ('{"data":[%s],"metadata":{"totalCount":7}}'):format(rows(ids)) }
    end
    local client = helper.client { raw_items = { '{"id":"b"}', '{"id":"d"}', '{"id":"c"}',
      '{"id":"e"}', '{"id":"f"}', '{"id":"g"}' }, faults = { answer(1, "abc"), answer(2, "cef") } }
    local ids = helper.ids(client:customers({ page_size = 3, concurrency = 1, endpoint = "get" })
      :collect())
    table.sort(ids)
    assert.equal("abcdefg", table.concat(ids))
  end)
end)

describe("a list that never rests", function()
  it("is read whole while it changes at one page in three", function()
    for _, change in ipairs { { requests = 3, insert = 1 }, { requests = 3, insert = "random" },
      { requests = 3, remove = "random" }, { requests = 4, insert = 3, remove = 9 } } do
      local ids, err, stats, _, client = read({ customers = 40, changes_every = change }, {})
      assert.is_nil(err and tostring(err))
      assert_nothing_lost(ids, client, 40)
      assert.is_true(stats.requests >= 8 and stats.requests <= 40)
    end
  end)

  it("ends in drift if it grows as fast as it is read: 12 times its pages and 48", function()
    for _, drift in ipairs { "repair", "strict" } do
      local ids, err, _, id = read({ customers = 5, changes_every = { requests = 1, insert = 1 } },
        { page_size = 1, drift = drift })
      assert_once(ids)
      assert.is_true(err and (err.kind == "drift" or err.kind == "protocol"), drift)
      assert.is_true(#helper.pages(id) <= 12 * 6 + 49)
    end
  end)

  it("is asked for no more pages than its error says, those read ahead included", function()
    local _, err, _, id = read({ customers = 40, changes_every = { requests = 1,
      insert = "random" } }, { page_size = 1, concurrency = 4 })
    assert.equal("drift", err and err.kind)
    local asked, most = tostring(err):match "(%d+) pages were asked for, (%d+) at most"
    assert.is_true(#helper.pages(id) <= tonumber(asked), #helper.pages(id))
    assert.is_true(tonumber(asked) <= most + 3)
  end)

  it("is not read past the deadline", function()
    local begun = os.time()
    local _, err = read({ latency = 0.05,
      changes_every = { requests = 1, insert = 1, remove = 20 } },
      { deadline = 0.6, page_size = 2 })
    assert.equal("timeout", err and err.kind)
    assert.is_true(os.time() - begun < 5)
  end)
end)

describe("a page that repeats itself", function()
  it("once is drift, and repaired", function()
    local ids, err = read({ faults = { { on = "page", page = 2, kind = "repeat_page",
      content = 1 } } }, {})
    assert.is_nil(err)
    assert.equal(TOTAL, #ids)
    assert_once(ids)
  end)

  it("for ever is a protocol error, in every mode", function()
    for _, drift in ipairs { "repair", "strict", "ignore" } do
      local ids, err, _, id = read({ faults = { { on = "page", kind = "repeat_page", content = 1,
        times = -1 } } }, { drift = drift })
      assert.equal("protocol", err and err.kind)
      assert.is_true(#helper.pages(id) <= 5)
      if drift ~= "ignore" then assert.equal(5, #ids) end
    end
  end)

  it("without a total is no endless list: it ends where a page brings nothing new", function()
    for _, drift in ipairs { "repair", "strict", "error" } do
      local ids, err, _, id = read({ no_total = true, faults = { { on = "page", times = -1,
        kind = "repeat_page", content = 1 } } }, { drift = drift })
      assert.is_nil(err and tostring(err))
      assert.equal(5, #ids)
      assert.is_true(#helper.pages(id) <= 4)
    end
    local _, err = read({ no_total = true, faults = { { on = "page", times = -1,
      kind = "repeat_page", content = 1 } } }, { drift = "ignore" })
    assert.equal("protocol", err and err.kind)
  end)

  it("or an id that is twice in a list that stands still gives each once", function()
    local items = { '{"id":"a"}', '{"id":"b"}', '{"id":"a"}', '{"id":"c"}' }
    for _, size in ipairs { 2, 10 } do
      local ids, err = read({ raw_items = items }, { page_size = size, endpoint = "get" })
      assert.is_nil(err and tostring(err))
      assert.same({ "a", "b", "c" }, ids)
    end
  end)
end)

describe("going back", function()
  it("goes no further than first_page", function()
    local client, id = helper.client { customers = TOTAL,
      changes = { { before = 2, remove = 12 } } }
    local list = client:customers({ page_size = SIZE, first_page = 3, concurrency = 1 }):collect()
    assert.equal(13, helper.distinct(list))
    for _, page in ipairs(helper.pages(id)) do assert.is_true(page >= 3) end
    assert.is_true(#helper.pages(id) > 3)
  end)

  it("is not done at an early stop", function()
    for _, drift in ipairs { "repair", "strict", "error" } do
      local client, id = helper.client { customers = TOTAL, total_add = 4 }
      assert.equal(5, client:customers({ page_size = SIZE, drift = drift }):take(5):count())
      assert.same({ 1 }, helper.pages(id))
    end
  end)

  it("gives pages() only what is new", function()
    local client = helper.client { customers = TOTAL, changes = { { before = 3, remove = 1 } } }
    local ids = {}
    for list in client:customers({ page_size = SIZE, concurrency = 1 }):pages() do
      for _, customer in ipairs(list) do ids[#ids + 1] = customer.id end
    end
    assert_nothing_lost(ids, client)
  end)

  it("costs a page or two: the pages that are asked for", function()
    local _, _, stats, id = read({ changes = { { before = 3, remove = 1 } } }, {})
    assert.same({ 1, 2, 3, 2, 3, 4, 5 }, helper.pages(id))
    assert.equal(1, stats.went_back)
    assert.equal(1, stats.readings)
    _, _, stats, id = read({ changes = { { before = 3, insert = 1 } } }, {})
    assert.same({ 1, 2, 3, 4, 5 }, helper.pages(id))
    assert.equal(0, stats.went_back)
  end)

  it("and further readings are named in page events", function()
    local readings = {}
    read({ total_add = 1 }, {}, { on_event = function(event)
      if event.event == "page" then
        readings[event.reading] = (readings[event.reading] or 0) + 1
      end
    end })
    assert.equal(5, readings[1])
    assert.equal(5, readings[2])
  end)
end)
