-- avepoint.sign took its fields through the table's metatable. A text that an __index function had
-- made was kept by nobody: the next field's look-up could free it, and the certificate's path was
-- read from freed memory.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local sign = require "avepoint.sign"

describe("avepoint.sign.load", function()
  it("asks no metatable for its fields", function()
    local asked = {}
    local given = setmetatable({}, { __index = function(_, name)
      asked[#asked + 1] = name
      collectgarbage()
      for i = 1, 100 do asked[name .. i] = ("x"):rep(60) .. i end
      return name == "now" and os.time() or helper.temporary ".pem" .. ("x"):rep(60)
    end })
    assert.matches("names no certificate", helper.error_of(sign.load, given), 1, true)
    given.certificate = helper.temporary ".pem"
    assert.matches("now is no time", helper.error_of(sign.load, given), 1, true)
    assert.same({}, asked)
  end)
end)
