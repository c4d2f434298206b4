-- listing:write: what other programs read from its files, and what wrong use is told.
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"
local files = require "spec.support.files"
local helper = require "spec.helper"

local output_of, written, source = files.output_of, files.written, files.source
local read_csv, read_objects, read_json = files.read_csv, files.read_objects, files.read_json

local LS = "\226\128\168" -- U+2028

local TEXTS = { 'a "quoted" one', '"', "one, two", "CR\rwithin", "LF\nwithin", "CRLF\r\n", "=1+1",
  "+1", "-1", "@x", "\tx", "\rx", "'=1", "nul\0nul", LS, "\240\159\143\162 Zürich", "日本",
  ("long "):rep(20000), " blanks ", "back\\slash/", "\127\27[31m", "", ";", "\\u0041" }

-- A customer for each text, in every field that may hold it.
local function customers()
  local items = {}
  for i, text in ipairs(TEXTS) do
    items[i] = { id = "id " .. i, organization = text, ownerEmail = text, jobStatus = i % 7,
      countryOrRegion = text, managementMode = i % 3, another = text, nested = { i, { a = text } },
      tenants = { { id = "t1 " .. i, name = text }, { id = "t2", name = "two" } } }
  end
  return items
end


local function with_apostrophe(text)
  return text:find "^[=+%-@\t\r]" and "'" .. text or text
end

