-- The methods that read a listing to its end.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

-- What differs: countries, one of them empty, null and missing; statuses in three forms.
local ITEMS = {
  '{"id":"a","jobStatus":"N/A","countryOrRegion":"Peru"}',
  '{"id":"b","jobStatus":1,"countryOrRegion":"Peru"}',
  '{"id":"c","jobStatus":"failed","countryOrRegion":"Chile"}',
  '{"id":"d","jobStatus":"6","countryOrRegion":null}',
  '{"id":"e","jobStatus":"Brand New","countryOrRegion":"peru"}',
  '{"id":"f","jobStatus":null,"countryOrRegion":""}',
  '{"id":"g","jobStatus":"No backup updates"}',
  '{"id":"h","jobStatus":4}',
}

local client

local function listing(raw)
  client = client or helper.client { raw_items = ITEMS }
  return (client:customers { page_size = 3, endpoint = "get", raw = raw })
end

describe("a terminal method", function()
  local function ids_of(groups)
    local ids = {}
    for key, list in pairs(groups) do ids[key] = table.concat(helper.ids(list)) end
    return ids
  end

  it("takes what is left", function()
    for _, name in ipairs { "collect", "count", "first" } do
      local l = listing()
      l()
      l()
      local result = l[name](l)
      if name == "collect" then result = #result end
      assert.equal(name == "first" and "c" or 6, name == "first" and result.id or result)
      assert.equal(name == "first", l() ~= nil)
    end
  end)

  it("group_by and count_by put what has no such field under false", function()
    for _, raw in ipairs { false, true } do
      assert.same({ Peru = "ab", Chile = "c", peru = "e", [""] = "f", [false] = "dgh" },
        ids_of(listing(raw):group_by "countryOrRegion"))
      assert.same({ Peru = 2, Chile = 1, peru = 1, [""] = 1, [false] = 3 },
        listing(raw):count_by "countryOrRegion")
    end
    assert.same({ ["N/A"] = 1, Working = 1, Failed = 1, ["No Backup Update"] = 2,
      ["Brand New"] = 1, ["Multiple Issues Found"] = 1, [false] = 1 },
      listing():count_by "jobStatus")
    assert.same({ [false] = 8 }, listing():map(tostring):count_by "id")
    assert.same({ [false] = 8 }, listing():map(function(c)
      return c
    end):skip(0):count_by "no such field")
  end)

  it("group_by, count_by and index_by name the field that was probably meant", function()
    for _, name in ipairs { "group_by", "count_by", "index_by" } do
      local l = listing()
      local err = helper.error_of(function() l[name](l, "organisation") end)
      assert.matches("terminal_spec.lua:%d+: listing:" .. name, err)
      assert.matches("unknown field 'organisation' %(did you mean 'organization'%?%)", err)
      l = l:filter(print):take(3)
      assert.matches("unknown field 'x'", helper.error_of(l[name], l, "x"))
    end
  end)

  it("index_by keeps the later of two", function()
    local index = listing():index_by "jobStatusCode"
    assert.equal("g", index[6].id)
    assert.equal("a", index[0].id)
    assert.equal("a", listing():index_by("id").a.id)
  end)

  it("each calls its function with one customer", function()
    local n, seen = 0, {}
    listing():each(function(...)
      n = n + select("#", ...)
      seen[#seen + 1] = ...
    end)
    assert.equal(8, n)
    assert.equal(8, helper.distinct(seen))
  end)

  it("raises an error object, and the listing can be read on", function()
    for _, name in ipairs { "collect", "count", "first", "each", "group_by", "count_by", "index_by",
      "show" } do
      local broken = helper.client { customers = 4, faults = { { on = "get", status = 403,
        times = 1 } } }
      local l = broken:customers { endpoint = "get" }
      local argument = name == "each" and print or name == "show" and io.stdout or "id"
      local err = helper.error_of(l[name], l, argument)
      assert.is_true(avepoint.is_error(err), name)
      assert.equal("forbidden", err.kind)
      assert.equal(4, l:count())
    end
  end)
end)
