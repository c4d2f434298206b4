-- An HTTP/2 connection that had fallen silent without a reset (a load balancer forgot it) was used
-- by all five attempts, and by the client's next listings for a quarter of an hour: after a timeout
-- libcurl keeps a connection that several requests share.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local core = require "avepoint.core"
local helper = require "spec.helper"
local relay = require "spec.support.relay"

describe("a connection that falls silent", function()
  local function through(port, more)
    local id = helper.scenario { customers = 40 }
    local one = relay.start(helper.ports[port])
    finally(function() one:stop() end)
    more = more or {}
    more.port = port
    return avepoint.client(one:options(id, more)), one, id
  end

  for _, port in ipairs { "https", "http1" } do
    it("costs one attempt and is used no more, " .. port, function()
      local client, one = through(port, { timeout = 1, concurrency = 4 })
      assert.equal(40, client:customers({ page_size = 10 }):count())
      one:silence()
      local listing = client:customers { page_size = 10 }
      assert.equal(40, listing:count())
      assert.equal(1, listing:stats().retries)
      listing = client:customers { page_size = 10 }
      assert.equal(40, listing:count())
      assert.equal(0, listing:stats().retries)
    end)
  end

  it("in mid-list ends all pages under way on it, and counts one attempt of each", function()
    local client, one = through("https", { timeout = 1, concurrency = 4, max_attempts = 2 })
    local listing = client:customers { page_size = 5 }
    local n = 0
    for _ in listing do
      n = n + 1
      if n == 8 then one:silence() end
    end
    assert.equal(40, n)
    assert.is_true(listing:stats().retries <= 4)
  end)

  it("ends all pages that are under way on it at a deadline", function()
    local client, one = through("https", { timeout = 5, concurrency = 4 })
    local listing = client:customers { page_size = 5, deadline = 1 }
    for n = 1, 8 do
      assert.is_table(listing:next())
      if n == 8 then one:silence() end
    end
    assert.equal("timeout", helper.error_of(listing.collect, listing).kind)
    assert.equal(40, client:customers({ deadline = 10 }):count())
  end)

  it("does not serve the next listing if a deadline ended this one", function()
    local client, one = through("https", { timeout = 5 })
    assert.equal(40, client:customers():count())
    one:silence()
    local _, err = client:customers({ deadline = 0.5 }):next()
    assert.equal("timeout", err.kind)
    local listing = client:customers { deadline = 4 }
    assert.equal(40, listing:count())
    assert.equal(0, listing:stats().retries)
  end)

  it("costs no attempt of a page whose own time is not over", function()
    local client, one = through("https", { timeout = 2, max_attempts = 1,
      driver = { wait = function() coroutine.yield() end } })
    local function begin()
      local listing = client:customers { page_size = 50 }
      return coroutine.create(function()
        local _, err = listing:next()
        return err and err.kind or "read"
      end)
    end
    -- Goes on with a task for so many seconds; gives how it ended, or nil.
    local function go_on(task, seconds)
      local start = core.now()
      local ended
      repeat
        os.execute "sleep 0.02"
        local _, result = assert(coroutine.resume(task))
        ended = coroutine.status(task) == "dead" and result or nil
      until ended or core.now() - start > seconds
      return ended
    end
    assert.equal("read", go_on(begin(), 10)) -- makes the connection
    one:silence()
    local first, second = begin(), begin()
    assert.is_nil(go_on(first, 1))
    assert.is_nil(go_on(second, 0))
    assert.equal("timeout", go_on(first, 10))
    assert.equal("read", go_on(second, 10))
  end)
end)
