-- What filters let through, what they refuse, and what an error in one of them does.
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"
local helper = require "spec.helper"

local ITEMS = {
  [[{"id":"a","organization":"Acme","ownerEmail":"ann@acme.example","jobStatus":"N/A",
    "countryOrRegion":"Peru","managementMode":0,"tenants":[]}]],
  [[{"id":"b","organization":"Bolt","ownerEmail":"bob@bolt.example","jobStatus":1,
    "countryOrRegion":"Peru","managementMode":1,"tenants":[{"Id":"t-1","Name":"bolt-main"}]}]],
  [[{"id":"c","organization":"Cog %d.*","ownerEmail":null,"jobStatus":"failed",
    "countryOrRegion":"Chile","managementMode":"1","tenants":[{"id":"t-2","name":"cog"},
    {"id":"t-3","name":"Spare"}]}]],
  [[{"id":"d","organization":"Dent","jobStatus":"6","managementMode":2,"tenants":null}]],
  [[{"id":"e","organization":"Echo","jobStatus":"Brand New","countryOrRegion":"peru"}]],
  [[{"id":"f","organization":"Flux","jobStatus":null,"countryOrRegion":""}]],
  [[{"id":"g","jobStatus":"No backup updates","managementMode":7,"tenants":"?"}]],
  [[{"id":"h","organization":"ACME Ltd","jobStatus":4}]],
}

local client

local function listing(raw)
  client = client or helper.client { raw_items = ITEMS }
  return (client:customers { page_size = 3, endpoint = "get", raw = raw })
end

local function letters(l)
  return table.concat(helper.ids(l:collect()))
end

