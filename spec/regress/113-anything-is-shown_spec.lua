-- avepoint.show(avepoint) overflowed the stack, counts and what a listing has cost were printed as
-- an address, one customer's tenants without ids, its mode as a number. Rows that were no customers
-- had the customers' columns.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

local function lines_of(value, options)
  local lines = {}
  avepoint.show(value, { write = function(_, ...)
    lines[#lines + 1] = table.concat({ ... }):gsub("\n$", "")
  end }, options)
  return lines
end

describe("avepoint.show", function()
  it("shows one customer with its mode by name and its tenants' ids", function()
    assert.same({ "id              a", "organization    Acme", "jobStatus       Failed",
      "managementMode  partner", "tenants         one (t1)", "                two (t2)",
      "extra           1 = x, b = {...}" },
      lines_of { id = "a", organization = "Acme", jobStatus = 2, managementMode = 1,
        tenants = { { id = "t1", name = "one" }, { Id = "t2", Name = "two" } },
        extra = { "x", b = { c = 1 } } })
  end)

  it("shows counts, the largest first, with a bar on a terminal only", function()
    local counts = { Peru = 3, Japan = 40, [false] = 7, ["東京"] = 40 }
    assert.same({ "Japan  40", "東京   40", "false   7", "Peru    3" }, lines_of(counts))
    local out = helper.run_on_terminal([[
      require("avepoint").show { Peru = 10, Japan = 40, Chile = 0 }]], 80, {})
    assert.equal(("Japan  40  %s\nPeru   10  %s\nChile   0\n"):format(("#"):rep(40), ("#"):rep(10)),
      out)
    out = helper.run_on_terminal([[
      require("avepoint").show { ["A long name of a country"] = 10, Japan = 40 }]], 20, {})
    for line in out:gmatch "[^\n]+" do
      assert.is_true(#line <= 20, line)
    end
    assert.matches("^Japan +40\n", out)
  end)

  it("shows what a listing has cost in the order of the reference", function()
    local listing = helper.client({ customers = 3 }):customers()
    listing:count()
    local lines = lines_of(listing:stats())
    assert.matches("^requests   %d", lines[1])
    assert.matches("^missing    0$", lines[#lines])
  end)

  it("shows groups, an index, nested, odd and endless tables", function()
    local endless = { [false] = "x", [true] = 1.5, [print] = 2 }
    endless.self = endless
    assert.same({ "false     x", "true      1.5", "function  2",
      "self      false = x, true = 1.5, function = 2, self = {...}" }, lines_of(endless))
    assert.same({ "Chile  -", "Peru   Acme, b" },
      lines_of { Peru = { { id = "a", organization = "Acme" }, { id = "b" } }, Chile = {} })
    assert.same({ "a  Acme" }, lines_of { a = { id = "a", organization = "Acme" } })
    assert.same({ "false" }, lines_of(false))
    assert.same({}, lines_of {})
  end)

  it("shows the module, a client, a listing, and the tables of names", function()
    assert.is_true(#lines_of(avepoint) >= 8)
    local client = helper.client { customers = 2 }
    assert.same({ tostring(client) }, lines_of(client))
    assert.equal(3, #lines_of(client:customers()))
    assert.equal(14, #lines_of(avepoint.job_status))
    assert.is_true(#lines_of(package.loaded) > 5)
  end)
end)

describe("rows that are no customers", function()
  local rows = { { id = 7, days = 3, what = "x", sub = { a = 1 } }, { days = 12, what = "yy" } }

  it("show the fields that they have: id, plain ones, tables", function()
    assert.same({ "id  days  what  sub", "7   3     x     a = 1", "-   12    yy    -" },
      lines_of(rows))
    assert.same({ "what  id", "x     7", "yy    -" },
      lines_of(rows, { columns = { "what", "id" } }))
  end)

  it("are those of a map", function()
    local lines = {}
    helper.client({ customers = 2 }):customers():map(function(c)
      return { c.organization, tenants = #c.tenants }
    end):show { write = function(_, ...) lines[#lines + 1] = table.concat { ... } end }
    assert.matches("^1 +tenants\n$", lines[1])
    assert.equal(3, #lines)
  end)

  it("are one a line where some are no tables", function()
    local mixed = { "x", { id = 1, organization = "Acme" }, false }
    assert.same({ "x", "Acme", "false" }, lines_of(mixed))
  end)

  it("raw customers are customers, statuses and modes by name", function()
    local lines = lines_of { { id = "a", organization = "Acme", jobStatus = "2", managementMode = 0,
      tenants = {} } }
    assert.matches("^Acme +Failed +%- +customer +%- +%-$", lines[2])
  end)
end)
