-- Where the lock of a token store could not be taken for want of memory, it counted as held by
-- another process, and the listing waited for that one for 35 seconds.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

-- A dictionary of nginx whose `add` answers so.
local function dictionary(...)
  local answer = { ... }
  return { get = function() end, set = function() end, delete = function() end, add = function()
    return answer[1], answer[2]
  end }
end

local function list(store, more)
  local id = helper.scenario { customers = 3 }
  local options = helper.options(id, more)
  options.token_store, options.driver = store, "blocking"
  return avepoint.client(options):customers { deadline = 2 }, id
end

describe("a lock of a token store", function()
  after_each(function() rawset(_G, "ngx", nil) end)

  it("that nginx has no memory for is not waited for", function()
    rawset(_G, "ngx", { worker = { pid = function() return 1 end }, shared = {
      full = dictionary(nil, "no memory"), held = dictionary(false, "exists") } })
    local listing, id = list "full"
    assert.equal(3, listing:count())
    assert.equal(1, #helper.journal(id, "/connect/token"))
    listing, id = list "held"
    assert.equal("timeout", select(2, listing:next()).kind)
    assert.equal(0, #helper.journal(id, "/connect/token"))
  end)

  it("is not waited for where the user's function returns nil and a message", function()
    local messages = { "the lock server is down" }
    local store = { get = function() end, put = function() end, lock = function()
      return nil, messages[1]
    end }
    local listing, id = list(store)
    assert.equal(3, listing:count())
    assert.equal(1, #helper.journal(id, "/connect/token"))
    messages[1] = nil
    assert.equal("timeout", select(2, list(store):next()).kind)
  end)
end)
