-- A number in COLUMNS beyond all integers ended the user's loop in on_progress. A list whose
-- metatable answers for every index was shown without end, and a row whose metatable refuses
-- unknown fields not at all.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

local function shown(value)
  local parts = {}
  avepoint.show(value, { write = function(_, ...)
    parts[#parts + 1] = table.concat { ... }
    assert.is_true(#parts < 100, "no end")
  end })
  return table.concat(parts)
end

describe("COLUMNS", function()
  it("that is beyond all terminals harms nothing", function()
    for _, columns in ipairs { "1e20", "1e999" } do
      local out, code = helper.run_on_terminal([[
        local avepoint = require "avepoint"
        local list = avepoint.customers { on_progress = avepoint.progress() }
        print("read", list:count())
        avepoint.show { { a = 1 } }
      ]], 80, helper.environment(helper.scenario { customers = 3 }, { COLUMNS = columns }))
      assert.equal(0, code, out)
      assert.matches("read\t3\n", out)
    end
  end)
end)

describe("avepoint.show", function()
  local function refuse(_, key) error("no field " .. tostring(key)) end

  it("asks no metatable for items and fields", function()
    local one = { __index = function() return 1 end, __len = function() return 1e9 end }
    assert.equal("x\ny\n", shown(setmetatable({ "x", "y" }, one)))
    assert.equal("a\n1\n", shown { setmetatable({ a = 1 }, { __index = refuse }) })
    assert.equal("a\n1\n", shown(setmetatable({ { a = 1 } }, { __index = refuse })))
    assert.equal("a  1\nb  0\n", shown(setmetatable({ a = 1, b = 0 }, { __index = refuse })))
  end)
end)
