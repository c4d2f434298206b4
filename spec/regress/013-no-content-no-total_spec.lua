-- The fault matrix found that a page answered 204 for ever, such as a page past the end under a
-- total that counts too many, ended in `drift` after much reading: a 204 has no body and so no
-- total, and that counted as a total that moves. It ends as other steady lists with ids missing
-- do: with stats().missing and a warning.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local function read(fields, drift)
  local warnings = 0
  fields.customers = 23
  local client = helper.client(fields, { on_event = function(event)
    if event.event == "warning" then warnings = warnings + 1 end
  end })
  local listing, n = client:customers { page_size = 5, drift = drift }, 0
  local customer, err = listing:next()
  while customer do
    n = n + 1
    customer, err = listing:next()
  end
  return n, err, listing:stats(), warnings
end

describe("a page that is a 204 for ever", function()
  for name, case in pairs {
    ["past the end"] = { { total_add = 5, past_end = 204 }, 23, 5 },
    ["in the middle"] = { { faults = { { on = "page", page = 3, status = 204, times = -1 } } }, 18,
      5 },
    ["as the last"] = { { faults = { { on = "page", page = 5, status = 204, times = -1 } } }, 20,
      3 },
  } do
    it(name .. " is told by missing and a warning", function()
      local n, err, stats, warnings = read(case[1], "repair")
      assert.is_nil(err and tostring(err))
      assert.equal(case[2], n)
      assert.equal(case[3], stats.missing)
      assert.equal(1, warnings)
    end)

    it(name .. " is drift under strict and error", function()
      for _, drift in ipairs { "strict", "error" } do
        local _, err = read(case[1], drift)
        assert.equal("drift", err and err.kind)
      end
    end)
  end
end)

describe("a page without a total behind the last row", function()
  it("leaves what total() says", function()
    for _, status in ipairs { 204, 400, 404 } do
      local client = helper.client { customers = 20, past_end = status }
      local listing = client:customers { page_size = 5 }
      assert.equal(20, listing:count())
      assert.equal(20, listing:total())
    end
  end)
end)
