-- Customers are mended in one of two ways: where the reply's text holds no number and no null but
-- those of documented fields, only these are looked at. Both ways must give the same.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

-- The customers of a reply. A key that begins with N makes the module look at everything at once.
local function read(rows, everything)
  local body = ('{"data":[%s],"metadata":{"totalCount":%d}%s}'):format(table.concat(rows, ","),
    #rows, everything and ',"Note":1' or "")
  return helper.client { faults = { { on = "get", status = 200, times = -1, body = body } } }
    :customers({ endpoint = "get", drift = "ignore" }):collect()
end

-- What may stand at a place; the first is the usual one.
local VALUES = { '"text"', "null", "0", "2", "1.5", '"2"', "true", '""', '"failed"', '"Failed"',
  '"No Backup Updates"', '"a \\"null, 5\\""', "[]", "{}", "[null,1,{}]", '{"n":null,"m":3,"x":7.0}',
  '[{"id":"t","name":"n"}]', '[{"Id":"t","Name":"n"}]', '[{"\\u0049d":"t","name":null}]',
  '[{"id":4,"name":"n"},null,5]' }
local FIELDS = { "organization", "ownerEmail", "countryOrRegion", "jobStatus", "jobStatusCode",
  "managementMode", "tenants", "unknown" }

local function row(i, values)
  local parts = { ('"id":"c%d"'):format(i) }
  for _, field in ipairs(FIELDS) do
    if values[field] then
      parts[#parts + 1] = ('"%s":%s'):format(field, values[field])
    end
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function types_of(value)
  if type(value) ~= "table" then
    return math.type and math.type(value) or type(value)
  end
  local types = {}
  for key, inner in pairs(value) do
    types[key] = types_of(inner)
  end
  return types
end

local function assert_same_both_ways(rows)
  local quick, whole = read(rows), read(rows, true)
  assert.same(whole, quick)
  assert.same(types_of(whole), types_of(quick))
  return quick
end

describe("a page of customers", function()
  for _, field in ipairs(FIELDS) do
    it("is the same both ways, whatever stands in " .. field, function()
      local rows = {}
      for i, value in ipairs(VALUES) do
        rows[i] = row(i, { [field] = value })
        assert_same_both_ways { row(1, {}), rows[i] }
      end
      assert_same_both_ways(rows)
    end)
  end

  it("is the same both ways with values at random", function()
    local seed = 7
    local function random(n)
      seed = (seed * 1103515245 + 12345) % 2147483648
      return math.floor(seed / 65536) % n + 1
    end
    for _ = 1, 60 do
      local rows = {}
      for i = 1, 5 do
        local values = {}
        for _, field in ipairs(FIELDS) do
          values[field] = random(3) > 1 and VALUES[random(4) == 1 and random(#VALUES) or 1] or nil
        end
        rows[i] = row(i, values)
      end
      assert_same_both_ways(rows)
    end
  end)

  it("has whole numbers and no null, in documented and in other fields", function()
    local list = assert_same_both_ways {
      row(1, { managementMode = "1", jobStatus = "2", ownerEmail = "null" }),
      row(2, { unknown = '{"seats":12,"note":null}', tenants = '[{"Id":"t","Name":null}]' }),
      '{"id":"c3","managementMode":5,"managementMode":1}' }
    local mark = getmetatable(list[1].tenants)
    assert.same({ id = "c1", jobStatus = "Failed", jobStatusCode = 2, managementMode = 1,
      tenants = {} }, list[1])
    assert.same({ id = "c2", unknown = { seats = 12 }, tenants = { { id = "t" } } }, list[2])
    assert.equal("12", tostring(list[2].unknown.seats))
    assert.equal("1", tostring(list[3].managementMode))
    assert.equal(mark, getmetatable(list[2].tenants))
  end)

  it("is refused for a number that is not finite, wherever it stands", function()
    for _, field in ipairs { "managementMode", "jobStatus", "unknown", "organization" } do
      local ok, err = pcall(read, { row(1, { [field] = "1e999" }) })
      assert.is_false(ok, field)
      assert.equal("protocol", err.kind, field)
    end
  end)
end)
