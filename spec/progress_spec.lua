-- What on_progress is told, that its errors lose nothing, and what avepoint.progress draws.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local avepoint = require "avepoint"

local TOTAL, SIZE = 23, 5

describe("on_progress", function()
  local function calls_of(fields, options, use)
    local calls = {}
    fields.customers = fields.customers or TOTAL
    options.page_size = SIZE
    options.on_progress = function(...)
      assert.equal(2, select("#", ...))
      calls[#calls + 1] = { ... }
    end
    use(helper.client(fields):customers(options))
    return calls
  end

  it("is called once a page with what is done and the total", function()
    local wanted = { { 5, 23 }, { 10, 23 }, { 15, 23 }, { 20, 23 }, { 23, 23 } }
    for _, use in ipairs {
      function(l) l:collect() end,
      function(l) l:failed():count() end,
      function(l)
        local next_page = l:pages()
        while next_page() do assert.is_table(l) end
      end,
      function(l) l:skip(3):map(tostring):each(function() end) end,
    } do
      assert.same(wanted, calls_of({}, {}, use))
    end
    assert.same({ { 5, 23 } }, calls_of({}, {}, function(l) l:first() end))
    assert.same({}, calls_of({}, {}, tostring))
  end)

  it("has no total where the server gives none", function()
    local calls = calls_of({ no_total = true }, {}, function(l) l:count() end)
    assert.equal(12, #calls) -- five pages and an empty one, twice
    assert.equal(23, calls[5][1])
    assert.is_nil(calls[5][2])
  end)

  it("that raises loses no row, page by page neither", function()
    for at = 1, 5 do
      for _, raise_again in ipairs { false, true } do
        local n = 0
        local function progress()
          n = n + 1
          if n == at or raise_again and n == at + 1 then error("mine", 0) end
        end
        local client = helper.client { customers = TOTAL }
        local list, errors = helper.pull_all(client:customers { page_size = SIZE,
          on_progress = progress }, "mine")
        assert.is_true(errors >= 1)
        assert.equal(TOTAL, #list)
        assert.equal(TOTAL, helper.distinct(list))

        n = 0
        local rows, next_page = 0, client:customers({ page_size = SIZE,
          on_progress = progress }):pages()
        repeat
          local ok, page = pcall(next_page)
          rows = rows + (ok and page and #page or 0)
        until ok and not page
        assert.equal(TOTAL, rows, "pages, at " .. at)
      end
    end
  end)
end)

describe("avepoint.progress", function()
  -- Runs a script on a terminal. Returns what was drawn, one text for each time, without blanks at
  -- the end, and all that came.
  local function drawn(fields, script, columns, environment)
    local out = helper.run_on_terminal('local avepoint = require "avepoint"\n' .. script,
      columns or 100, helper.environment(helper.scenario(fields), environment))
    local texts = {}
    for text in out:gmatch "[^\r\n]+" do
      texts[#texts + 1] = (text:gsub(" +$", ""))
    end
    return texts, out
  end

  local LIST = [[
    local customers = avepoint.customers { page_size = 100, on_progress = avepoint.progress() }
    print("read " .. customers:count())
  ]]

  it("draws done of total, rate, time left and a bar, on a line that is gone at the end", function()
    local texts, out = drawn({ customers = 1500, latency = 0.08 }, LIST)
    assert.equal("100 of 1500  [##--------------------------------------]", texts[1])
    local seen = 0
    for i = 2, #texts - 2 do
      local done, rate, left, bar = texts[i]:match "^(%d+) of 1500  (%d+)/s (.-) %[(#*%-*)%]$"
      assert.is_truthy(done, texts[i])
      assert.equal(40, #bar)
      assert.equal(math.floor(done / 1500 * 40), select(2, bar:gsub("#", "")))
      assert.is_true(tonumber(rate) > 0)
      assert.matches(done == "1500" and "^$" or "^ 0:[0-2]%d left $", left)
      seen = seen + 1
    end
    assert.is_true(seen >= 2)
    assert.same({ "", "read 1500" }, { texts[#texts - 1], texts[#texts] })
    assert.matches("\r +\rread 1500\n$", out)
    local _, lines = out:gsub("\n", "")
    assert.equal(1, lines)
  end)

  it("tells the time left in hours where there are some", function()
    local out = helper.run_on_terminal([[
      local core, avepoint = require "avepoint.core", require "avepoint"
      local now = 0
      core.now = function() return now end
      for _, total in ipairs { 60, 3600, 7506, 40000 } do
        local on_progress = avepoint.progress()
        on_progress(0, total + 1)
        now = now + 1
        on_progress(1, total + 1)
        print()
      end
    ]], 100, {})
    local told = {}
    for text in out:gmatch "1/s  (.-) left" do told[#told + 1] = text end
    assert.same({ "1:00", "1:00:00", "2:05:06", "11:06:40" }, told)
  end)

  it("draws at most ten times a second", function()
    local begun = os.time()
    local texts = drawn({ customers = 4000 }, LIST:gsub("100", "10"))
    assert.is_true(#texts <= 10 * (os.time() - begun + 1) + 3, #texts .. " times")
  end)

  it("fits into the terminal, without a bar if there is no room", function()
    for _, columns in ipairs { 5, 20, 45, 60, 200 } do
      local texts = drawn({ customers = 500, latency = 0.05 }, LIST, columns)
      for i = 1, #texts - 1 do
        assert.is_true(#texts[i] < columns, texts[i])
        if columns >= 60 and texts[i] ~= "" or columns == 20 then
          assert.equal(columns >= 60, texts[i]:find("[", 1, true) ~= nil, texts[i])
        end
      end
    end
  end)

  it("has no bar and no time left without a total", function()
    local texts = drawn({ customers = 500, latency = 0.05, no_total = true }, LIST)
    assert.equal("100", texts[1])
    assert.matches("^%d+  %d+/s$", texts[2])
  end)

  it("takes the rate of a resumed listing from the first call on", function()
    local texts = drawn({ customers = 1500, latency = 0.15 }, [[
      local first = avepoint.customers { page_size = 100 }
      for _ = 1, 1050 do first() end
      local customers = avepoint.customers { resume = first:position(), concurrency = 1,
        on_progress = avepoint.progress() }
      print(customers:count())
    ]])
    assert.matches("^1100 of 1500  %[", texts[1])
    local rate = tonumber(texts[2]:match "^1200 of 1500  (%d+)/s")
    assert.is_true(rate > 50 and rate < 700, texts[2])
  end)

  it("says until when a throttling service makes us wait", function()
    for _, page in ipairs { 1, 3 } do
      local before = os.time()
      local texts, out = drawn({ customers = 500,
        faults = { { on = "page", page = page, times = 1, status = 429,
          headers = { ["Retry-After"] = "2" } } } }, [[
        local customers = avepoint.customers { page_size = 100, endpoint = "get", concurrency = 1,
          on_progress = avepoint.progress() }
        print(customers:count())
      ]])
      local times, at = 0, nil
      for _, text in ipairs(texts) do
        local told = text:match "waits until (%d%d:%d%d:%d%d)$"
        if told then
          times, at = times + 1, told
          assert.equal(page > 1, text:find("200 of 500  ", 1, true) == 1)
        end
      end
      assert.equal(1, times, out)
      local near = false
      for seconds = 1, os.time() - before + 3 do
        near = near or os.date("%H:%M:%S", before + seconds) == at
      end
      assert.is_true(near, at)
      assert.equal("500", texts[#texts])
      assert.equal("", texts[#texts - 1])
    end
  end)

  it("clears its line at an error, a close and a break that closes", function()
    local fault = { { on = "page", page = 3, times = 1, status = 403 } }
    local _, out = drawn({ customers = 500, faults = fault }, [[
      local customers = avepoint.customers { page_size = 100, endpoint = "get", concurrency = 1,
        on_progress = avepoint.progress() }
      print("said", pcall(customers.count, customers))
      print("then", customers:count())
    ]])
    assert.matches("\r +\rsaid\tfalse", out)
    assert.matches("\r +\rthen\t300\n$", out)
    for _, way in ipairs { "close", "first", "write" } do
      _, out = drawn({ customers = 500 }, ([[
        local customers = avepoint.customers { page_size = 100, on_progress = avepoint.progress() }
        customers()
        if %q == "close" then
          customers:close()
        elseif %q == "first" then
          customers:first()
        else
          pcall(customers.write, customers, "/dev/full", "csv")
        end
        print "behind"
      ]]):format(way, way))
      assert.matches("\r +\rbehind\n$", out)
    end
  end)

  it("draws nothing where there is no terminal", function()
    local client = helper.client { customers = 20 }
    local path = helper.temporary()
    local file = assert(io.open(path, "wb"))
    local on_progress = avepoint.progress(file)
    assert.is_function(on_progress)
    assert.equal(20, client:customers({ page_size = 5, on_progress = on_progress }):count())
    file:close()
    assert.equal("", helper.read(path))
    local out = helper.run([[
      local avepoint = require "avepoint"
      avepoint.customers({ page_size = 5, on_progress = avepoint.progress() }):count()
    ]], helper.environment(helper.scenario { customers = 20 }))
    assert.equal("", out)
  end)

  it("takes an open file only", function()
    for _, wrong in ipairs { "stderr", 2, {} } do
      assert.matches("progress_spec.lua:%d+: avepoint.progress takes an open file",
        helper.error_of(function() avepoint.progress(wrong) end))
    end
  end)
end)
