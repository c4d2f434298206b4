local helper = require "spec.helper"

describe("a listing", function()
  it("gives every customer of several pages once", function()
    local client, id = helper.client({ customers = 250 })
    local seen, n = {}, 0
    for customer in client:customers() do
      assert.is_nil(seen[customer.id])
      seen[customer.id] = true
      n = n + 1
    end
    assert.equal(250, n)
    assert.equal(3, #helper.journal(id, "/customers"))
    assert.equal(1, #helper.journal(id, "/connect/token"))
  end)
end)
