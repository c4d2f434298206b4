-- A row that a filter held because its function had raised was given out after close().
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

describe("a listing that is closed while a filter holds a row", function()
  it("gives it to nobody", function()
    local client = helper.client { customers = 5 }
    for _, past in ipairs { true, false } do
      local root = client:customers()
      local raise = true
      local filtered = root:filter(function()
        if raise then error("mine", 0) end
        return true
      end)
      assert.equal("mine", helper.error_of(filtered))
      raise = false
      filtered:close()
      assert.equal("closed", helper.error_of(past and root or filtered).kind)
    end
  end)
end)
