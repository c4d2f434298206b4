-- Sweeps: how a listing reads again what changed or does not add up, and how that ends.
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
      assert.is_true(stats.sweeps >= 2 and stats.sweeps <= 3)
      assert.equal(1, #warnings)
      assert.matches("2", warnings[1].message, 1, true)
    end
  end)

  it("is nothing of the kind where customers come later", function()
    local ids, err, stats = read({ faults = { { on = "page", page = 2, kind = "drop_rows",
      rows = 2 } } }, {})
    assert.is_nil(err)
    assert.equal(TOTAL, #ids)
    assert.equal(0, stats.missing)
  end)
end)

describe("a list that never rests", function()
  it("ends in drift, after eight sweeps at most", function()
    for _, change in ipairs { { requests = 2, insert = 1 }, { requests = 1, insert = 1 },
      { requests = 3, insert = "random" } } do
      local ids, err, stats, id = read({ changes_every = change }, {})
      assert.equal("drift", err and err.kind)
      assert_once(ids)
      assert.is_true(stats.sweeps <= 8)
      assert.is_true(#helper.pages(id) <= 8 * 40)
    end
  end)

  it("and grows as fast as it is read ends as well", function()
    for _, drift in ipairs { "repair", "strict", "ignore" } do
      local _, err, _, id = read({ customers = 5, changes_every = { requests = 1, insert = 1 } },
        { page_size = 1, drift = drift })
      assert.is_true(err and (err.kind == "drift" or err.kind == "protocol"), drift)
      assert.is_true(#helper.pages(id) <= 300)
    end
  end)

  it("is not read past the deadline", function()
    local begun = os.time()
    local _, err = read({ latency = 0.05, changes_every = { requests = 2, insert = 1 } },
      { deadline = 0.6 })
    assert.equal("drift", err and err.kind)
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

  it("without a total is no endless list", function()
    for _, drift in ipairs { "repair", "strict", "error", "ignore" } do
      local _, err, _, id = read({ no_total = true, faults = { { on = "page", times = -1,
        kind = "repeat_page", content = 1 } } }, { drift = drift })
      assert.is_true(err and (err.kind == "protocol" or err.kind == "drift"), drift)
      assert.is_true(#helper.pages(id) <= 20)
    end
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

describe("sweeps", function()
  it("go no further back than first_page", function()
    local client, id = helper.client { customers = TOTAL,
      changes = { { before = 2, remove = 12 } } }
    local list = client:customers({ page_size = SIZE, first_page = 3, concurrency = 1 }):collect()
    assert.equal(13, helper.distinct(list))
    for _, page in ipairs(helper.pages(id)) do assert.is_true(page >= 3) end
    assert.is_true(#helper.pages(id) > 3)
  end)

  it("are not made at an early stop", function()
    for _, drift in ipairs { "repair", "strict", "error" } do
      local client, id = helper.client { customers = TOTAL, total_add = 4 }
      assert.equal(4, client:customers({ page_size = SIZE, drift = drift }):take(4):count())
      assert.equal(5, client:customers({ page_size = SIZE, drift = drift }):take(5):count())
      assert.same({ 1, 1 }, helper.pages(id))
    end
  end)

  it("give pages() only what is new", function()
    local client = helper.client { customers = TOTAL, changes = { { before = 3, remove = 1 } } }
    local ids = {}
    for list in client:customers({ page_size = SIZE, concurrency = 1 }):pages() do
      for _, customer in ipairs(list) do ids[#ids + 1] = customer.id end
    end
    assert_nothing_lost(ids, client)
  end)

  it("are named in page events", function()
    local sweeps = {}
    read({ changes = { { before = 3, remove = 1 } } }, {}, { on_event = function(event)
      if event.event == "page" then sweeps[event.sweep] = (sweeps[event.sweep] or 0) + 1 end
    end })
    assert.equal(5, sweeps[1])
    assert.equal(5, sweeps[2])
  end)
end)
