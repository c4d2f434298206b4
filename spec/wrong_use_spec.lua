-- Wrong use of a listing is never silent, since an alarm may hang on it: what raises, and what the
-- sentence names.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

local HERE = "wrong_use_spec.lua:%d+: "

-- Lua 5.1 and LuaJIT give a table no say in #, pairs and ipairs.
local refuses = _VERSION ~= "Lua 5.1"

local function listing()
  return helper.client({ customers = 3 }):customers()
end

local function assert_misuse(pattern, f)
  local err = helper.error_of(f)
  assert.is_string(err)
  assert.matches(HERE, err)
  assert.matches(pattern, err)
end

describe("a listing taken for a list", function()
  it("raises and names count() and collect()", function()
    local l = listing()
    assert_misuse("count%(%).*collect%(%)", function() return l[1] end)
    assert_misuse("collect%(%)", function() return l[2.5] end)
    if refuses then
      assert_misuse("count%(%).*collect%(%)", function() return #l end)
      assert_misuse("collect%(%)", function() pairs(l) end)
      assert_misuse("collect%(%)", function() for _, c in ipairs(l) do print(c) end end)
    end
    assert.equal(3, l:count()) -- nothing was lost by it
  end)

  it("raises for a filtered one, too", function()
    local l = listing():failed()
    assert_misuse("count%(%)", function() return l[1] end)
  end)
end)

describe("a method that does not exist", function()
  it("is answered with the one that was probably meant", function()
    local l = listing()
    for wrong, right in pairs { all = "collect", to_list = "collect", toList = "collect",
      totable = "collect", limit = "take", head = "take", filter_by = "where", length = "count",
      size = "count", forEach = "each", find = "where", colect = "collect", wher = "where",
      countby = "count_by", to_csv = "write", save = "write",
      needsAttention = "needs_attention", in_countries = "in_country" } do
      assert_misuse("no method '" .. wrong .. "'.*listing:" .. right .. "%(", function()
        l[wrong](l)
      end)
    end
    assert_misuse("no method 'xyzzy'$", function() l:xyzzy() end)
  end)
end)

describe("a call with . for :", function()
  it("is answered with the right form, by every method of a listing", function()
    local l = listing()
    for name in pairs(require("avepoint.listing").methods) do
      local method = l[name]
      assert_misuse("listing:" .. name .. "%(", function() method() end)
      assert_misuse("listing:" .. name .. "%(", function() method({}, 1) end)
    end
    assert.equal(3, l:count())
  end)

  it("of the module and of a client, too", function()
    local client = helper.client {}
    local made -- no tail calls: they would take the caller's line away
    assert_misuse("client:customers%(options%)", function() made = client.customers {} end)
    assert_misuse("avepoint.customers%(options%)", function() made = avepoint:customers() end)
    assert_misuse("avepoint.client%(options%)", function() made = avepoint:client() end)
    assert.is_nil(made)
  end)
end)

describe("an unknown field", function()
  it("is answered with the nearest known one", function()
    local l = listing()
    for wrong, right in pairs { organisation = "organization", jobstatus = "jobStatus",
      owner_email = "ownerEmail", country = false, tenant = "tenants" } do
      local near = right and ("did you mean '%s'"):format(right)
        or ("unknown field '%s'$"):format(wrong)
      assert_misuse(near, function() l:where { [wrong] = "x" } end)
    end
  end)
end)

describe("a closed listing", function()
  it("still tells what it cost and where it stood", function()
    local l = listing()
    assert.is_table(l())
    local position, requests = l:position(), l:stats().requests
    l:close()
    assert.equal(position, l:position())
    assert.equal(requests, l:stats().requests)
    assert.equal("closed", helper.error_of(l).kind)
  end)

  it("the same when its client was closed", function()
    local client = helper.client { customers = 3 }
    local l = client:customers()
    assert.is_table(l())
    client:close()
    assert.is_string(l:position())
    assert.equal(1, l:stats().pages)
  end)
end)
