-- A million customers: each exactly once, and in no more memory than a thousand.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local MEBIBYTE = 1024 -- kB

-- Lists in a process of its own; `body` is run for each customer, `result` is printed at the end.
local function list(customers, before, body, result)
  local id = helper.scenario { customers = customers, journal = false }
  local base, token = helper.urls(id)
  local out, code = helper.run(([[
    local client = require("avepoint").client {
      base_url = %q, token_url = %q, ca_file = %q, client_id = %q, client_secret = %q,
    }
    local n = 0
    %s
    for customer in client:customers { drift = "ignore" } do
      n = n + 1
      %s
    end
    %s
  ]]):format(base, token, helper.ca_file, helper.client_id, helper.client_secret, before, body,
    result))
  assert.equal(0, code, out)
  return out
end

local function peak(customers)
  local out = list(customers, "", "", [[
    local status = io.open("/proc/self/status"):read "*a"
    print(n, status:match "VmHWM:%s+(%d+) kB")
  ]])
  local n, kb = out:match "(%d+)%s+(%d+)"
  assert.equal(customers, tonumber(n))
  return tonumber(kb)
end

describe("a million customers #long", function()
  it("are visited once each", function()
    local out = list(1000000, "local seen = {}", [[
      assert(not seen[customer.id], "twice")
      seen[customer.id] = true
    ]], "print(n)")
    assert.equal("1000000", out:match "%d+")
  end)

  it("take at most 8 MiB more than a thousand", function()
    local small, large = peak(1000), peak(1000000)
    print(("\npeak memory: %d kB for 1,000 customers, %d kB for 1,000,000"):format(small, large))
    assert.is_true(large - small <= 8 * MEBIBYTE, ("%d kB more"):format(large - small))
  end)
end)