-- method, arguments, ids that pass
local cases = {
  { "failed", {}, "c" },
  { "needs_attention", {}, "cdefgh" },
  { "with_status", { "Failed" }, "c" },
  { "with_status", { "failed", "WORKING" }, "bc" },
  { "with_status", { "No Backup Update" }, "dg" },
  { "with_status", { "no backup updates" }, "dg" },
  { "with_status", { "N/A" }, "a" },
  { "with_status", { 2 }, "c" },
  { "in_country", { "Peru" }, "abe" },
  { "in_country", { "PERU", "Chile" }, "abce" },
  { "in_country", { "Atlantis" }, "" },
  { "managed_by", { "partner" }, "bc" },
  { "managed_by", { "customer" }, "a" },
  { "managed_by", { "unconfigured" }, "d" },
  { "with_tenant", { "t-1" }, "b" },
  { "with_tenant", { "Spare" }, "c" },
  { "with_tenant", { "spare" }, "c" },
  { "with_tenant", { "T-1" }, "b" },
  { "search", { "acme" }, "ah" },
  { "search", { "BOB@" }, "b" },
  { "search", { "%d.*" }, "c" },
  { "search", { "T-3" }, "c" },
  { "search", { "spare" }, "c" },
  { "search", { "." }, "abc" },
  { "search", { "e" }, "abcdegh" },
  { "search", { "peru" }, "abe" },
  { "search", { "no backup" }, "dg" },
  { "search", { "brand n" }, "e" },
  { "where", { { jobStatus = "Failed" } }, "c" },
  { "where", { { jobStatus = { "FAILED", "n/a", 1 } } }, "abc" },
  { "where", { { jobStatusCode = 6 } }, "dg" },
  { "where", { { jobStatusCode = { 2, 4 } } }, "ch" },
  { "where", { { managementMode = 1 } }, "bc" },
  { "where", { { managementMode = { "customer", 2 } } }, "ad" },
  { "where", { { organization = "Acme" } }, "a" },
  { "where", { { organization = "acme" } }, "a" },
  { "where", { { organization = "acm" } }, "" },
  { "where", { { organization = { "Acme", "Bolt", "Nobody" } } }, "ab" },
  { "where", { { id = "c", organization = "Cog %d.*" } }, "c" },
  { "where", { { id = "c", organization = "Acme" } }, "" },
  { "where", { { ownerEmail = "bob@bolt.example" } }, "b" },
  { "where", { { tenants = "cog" } }, "c" },
  { "where", { { tenants = { "t-1", "t-3" } } }, "bc" },
  { "where", { { countryOrRegion = function(v) return v == nil or v == cjson.null end } }, "dgh" },
  { "where", { { jobStatus = "Working", countryOrRegion = function(v) return v == "Peru" end } },
    "b" },
  { "where", { { ownerEmail = function(v) return type(v) == "string" and #v > 0 end } }, "ab" },
  { "filter", { function(c) return c.id > "f" end }, "gh" },
}

-- The string form of a table of arguments, for the names of the specs.
local function shown(arguments)
  local value = arguments[1]
  if type(value) ~= "table" then return tostring(value or ""):gsub("^function.*", "f") end
  local parts = {}
  for k, v in pairs(value) do
    parts[#parts + 1] = k .. "=" .. (type(v) == "table" and table.concat(v, "|")
      or tostring(v):gsub("^function.*", "f"))
  end
  table.sort(parts)
  return table.concat(parts, ",")
end

describe("a filter", function()
  for _, case in ipairs(cases) do
    it(("%s(%s) lets the right customers through, raw or not"):format(case[1], shown(case[2])),
      function()
        for _, raw in ipairs { false, true } do
          local l = listing(raw)
          l = l[case[1]](l, case[2][1], case[2][2])
          assert.equal(case[3], letters(l), raw and "raw" or nil)
        end
      end)
  end

  it("gives a predicate of where the field's value", function()
    local values = {}
    listing():where({ jobStatusCode = function(v) values[#values + 1] = v or false end }):count()
    assert.same({ 0, 1, 2, 6, false, false, 6, 4 }, values)
  end)

  it("can follow another, each a listing of its own", function()
    local l = listing():needs_attention():search("e"):filter(function(c) return c.id ~= "e" end)
    assert.equal("cdgh", letters(l))
    local names = listing():failed():map(function(c) return c.organization end)
    assert.same({ "Cog %d.*" }, names:collect())
    assert.matches("filtered", tostring(names), 1, true)
  end)

  it("takes over its source", function()
    local source = listing()
    local failed = source:failed()
    assert.equal("c", failed().id)
    assert.equal("d", source().id)
    assert.is_nil(failed())
    assert.is_nil(source())
  end)

  it("leaves a copy of what it was given alone", function()
    local wanted = { jobStatus = { "Failed" } }
    local l = listing():where(wanted)
    wanted.jobStatus[1], wanted.id = "Working", "zzz"
    assert.equal("c", letters(l))
  end)
end)

describe("where", function()
  for name, fields in pairs {
    ["a field of another case"] = { jobstatus = "Failed" },
    ["a field nobody knows"] = { status = "Failed" },
    ["a place in a list"] = { "Failed" },
    ["a status nobody knows"] = { jobStatus = "Faild" },
    ["a status among good ones"] = { jobStatus = { "Failed", "Warking" } },
    ["a code nobody knows"] = { jobStatusCode = 7 },
    ["a code that is no whole number"] = { jobStatusCode = 1.5 },
    ["a mode nobody knows"] = { managementMode = "parnter" },
    ["a mode's number nobody knows"] = { managementMode = 3 },
    ["an empty list"] = { jobStatus = {} },
    ["a number for a text"] = { organization = 5 },
    ["true"] = { jobStatus = true },
    ["a tenant's table"] = { tenants = { { id = "t-1" } } },
    ["a mode in a list"] = { managementMode = { "partner", {} } },
  } do
    it("refuses " .. name .. ": a typo must not silence an alarm", function()
      local source = listing()
      local err = helper.error_of(function() return (source:where(fields)) end)
      assert.is_string(err)
      assert.matches("filters_spec.lua:%d+: ", err)
      assert.equal("a", source().id) -- the source is untouched
    end)
  end

  it("names what it refuses", function()
    local source = listing()
    for word, fields in pairs { jobstatus = { jobstatus = 1 }, Faild = { jobStatus = "Faild" },
      parnter = { managementMode = "parnter" } } do
      assert.matches(word, helper.error_of(source.where, source, fields), 1, true)
    end
  end)
end)

describe("an error in a filter", function()
  for _, method in ipairs { "filter", "map", "where" } do
    it("of " .. method .. " is raised, and the listing goes on behind its row", function()
      local angry = true
      local function check(v)
        if angry and (v == "c" or type(v) == "table" and v.id == "c") then error("mine", 0) end
        return method == "map" and v or true
      end
      local l, seen = listing(), {}
      l = l[method](l, method == "where" and { id = check } or check):take(7)
      repeat
        local ok, customer = pcall(l)
        if not ok then
          assert.equal("mine", customer)
          assert.equal(2, #seen)
          angry = false
        elseif customer then
          seen[#seen + 1] = customer
        end
      until ok and not customer
      assert.is_false(angry) -- it was raised once
      assert.equal("abdefgh", table.concat(helper.ids(seen)))
    end)
  end

  it("is thrown whatever it is, out of next() too", function()
    local thrown = { "a table" }
    local l = listing():filter(function() error(thrown, 0) end)
    assert.equal(thrown, helper.error_of(l))
    assert.equal(thrown, helper.error_of(l.next, l))
    assert.equal(thrown, helper.error_of(l.collect, l))
  end)

  it("in each loses only the customer it was called with", function()
    local l, seen = listing(), {}
    local function note(c)
      seen[#seen + 1] = c.id
      if c.id == "d" then error("mine", 0) end
    end
    assert.equal("mine", helper.error_of(l.each, l, note))
    l:each(note)
    assert.equal("abcdefgh", table.concat(seen))
  end)
end)
