-- A table was fitted into COLUMNS wherever standard output went, cut at 40 columns a field in a
-- pipe and in cron's mail too, and a terminal was never asked how wide it is. Nothing said which
-- columns were left out.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local ROWS = { ([[{"id":"a","organization":"%s","jobStatus":2,"countryOrRegion":"United States",
  "managementMode":1,"ownerEmail":"somebody@example.org","tenants":[{"id":"t","name":"one"}]}]])
  :format(("long "):rep(30)),
  [[{"id":"b","organization":"Acme","jobStatus":1,"tenants":[]}]],
  [[{"id":"c","organization":"Odd","jobStatus":"Brand New","tenants":[]}]],
  [[{"id":"d","organization":"None","tenants":[]}]] }

local SHOW = [[require("avepoint").customers({ endpoint = "get" }):show(nil, %s)]]

local function environment(more)
  return helper.environment(helper.scenario { raw_items = ROWS }, more)
end

local function on_terminal(columns, more, options)
  return (helper.run_on_terminal(SHOW:format(options or "nil"), columns, environment(more)))
end

describe("a terminal", function()
  it("is fitted, and what is left out is named", function()
    local out = on_terminal(60, { NO_COLOR = 1 })
    local note = out:match "left out for lack of room: (.*)"
    assert.matches("COUNTRY %(countryOrRegion%).*MANAGED BY %(managementMode%)", note) -- in order
    assert.not_matches("OWNER", note, 1, true)
    for line in out:gmatch "[^\n]+" do
      assert.is_true(#line <= 60, line)
    end
  end)

  it("keeps owner and tenants longer than the mode", function()
    for columns = 20, 120, 4 do
      local head = on_terminal(columns, { NO_COLOR = 1 }):match "^[^\n]*"
      if head:find("MANAGED BY", 1, true) then
        assert.matches("OWNER.*TENANTS", head)
      end
    end
  end)

  it("shows nothing as left out if there is room", function()
    local out = on_terminal(200, { NO_COLOR = 1 })
    assert.not_matches("left out", out, 1, true)
    assert.matches("MANAGED BY", out, 1, true)
    assert.equal(5, select(2, out:gsub("\n", "")))
  end)

  it("gets colours for what needs attention, unknown and missing statuses included", function()
    local out = on_terminal(80)
    assert.matches("\27%[31mFailed\27%[0m", out)
    assert.matches("\27%[33mBrand New\27%[0m", out)
    assert.matches("\27%[33m%-\27%[0m", out)
    assert.not_matches("m%s*Working", out)
    for _, more in ipairs { { NO_COLOR = 1 }, { TERM = "dumb" } } do
      assert.not_matches("\27", on_terminal(80, more), 1, true)
    end
    assert.matches("\27", on_terminal(80, { NO_COLOR = "" }), 1, true)
  end)

  it("that is odd in COLUMNS is asked itself", function()
    for _, odd in ipairs { "0", "-5", "many", "" } do
      assert.same(on_terminal(80, { NO_COLOR = 1 }),
        on_terminal(80, { NO_COLOR = 1, COLUMNS = odd }))
    end
  end)
end)

describe("elsewhere", function()
  it("nothing is cut, coloured or left out", function()
    local out = helper.run(SHOW:format "nil", environment { COLUMNS = 20, TERM = "xterm" })
    assert.matches(("long "):rep(30), out, 1, true)
    assert.matches("ORGANIZATION.*STATUS.*COUNTRY.*MANAGED BY.*OWNER.*TENANTS", out)
    assert.not_matches("\27", out, 1, true)
    assert.equal(5, select(2, out:gsub("\n", "")))
  end)

  it("is a file that the program opened, beside a terminal", function()
    local path = helper.temporary ".txt"
    helper.run_on_terminal(([[local file = assert(io.open(%q, "w"))
      require("avepoint").customers({ endpoint = "get" }):show(file)
      file:close()]]):format(path), 40, environment())
    assert.matches(("long "):rep(30), helper.read(path), 1, true)
    assert.not_matches("\27", helper.read(path), 1, true)
  end)

  it("is an object of the program's with a method write", function()
    local parts = {}
    local object = { write = function(_, ...)
      for _, part in ipairs { ... } do parts[#parts + 1] = part end
    end }
    helper.client({ raw_items = ROWS }):customers({ endpoint = "get" }):show(object)
    local text = table.concat(parts)
    assert.equal(5, select(2, text:gsub("\n", "")))
    assert.matches(("long "):rep(30), text, 1, true)
  end)
end)

describe("the option columns", function()
  it("picks and orders fields", function()
    local out = on_terminal(80, { NO_COLOR = 1 }, [[{ columns = { "jobStatus", "id" } }]])
    assert.equal("STATUS     ID\nFailed     a\nWorking    b\nBrand New  c\n-          d\n", out)
  end)

  it("refuses what no row has, and other options", function()
    local list = { { id = "a", days = 1 } }
    local avepoint = require "avepoint"
    local function refusal(options)
      return helper.error_of(function() avepoint.show(list, io.stdout, options) end)
    end
    assert.matches("no row has a field 'day' %(did you mean 'days'%?%)",
      refusal { columns = { "day" } })
    assert.matches("unknown option 'column' %(did you mean 'columns'%?%)",
      refusal { column = { "days" } })
    assert.matches("110%-terminal%-or%-not_spec.lua:%d+: ", refusal { columns = {} })
  end)

  it("is refused in the place of the file, before anything is read", function()
    local listing = helper.client({ raw_items = ROWS }):customers { endpoint = "get" }
    local wrong = helper.error_of(listing.show, listing, { columns = { "id" } })
    assert.matches("listing:show takes an open file", wrong, 1, true)
    assert.matches("listing:show takes", helper.error_of(listing.show, listing, "a path"))
    wrong = helper.error_of(listing.show, listing, nil, { columns = { "organisation" } })
    assert.matches("listing:show: unknown field 'organisation' (did you mean 'org", wrong, 1, true)
    assert.equal(4, listing:count())
  end)
end)
