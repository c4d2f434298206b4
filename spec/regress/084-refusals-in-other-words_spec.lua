-- The token endpoint's refusals that were told wrongly: with status 200 its words were lost; with a
-- web page instead of OAuth's words the error spoke of client_id or of a permission; and where the
-- scope was not the default one, the error advised to tick the default.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

local PAGE = "<html><body>Blocked by the gateway, incident 4711</body></html>"

local function error_with(fault)
  fault.on, fault.times = "token", -1
  local client = helper.client({ customers = 3, faults = { fault } })
  return select(2, client:customers():next())
end

describe("a token reply with status 200 and an error", function()
  it("is a refusal, in the server's words", function()
    for body, code in pairs {
      ['{"error":"invalid_client","error_description":"AADSTS7000222: expired"}'] =
        "invalid_client",
      ['{"error":"access_denied","error_description":"AADSTS7000222: expired",'
        .. '"access_token":null}'] = "access_denied",
      ['{"error":{"code":"Forbidden","message":"AADSTS7000222: expired"}}'] = "Forbidden",
      ['{"error":{"code":403,"message":"AADSTS7000222: expired"}}'] = false,
    } do
      local err = error_with { status = 200, body = body }
      assert.equal("auth", err.kind)
      assert.equal(code or nil, err.code)
      assert.not_matches(": :", err.message, 1, true)
      assert.equal(200, err.status)
      assert.matches("AADSTS7000222: expired", err.message, 1, true)
    end
  end)

  it("and a token is none", function()
    local client = helper.client { customers = 3, token = { known = "regress-token-0123456789" },
      faults = { { on = "token", status = 200,
        body = '{"access_token":"regress-token-0123456789","error":"","expires_in":60}' } } }
    assert.equal(3, client:customers():count())
  end)
end)

describe("a token reply without OAuth's words", function()
  it("is told by its status and place, and where its own words are", function()
    for status, kind in pairs { [400] = "auth", [401] = "auth", [403] = "auth", [404] = "not_found",
      [302] = "http" } do
      local err = error_with { status = status, body = PAGE }
      assert.equal(kind, err.kind)
      assert.equal(status, err.status)
      assert.matches(("HTTP status %d from the token endpoint"):format(status), err.message, 1,
        true)
      assert.not_matches("tick", err.message, 1, true)
      assert.not_matches("client_id", err.message, 1, true)
      assert.equal(status >= 400, err.message:find("body", 1, true) ~= nil)
      assert.equal(status >= 400 and PAGE or nil, err.body)
    end
  end)

  it("speaks of no body where there is none", function()
    assert.not_matches("body", error_with({ status = 403, body = "" }).message, 1, true)
  end)

  it("that is tried again says in the end where it came from", function()
    local client = helper.client({ customers = 3, faults = { { on = "token", status = 503,
      body = PAGE, times = -1 } } }, { max_attempts = 1 })
    local _, err = client:customers():next()
    assert.equal("server", err.kind)
    assert.matches("token endpoint", err.message, 1, true)
    assert.equal(PAGE, err.body)
  end)

  it("in JSON is quoted", function()
    local err = error_with { status = 403, body = '{"message":"the tenant is suspended"}' }
    assert.equal("auth", err.kind)
    assert.matches("the tenant is suspended", err.message, 1, true)
  end)
end)

describe("a scope of the user's own", function()
  local SCOPE = "elements.jobs.read.all" -- does not do for customers

  local function assert_named(err, kind, source)
    assert.equal(kind, err.kind)
    assert.matches(source, err.message, 1, true)
    assert.matches(SCOPE, err.message, 1, true)
  end

  it("is named in what 403 and invalid_scope say, with where it comes from", function()
    local id = helper.scenario { customers = 3 }
    local _, err = avepoint.client(helper.options(id, { scope = SCOPE })):customers():next()
    assert_named(err, "forbidden", "from the option scope")
    assert.matches("^HTTP status 403", err.message)
    for _, kind in ipairs { "forbidden", "auth" } do
      local asked = kind == "auth" and SCOPE .. ".misspelt" or SCOPE
      local out = helper.run([[
        local _, err = require("avepoint").client():customers():next()
        print(err.kind, err.message)
      ]], helper.environment(helper.scenario { customers = 3 }, { AVEPOINT_SCOPE = asked }))
      assert_named({ kind = out:match "^%l+", message = out }, kind, "from AVEPOINT_SCOPE")
    end
  end)

  it("is not spoken of where it is the default, or the token is given", function()
    local _, err = helper.client({ faults = { { on = "page", status = 403, times = -1 } } })
      :customers():next()
    assert.equal("forbidden", err.kind)
    assert.matches("tick elements.customers.read.all", err.message, 1, true)
    _, err = helper.client({ faults = { { on = "page", status = 403, times = -1 } },
      token = { known = "regress-token-0123456789" } },
      { access_token = "regress-token-0123456789", scope = SCOPE }):customers():next()
    assert.equal("forbidden", err.kind)
    assert.not_matches(SCOPE, err.message, 1, true)
  end)
end)
