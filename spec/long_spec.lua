-- A million customers: each exactly once, and in no more memory than a thousand.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local MEBIBYTE = 1024 -- kB

-- Runs a script with a client of so many customers in a process of its own. Returns what it prints.
local function run(customers, script)
  local id = helper.scenario { customers = customers, journal = false }
  local base, token = helper.urls(id)
  local out, code = helper.run(([[
    local client = require("avepoint").client {
      base_url = %q, token_url = %q, ca_file = %q, client_id = %q, client_secret = %q,
    }
    local customers = client:customers { drift = "ignore" }
    local n = 0
  ]]):format(base, token, helper.ca_file, helper.client_id, helper.client_secret) .. script)
  assert.equal(0, code, out)
  return out
end

-- The peak of memory in kB of a process that does this and counts in `n`.
local function peak(customers, script)
  local out = run(customers, script .. [[
    local status = io.open("/proc/self/status"):read "*a"
    print(n, status:match "VmHWM:%s+(%d+) kB")
  ]])
  local n, kb = out:match "(%d+)%s+(%d+)"
  assert.equal(customers, tonumber(n))
  return tonumber(kb)
end

-- Compares a thousand with a million.
local function assert_constant(what, mebibytes, script)
  local small, large = peak(1000, script), peak(1000000, script)
  print(("\npeak memory%s: %d kB for 1,000 customers, %d kB for 1,000,000"):format(what, small,
    large))
  assert.is_true(large - small <= mebibytes * MEBIBYTE, ("%d kB more"):format(large - small))
end

describe("a million customers #long", function()
  it("are visited once each", function()
    local out = run(1000000, [[
      local seen = {}
      for customer in customers do
        n = n + 1
        assert(not seen[customer.id], "twice")
        seen[customer.id] = true
      end
      print(n)
    ]])
    assert.equal("1000000", out:match "%d+")
  end)

  it("take at most 8 MiB more than a thousand", function()
    assert_constant("", 8, "for _ in customers do n = n + 1 end")
  end)

  for _, format in ipairs { "csv", "json", "jsonl" } do
    it("are written in at most 2 MiB more than a thousand: " .. format, function()
      local path = helper.temporary()
      finally(function() os.remove(path) end)
      assert_constant(", written as " .. format, 2,
        ("n = customers:write(%q, %q)\n"):format(path, format))
    end)
  end
end)
