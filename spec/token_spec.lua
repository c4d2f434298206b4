-- Tokens: given as a string or by a function, or read from the identity server's reply.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local given = require "spec.support.given"
local helper = require "spec.helper"

local TOKEN = given.token
local giving, knowing_token = given.giving, given.knowing_token

describe("access_token as a function", function()
  it("gives token and lifetime, and no token is asked for", function()
    local id = knowing_token { customers = 23 }
    local token, calls = giving(function() return TOKEN, 60 end)
    local client = avepoint.client(helper.options(id, { access_token = token }))
    assert.equal(23, client:customers({ page_size = 5 }):count())
    assert.equal(1, calls.n)
    assert.equal(1, #helper.journal(id, "/connect/token"))
  end)

  it("may give no lifetime", function()
    local id = knowing_token { customers = 3 }
    local client = avepoint.client(helper.options(id, { access_token = giving(TOKEN) }))
    assert.equal(3, client:customers():count())
  end)

  it("is called again when the lifetime is over", function()
    local id = knowing_token { customers = 4 }
    local token, calls = giving(function() return TOKEN, 0.1 end)
    local client = avepoint.client(helper.options(id, { access_token = token }))
    for _ = 1, 3 do
      assert.equal(4, client:customers():count())
      os.execute "sleep 0.15"
    end
    assert.equal(3, calls.n)
  end)

  it("is called again after a 401", function()
    local id = knowing_token { customers = 23, faults = { { on = "page", page = 3,
      status = 401 } } }
    local token, calls = giving(function() return TOKEN, 3600 end)
    local client = avepoint.client(helper.options(id, { access_token = token }))
    assert.equal(23, client:customers({ page_size = 5, concurrency = 1 }):count())
    assert.equal(2, calls.n)
  end)

  it("that gives a refused token raises auth, and is asked anew by the next call", function()
    local id = knowing_token { customers = 3 }
    local token = giving("bad-token-1", "bad-token-1", "bad-token-1", TOKEN)
    local client = avepoint.client(helper.options(id, { access_token = token, endpoint = "get" }))
    local listing, errors = client:customers(), 0
    local customer, err = listing:next()
    while err and errors < 5 do
      assert.equal("auth", err.kind)
      assert.equal(401, err.status)
      errors = errors + 1
      customer, err = listing:next()
    end
    assert.is_true(errors >= 1)
    assert.is_table(customer)
    assert.equal(2, listing:count())
  end)
end)

describe("access_token as a string", function()
  it("is used as it is", function()
    local id = knowing_token { customers = 23 }
    local client = avepoint.client(helper.options(id, { access_token = TOKEN }))
    assert.equal(23, client:customers({ page_size = 5 }):count())
    assert.equal(1, #helper.journal(id, "/connect/token"))
  end)

  it("that is refused fails at once: there is no other", function()
    local client, id = helper.client({ customers = 3 }, { access_token = TOKEN, endpoint = "get" })
    local _, err = client:customers():next()
    assert.equal("auth", err.kind)
    assert.equal(401, err.status)
    assert.is_false(err.retryable)
    assert.equal(1, #helper.journal(id))
    assert.not_matches(TOKEN, helper.everything(err), 1, true)
  end)
end)

describe("a token reply", function()
  it("need not name scope, lifetime or type", function()
    for _, reply in ipairs { '{"access_token":"%s"}', '{"access_token":"%s","expires_in":"3600"}',
      '{"access_token":"%s","expires_in":3600.0,"ext_expires_in":3600,"more":[{}]}',
      '{"access_token":"%s","expires_in":null}' } do
      local client = helper.client { customers = 3, token = { reply = reply:format(TOKEN) } }
      assert.equal(3, client:customers():count(), reply)
    end
  end)

  it("of wrong form is a protocol error", function()
    for _, reply in ipairs { "{}", "[]", "null", "5", '"text"', '{"access_token":5}',
      '{"access_token":null}', '{"access_token":"%s","expires_in":0}',
      '{"access_token":"%s","expires_in":-5}', '{"access_token":"%s","expires_in":"soon"}' } do
      local client, id = helper.client { customers = 3, token = { reply = reply:format(TOKEN) } }
      local _, err = client:customers():next()
      assert.equal("protocol", err and err.kind, reply)
      assert.matches("token", err.message, 1, true)
      assert.same({}, helper.pages(id))
      assert.not_matches(TOKEN, helper.everything(err), 1, true)
    end
  end)
end)
