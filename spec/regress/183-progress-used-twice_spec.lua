-- No test failed when the line of progress was drawn at each call, when the rate of a second list
-- was counted from the first one's begin, when a CSV without columns began with a line of a header,
-- and when a list that an option had was not copied.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local function run(script)
  return helper.run_on_terminal('local avepoint = require "avepoint"\n' .. script, 100,
    helper.environment(helper.scenario { customers = 250 }))
end

describe("avepoint.progress", function()
  it("draws once in 0.1 seconds, however often it is called", function()
    local out = run [[
      local core = require "avepoint.core"
      local progress, begun = avepoint.progress(), core.now()
      for i = 1, 1000 do progress(i, 1000) end
      print(("took %.3f"):format(core.now() - begun))
    ]]
    local _, drawings = out:gsub("%d+ of 1000", "")
    local took = tonumber(out:match "took ([%d.]+)")
    assert.is_true(drawings >= 1 and drawings <= took / 0.1 + 1, drawings .. " times in " .. took)
  end)

  it("counts the rate of each list anew", function()
    local out = run [[
      local on_progress = avepoint.progress()
      for _, size in ipairs { 10, 200 } do
        print(avepoint.customers({ page_size = size, on_progress = on_progress }):count())
      end
    ]]
    assert.matches("^[^\n]*\r10 of 250  %[", out)
    assert.matches("\n[^\n]-\r200 of 250  %[", out)
  end)
end)

describe("listing:write", function()
  it("writes no header if there are no columns", function()
    local path = helper.temporary ".csv"
    local list = helper.client({ customers = 0 }):customers()
    assert.equal(0, list:map(function(c) return { c.id } end):write(path, "csv"))
    assert.equal("", helper.read(path))
  end)
end)

describe("an option that is a list", function()
  it("is taken as it was when it was given", function()
    local fields, events = { "id" }, 0
    local client = helper.client({ customers = 5 }, { on_event = function()
      events, fields[1], fields[2] = events + 1, "organization", "id"
    end })
    local path = helper.temporary ".csv"
    client:customers():write(path, "csv", { fields = fields })
    assert.is_true(events > 0)
    assert.matches("^id\r\n[^,]+\r\n", helper.read(path))

    local all = helper.client({ customers = 5 }):customers()
    local ids = all:map(function(c) return c.id end):take(2):collect()
    local list = helper.client({ customers = 5 }):customers { customer_ids = ids }
    local first = ids[1]
    ids[1], ids[2] = "none", nil
    local rows = list:collect()
    assert.equal(2, #rows)
    assert.equal(first, rows[1].id)
  end)
end)
