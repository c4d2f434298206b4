-- A driver of Neovim's or nginx's, named elsewhere, ended in Lua's own words about a nil value.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

describe("a driver of another host's", function()
  it("is refused in words, at the caller's line", function()
    for name, host in pairs { nvim = "Neovim", ngx = "nginx" } do
      local client = helper.client({ customers = 1 }, { driver = name })
      local err = helper.error_of(function() client:customers():count() end)
      assert.matches("185%-drivers%-of%-other%-hosts_spec%.lua:%d+: the driver " .. name, err)
      assert.matches("works in " .. host .. " only", err, 1, true)
      client:close()
    end
  end)
end)

describe("a query", function()
  it("is read raw, as options are", function()
    local client, id = helper.client({ customers = 1 }, { user_agent = "queries-of-its-own" })
    local query = setmetatable({ given = "a" }, { __pairs = function() return nil end,
      __index = function() return "b" end })
    pcall(client.get, client, "partner/external/v3/general/customers", query)
    assert.equal("given=a", helper.journal(id, "/customers")[1].query)
  end)
end)
