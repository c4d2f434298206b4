-- What files and tables for reading did not take well: numbers that JSON has not, one key as number
-- and as text, things that are no files, large whole numbers.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local cjson = require "cjson"
local helper = require "spec.support.helper"

local function mapped(f)
  return helper.client({ customers = 1 }):customers():map(f)
end

local function written(format, f)
  local path = helper.temporary()
  mapped(f):write(path, format)
  return helper.read(path)
end

describe("write", function()
  it("takes empty tenants for a list, whether or not the JSON library marks lists", function()
    local json = require "avepoint.json"
    for empty, array_mt in pairs { ["[]"] = false, ["{}"] = {} } do
      local text_of = json.rows({ null = cjson.null, array_mt = array_mt, empty = empty },
        { "id", "tenants" }, false, "tenants")
      assert.equal(('{"id":"a","tenants":[],"other":%s}'):format(empty),
        text_of { id = "a", tenants = {}, other = {} })
    end
  end)

  it("leaves the cell of a number that is none empty", function()
    local row = function() return { a = 0 / 0, b = math.huge, c = -math.huge, d = 1 } end
    assert.equal("a,b,c,d\r\n,,,1\r\n", written("csv", row))
    assert.equal('{"a":null,"b":null,"c":null,"d":1}\n', written("jsonl", row))
  end)

  it("refuses a key that is there twice", function()
    for _, format in ipairs { "csv", "json", "jsonl" } do
      assert.matches("row 1 has the key 1 as a number and as a text",
        helper.error_of(function()
          written(format, function() return { [1] = "a", ["1"] = "b" } end)
        end), 1, true)
    end
  end)

  it("puts an apostrophe before a formula whose sign has the width of Chinese ones", function()
    for _, sign in ipairs { "\239\188\157", "\239\188\139", "\239\188\141", "\239\188\160" } do
      assert.equal("a\r\n'" .. sign .. "1\r\n", written("csv", function()
        return { a = sign .. "1" }
      end))
    end
    assert.equal("a\r\n\239\188\161\r\n", written("csv", function()
      return { a = "\239\188\161" } -- a letter of that width
    end))
  end)

  it("has words of its own for what no format can hold", function()
    assert.matches("row 1 has a function, which cannot be written", helper.error_of(function()
      written("csv", function() return { a = print } end)
    end), 1, true)
  end)
end)

describe("a file", function()
  local client = helper.client { customers = 3 }
  local no_files = { cjson.null, { write = 5 }, client:customers(), 5, "x", print,
    setmetatable({}, { __index = function() error "mine" end }) }

  it("is an open file or has a method write", function()
    for i = 1, #no_files do
      local no_file = no_files[i]
      for name, call in pairs {
        show = function() avepoint.show({}, no_file) end,
        ["listing:show"] = function() client:customers():show(no_file) end,
        progress = function() avepoint.progress(no_file) end,
        write = type(no_file) ~= "string"
          and function() client:customers():write(no_file, "csv") end or nil,
      } do
        assert.matches("136%-odd%-values%-out_spec%.lua:%d+: .* an open file",
          helper.error_of(call), name .. " " .. i)
      end
    end
  end)
end)

describe("show", function()
  it("prints large whole numbers whole", function()
    local shown = {}
    avepoint.show({ a = 2 ^ 53, b = -2 ^ 53, c = 1.5, d = 3.0, e = 1e300, name = "x" },
      { write = function(_, ...) shown[#shown + 1] = table.concat { ... } end })
    assert.same({ "a     9007199254740992\n", "b     -9007199254740992\n", "c     1.5\n",
      "d     3\n", "e     1e+300\n", "name  x\n" }, shown)
  end)
end)
