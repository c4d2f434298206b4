-- A position taken before any page was read, or from an error on the first, named the endpoint GET
-- under "auto": resumed, the listing did not fall back to the batch any more.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

describe("a position from before the first page", function()
  it("leaves the endpoint open", function()
    local client = helper.client { customers = 30, endpoints = { get = 404 } }
    local position = client:customers():position()
    assert.equal(30, client:customers({ resume = position }):count())
  end)

  it("given by an error of the sign-in leaves it open too", function()
    local client = helper.client({ customers = 30, endpoints = { get = 404 },
      faults = { { on = "token", status = 500 } } }, { max_attempts = 1 })
    local _, err = client:customers():next()
    assert.equal("server", err.kind)
    assert.equal(30, client:customers({ resume = err.position }):count())
  end)

  it("names the endpoint once it is known", function()
    local client, id = helper.client { customers = 30, endpoints = { get = 404 } }
    client:customers():first()
    local requests = #helper.journal(id, "/customers")
    local position = client:customers():position()
    assert.matches("^ap1%-b%-", position)
    assert.equal(30, client:customers({ resume = position }):count())
    assert.equal(requests, #helper.journal(id, "/customers"))
  end)
end)