describe("listing:write csv", function()
  it("is read back by Python's csv module to the same data", function()
    local listing = source(customers())
    local path, n = written(listing(), "csv")
    assert.equal(#TEXTS, n)
    local rows, names = read_objects(path)
    assert.same({ "id", "organization", "ownerEmail", "jobStatus", "jobStatusCode",
      "countryOrRegion", "managementMode", "tenants", "tenantIds", "another", "nested",
      "otherFields" }, names)
    for i, customer in ipairs(listing():collect()) do
      local row, text = rows[i], with_apostrophe(TEXTS[i])
      assert.equal(customer.id, row.id)
      for _, field in ipairs { "organization", "ownerEmail", "countryOrRegion", "another" } do
        assert.equal(text, row[field])
      end
      assert.equal(customer.jobStatus, row.jobStatus)
      assert.equal(customer.jobStatusCode, tonumber(row.jobStatusCode))
      assert.equal(customer.managementMode, tonumber(row.managementMode))
      assert.equal(with_apostrophe(TEXTS[i] .. "; two"), row.tenants)
      assert.equal(("t1 %d; t2"):format(i), row.tenantIds)
      assert.same(customer.nested, cjson.decode(row.nested))
      assert.equal("", row.otherFields)
    end
  end)

  it("ends lines with CR and LF, and quotes only what needs it", function()
    local path = written(source { { id = "a", organization = "b" },
      { id = "c", organization = "d,e" } }(), "csv", { fields = { "organization", "id" } })
    assert.equal('organization,id\r\nb,a\r\n"d,e",c\r\n', helper.read(path))
  end)

  it("keeps numbers numbers, and what is absent empty", function()
    local path = written(source {
      '{"id":"a","n":-5,"big":12345678901234567890,"half":0.1,"yes":true}',
      '{"id":"b","n":null,"tenants":null}', '{"id":"c","tenants":[]}' }(), "csv")
    local rows = read_objects(path)
    assert.same({ "-5", "0.1", "true", "" }, { rows[1].n, rows[1].half, rows[1].yes,
      rows[1].organization })
    assert.equal(12345678901234567890, tonumber(rows[1].big))
    assert.same({ "", "", "" }, { rows[2].n, rows[2].tenants, rows[2].tenantIds })
    assert.same({ "c", "", "" }, { rows[3].id, rows[3].tenants, rows[3].tenantIds })
  end)

  it("loses no field of a later customer: they stand in otherFields", function()
    local path = written(source { { id = "a" }, { id = "b", late = "=x", later = { 1 } } }(), "csv")
    local rows = read_objects(path)
    assert.equal("", rows[1].otherFields)
    assert.same({ late = "=x", later = { 1 } }, cjson.decode(rows[2].otherFields))
  end)

  it("keeps names and ids of tenants in step, and tenants in odd forms", function()
    local path = written(source { '{"id":"a","tenants":[{"Id":"1","Name":"one"},{"id":"2"}]}',
      '{"id":"b","tenants":["x"]}', '{"id":"c","tenants":"=none"}', '{"id":"d","tenants":7}' }(),
      "csv")
    local rows = read_objects(path)
    assert.same({ "one; ", "1; 2" }, { rows[1].tenants, rows[1].tenantIds })
    assert.same({ '["x"]', "" }, { rows[2].tenants, rows[2].tenantIds })
    assert.same({ "'=none", "" }, { rows[3].tenants, rows[3].tenantIds })
    assert.same({ "7", "" }, { rows[4].tenants, rows[4].tenantIds })
  end)

  it("has a header also without a customer, none if told so, and a mark for Excel", function()
    local path, n = written(source {}(), "csv")
    assert.equal(0, n)
    assert.equal("id,organization,ownerEmail,jobStatus,jobStatusCode,countryOrRegion,"
      .. "managementMode,tenants,tenantIds,otherFields\r\n", helper.read(path))
    path = written(source { { id = "a" } }(), "csv", { fields = { "id" }, header = false })
    assert.equal("a\r\n", helper.read(path))
    path = written(source { { id = "a" } }(), "csv", { fields = { "id" }, bom = true })
    assert.equal("\239\187\191id\r\na\r\n", helper.read(path))
    path = written(source {}(), "csv", { fields = { "id" }, bom = true, header = false })
    assert.equal("\239\187\191", helper.read(path))
  end)

  it("writes what map returns: tables with any fields, lists and single values", function()
    local list = source { { id = "a", organization = "=b", tenants = { { id = "1", name = "n" } } },
      { id = "b" } }
    local path = written(list():map(function(c)
      return { organization = c.organization, n = -1, id = c.id, tenants = c.tenants }
    end):take(1), "csv")
    assert.equal("id,organization,tenants,tenantIds,n\r\na,'=b,n,1,-1\r\n", helper.read(path))
    path = written(list():map(function(c) return { c.id, 1.5 } end), "csv", { header = false })
    assert.equal("a,1.5\r\nb,1.5\r\n", helper.read(path))
    path = written(list():map(function(c) return "=" .. c.id end), "csv")
    assert.equal("value\r\n'=a\r\n'=b\r\n", helper.read(path))
    path = written(list():map(function() return {} end), "csv", { fields = { "x" } })
    assert.same({ { "x" }, { "" }, { "" } }, read_csv(path))
  end)

  it("raises for a field that map returns later, and names the option", function()
    local path = helper.temporary ".csv"
    local err = helper.error_of(function()
      source { { id = "a" }, { id = "b", organization = "x" } }():map(function(c)
        return { id = c.id, late = c.organization }
      end):write(path, "csv")
    end)
    assert.matches("row 2.*'late'.*options%.fields", err)
    assert.is_nil(helper.read(path))
  end)

  it("takes raw customers and the rows of other lists", function()
    local client = helper.client { raw_items = {
      '{"id":"a","organization":null,"jobStatus":2,"tenants":null}' } }
    local path = written(client:customers { endpoint = "get", raw = true }, "csv")
    local rows = read_objects(path)
    assert.same({ "a", "", "2", "" }, { rows[1].id, rows[1].organization, rows[1].jobStatus,
      rows[1].tenants })
    path = written(client:list("/partner/external/v3/general/customers"), "csv",
      { fields = { "jobStatus", "id" } })
    assert.equal("jobStatus,id\r\n2,a\r\n", helper.read(path))
  end)
end)

describe("listing:write json", function()
  for _, format in ipairs { "json", "jsonl" } do
    it("is read back by jq to the same data: " .. format, function()
      local listing = source(customers())
      local path, n = written(listing(), format)
      assert.equal(#TEXTS, n)
      local values = read_json(path)
      assert.same(listing():collect(), format == "json" and values[1] or values)
    end)
  end

  it("writes empty tenants as a list, and the documented fields first", function()
    local items = { { zone = 1, another = 2, organization = "o", id = "a" }, { id = "b" } }
    items[1].tenants = nil
    local lines = { '{"id":"a","organization":"o","tenants":[],"another":2,"zone":1}',
      '{"id":"b","tenants":[]}' }
    assert.equal(table.concat(lines, "\n") .. "\n", helper.read(written(source(items)(), "jsonl")))
    assert.equal("[\n" .. table.concat(lines, ",\n") .. "\n]\n",
      helper.read(written(source(items)(), "json")))
    assert.same({ "[]\n", "" }, { helper.read(written(source {}(), "json")),
      helper.read(written(source {}(), "jsonl")) })
    assert.equal('{"zone":1}\n{}\n', helper.read(written(source(items)():map(function(c)
      return c
    end), "jsonl", { fields = { "zone" } })))
  end)

  it("keeps numbers beyond 2^53 and fractions, nulls of raw customers too", function()
    local path = written(helper.client({ raw_items = {
      '{"id":"a","big":9007199254740994,"huge":1.7976931348623157e308,"third":0.333333333333333315,'
      .. '"none":null}' } }):customers { endpoint = "get", raw = true }, "jsonl")
    assert.equal('{"id":"a","big":9007199254740994,"huge":1.7976931348623157e+308,"none":null,'
      .. '"third":0.3333333333333333}\n', (helper.read(path):gsub('"big":9.007199254740994e%+15',
      '"big":9007199254740994')))
  end)

  it("has U+FFFD for what is no UTF-8", function()
    local bad = { ["\255"] = 1, ["a\195"] = 1, ["\224\128\175"] = 3, ["\237\160\128"] = 3,
      ["\240\159\143"] = 1, ["\244\144\128\128"] = 4, ["\128\128"] = 2, ["\195\169\169"] = 1,
      ["\192\175"] = 2, ["\240\159x"] = 1 }
    for text, marks in pairs(bad) do
      for _, format in ipairs { "csv", "json", "jsonl" } do
        local path = written(source { { id = "a" } }():map(function()
          return { t = text .. "end" }
        end), format)
        local _, n = helper.read(path):gsub("\239\191\189", "")
        assert.equal(marks, n, format)
        local read = output_of("iconv -f UTF-8 -t UTF-8 %s 2>/dev/null", path)
        assert.equal(helper.read(path), read)
      end
    end
  end)

  it("refuses what JSON cannot hold, and names the row", function()
    local cycle = {}
    cycle.cycle = cycle
    for pattern, value in pairs { ["row 1 has a function"] = { f = print }, ["nested"] = cycle,
      ["row 1 has a boolean as a key"] = { [true] = 1 },
      ["row 1 has a userdata"] = { io.stdout } } do
      local path = helper.temporary ".json"
      local err = helper.error_of(function()
        source { { id = "a" } }():map(function() return value end):write(path, "json")
      end)
      assert.matches("write_spec.lua:%d+: listing:write: .*" .. pattern, err)
      assert.is_nil(helper.read(path))
    end
  end)

  it("loses no part of a table that is list and object", function()
    local path = written(source { { id = "a" } }():map(function()
      return { list = { 1, 2 }, both = { 1, x = 2 }, holes = { 1, nil, 3 }, empty = {},
        tenants = {} }
    end), "jsonl")
    assert.same({ { list = { 1, 2 }, both = { ["1"] = 1, x = 2 },
      holes = { ["1"] = 1, ["3"] = 3 }, empty = {}, tenants = {} } }, read_json(path))
  end)
end)

describe("wrong use of listing:write", function()
  local function assert_misuse(pattern, ...)
    local listing, arguments = helper.client({ customers = 3 }):customers(), { ... }
    local err = helper.error_of(function()
      listing:write(arguments[1], arguments[2], arguments[3])
    end)
    assert.is_string(err)
    assert.matches("write_spec.lua:%d+: listing:write", err)
    assert.matches(pattern, err)
    assert.equal(3, listing:count())
  end

  it("is told with the nearest name", function()
    local path = helper.temporary()
    assert_misuse("csv, json or jsonl, not nil", path)
    assert_misuse("not xml$", path, "xml")
    assert_misuse("did you mean 'csv'", path, "CSV")
    assert_misuse("did you mean 'jsonl'", path, "jsonll")
    assert_misuse("'feilds' %(did you mean 'fields'", path, "csv", { feilds = { "id" } })
    assert_misuse("'header' must be true or false", path, "csv", { header = "no" })
    assert_misuse("'fields' must be a list", path, "csv", { fields = "id" })
    assert_misuse("'header' is for the format csv", path, "json", { header = false })
    assert_misuse("unknown field 'organisation' %(did you mean 'organization'", path, "csv",
      { fields = { "organisation" } })
    assert_misuse("unknown field 'tenantIds'", path, "json", { fields = { "tenantIds" } })
    assert_misuse("not empty", "", "csv")
    assert_misuse("zero bytes", "a\0b", "csv")
    assert_misuse("a path or an open file, not nil", nil, "csv")
    assert_misuse("not table", {}, "csv")
    assert_misuse("a table of options", path, "csv", "id")
    assert.is_nil(helper.read(path))
  end)
end)
