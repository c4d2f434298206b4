-- Credentials that are functions, and what comes back when they fail.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local given = require "spec.support.given"
local helper = require "spec.helper"

local TOKEN = given.token
local giving, knowing_token = given.giving, given.knowing_token

describe("client_secret as a function", function()
  it("is called when the first token is needed, and once", function()
    local secret, calls = giving(helper.client_secret)
    local client, id = helper.client({ customers = 23 }, { client_secret = secret })
    local listing = client:customers { page_size = 5 }
    assert.equal(0, calls.n)
    assert.equal(23, listing:count())
    assert.equal(23, client:customers():count())
    assert.equal(1, calls.n)
    assert.equal(1, #helper.journal(id, "/connect/token"))
  end)

  it("is asked again once after invalid_client", function()
    local secret, calls = giving("old", helper.client_secret)
    local client, id = helper.client({ customers = 3 }, { client_secret = secret })
    assert.equal(3, client:customers():count())
    assert.equal(2, calls.n)
    assert.equal(2, #helper.journal(id, "/connect/token"))

    secret, calls = giving "old"
    client, id = helper.client({ customers = 3 }, { client_secret = secret })
    local listing = client:customers()
    local _, err = listing:next()
    assert.equal("auth", err.kind)
    assert.equal("invalid_client", err.code)
    assert.equal(2, calls.n)
    assert.equal(2, #helper.journal(id, "/connect/token"))
    assert.not_matches("old", err.message:gsub("years old", ""))
  end)

  it("is asked anew by the next call after it failed", function()
    local secret, calls = giving("old", "old", helper.client_secret)
    local client = helper.client({ customers = 3 }, { client_secret = secret })
    local listing = client:customers()
    assert.equal("auth", select(2, listing:next()).kind)
    assert.equal(3, listing:count())
    assert.is_true(calls.n >= 3)
  end)

  it("is not asked again for other refusals", function()
    local secret, calls = giving(helper.client_secret)
    local client = helper.client({ customers = 3 }, { client_secret = secret, scope = "nothing" })
    assert.equal("invalid_scope", select(2, client:customers():next()).code)
    assert.equal(1, calls.n)
  end)
end)

describe("client_assertion", function()
  it("is called with the token URL, for each token request anew", function()
    local assertion, calls = giving("jwt-one.a.b", "jwt-two.a.b")
    local client, id = helper.client({ customers = 3, endpoints = { token = 503 } },
      { client_assertion = assertion, max_attempts = 2, max_retry_wait = 0.01 })
    local _, err = client:customers():next()
    assert.equal("server", err.kind)
    assert.equal(2, calls.n)
    local _, token_url = helper.urls(id)
    assert.equal(token_url, calls[1][1])
    assert.not_matches("jwt%-", helper.everything(err))
  end)

  it("is sent in the form of RFC 7523", function()
    local client, id = helper.client({ customers = 3 }, { client_assertion = giving "jwt.a.b" })
    local _, err = client:customers():next()
    assert.equal("auth", err.kind) -- the simulator knows no certificate
    local form = helper.journal(id, "/connect/token")[1].body
    assert.equal("urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      form.client_assertion_type)
    assert.equal("***", form.client_assertion)
    assert.equal("client_credentials", form.grant_type)
    assert.is_nil(form.client_secret)
  end)
end)

describe("a credential function", function()
  local names = { "client_secret", "access_token", "client_assertion" }

  it("that gives nil and a message fails the call with that message", function()
    for _, name in ipairs(names) do
      local client, id = helper.client({ customers = 3 }, { [name] = function()
        return nil, "the vault is sealed"
      end })
      local listing = client:customers()
      for _ = 1, 2 do
        local _, err = listing:next()
        assert.is_true(avepoint.is_error(err))
        assert.matches("the vault is sealed", err.message, 1, true)
      end
      assert.same({}, helper.journal(id))
    end
  end)

  it("that gives no credential at all fails the call by its name", function()
    for _, name in ipairs(names) do
      for _, value in ipairs { false, "", 5, {}, "\0" } do
        local client, id = helper.client({ customers = 3 }, { [name] = function()
          return value
        end })
        local _, err = client:customers():next()
        assert.is_true(avepoint.is_error(err))
        assert.matches(name, err.message, 1, true)
        assert.same({}, helper.journal(id))
      end
      local client = helper.client({ customers = 3 }, { [name] = function() end })
      assert.matches(name, select(2, client:customers():next()).message, 1, true)
    end
    for _, lifetime in ipairs { 0, -1, "soon", 0 / 0 } do
      local client = helper.client({ customers = 3 }, { access_token = function()
        return TOKEN, lifetime
      end })
      assert.matches("lifetime", select(2, client:customers():next()).message, 1, true)
    end
  end)

  it("that raises passes its error to the caller, and the listing goes on", function()
    for _, name in ipairs { "client_secret", "access_token" } do
      local thrown, angry = { "mine" }, 2
      local id = knowing_token { customers = 23 }
      local client = avepoint.client(helper.options(id, { [name] = function()
        if angry > 0 then
          angry = angry - 1
          error(thrown, 0)
        end
        return name == "client_secret" and helper.client_secret or TOKEN
      end }))
      local listing = client:customers { page_size = 5 }
      assert.equal(thrown, helper.error_of(listing))
      assert.equal(thrown, helper.error_of(listing.next, listing))
      assert.equal(23, listing:count())
    end
  end)

  it("may yield where coroutines can", function()
    if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
      return assert.is_false(pcall(coroutine.yield)) -- PUC 5.1 cannot: doc/versions.md says so
    end
    local client = helper.client({ customers = 23 }, { client_secret = function()
      return coroutine.yield "secret, please"
    end, driver = { wait = function() coroutine.yield() end } })
    local n
    local task = coroutine.create(function() n = client:customers({ page_size = 5 }):count() end)
    local asked, answer = 0, nil
    while coroutine.status(task) ~= "dead" do
      local ok, said = coroutine.resume(task, answer)
      assert.is_true(ok, tostring(said))
      answer = nil
      if said == "secret, please" then
        asked, answer = asked + 1, helper.client_secret
      end
    end
    assert.equal(23, n)
    assert.equal(1, asked)
  end)
end)
