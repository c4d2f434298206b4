-- The example of jobs took any text for a day, and said that no backup job had failed on it.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

describe("examples/jobs.lua", function()
  it("refuses a day that is no date", function()
    local id = helper.scenario { customers = 1 }
    for _, day in ipairs { "14.3.2026", "2026-3-14", "yesterday", "2026-03-14T00:00" } do
      local out, code = helper.run_with(("%s/examples/jobs.lua 8 %s"):format(helper.top, day),
        helper.environment(id))
      assert.equal(1, code, day)
      assert.matches("like 2026-03-14", out, 1, true)
    end
    assert.same({}, helper.journal(id))
  end)
end)
