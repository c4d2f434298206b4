-- Some errors named a line of the library, or none: a listing that is busy, and a closed client.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

local HERE = debug.getinfo(1, "S").short_src

local LINE = debug.getinfo(1, "l").currentline + 2
local function list(client, ...)
  local listing = client.customers(...)
  return listing
end

describe("the caller's line", function()
  it("is in the error of a closed client", function()
    local client = helper.client {}
    client:close()
    local err = helper.error_of(list, client, client)
    assert.equal("closed", err.kind)
    assert.equal(("%s:%d"):format(HERE, LINE), err.where)
  end)

  it("is in the error of a call that lacks its client", function()
    local client = helper.client {}
    local err = helper.error_of(list, client)
    assert.equal(("%s:%d: client:customers: is a method: write client:customers(options)")
      :format(HERE, LINE), err)
  end)

  it("is in the error of a busy listing", function()
    local client = helper.client({ customers = 3 }, { driver = { wait = function()
      coroutine.yield()
    end } })
    local listing = client:customers()
    local waiting = coroutine.wrap(function() return (listing:next()) end)
    waiting()
    local err = helper.error_of(function() return (listing:next()) end)
    assert.matches("^" .. HERE:gsub("%p", "%%%0") .. ":%d+: this listing is busy", err)
    assert.is_false(avepoint.is_error(err))
  end)
end)
