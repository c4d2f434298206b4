-- An HTTP/2 connection that had fallen silent without a reset (a load balancer forgot it) was used
-- by all five attempts, and by the client's next listings for a quarter of an hour: after a timeout
-- libcurl keeps a connection that several requests share.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
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
end)
