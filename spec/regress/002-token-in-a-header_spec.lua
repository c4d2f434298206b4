-- A string given as access_token went into the header as it was, so that one with a line's end
-- added a header of its own. A function's token was checked, a string's was not.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

local wrong = { "abc\r\nUser-Agent: evil", "abc\n", "a b", "t\228", "\127" }

describe("an access token that no header can hold", function()
  it("is an argument error as an option", function()
    for _, token in ipairs(wrong) do
      local err = helper.error_of(avepoint.client, { access_token = token })
      assert.matches("access_token", err, 1, true)
      assert.not_matches("evil", err, 1, true)
    end
  end)

  it("is a config error as a variable", function()
    local out = helper.run([[print(pcall(require("avepoint").customers))]],
      { AVEPOINT_ACCESS_TOKEN = "abc\r\nd" })
    assert.matches("^false\tavepoint: config: AVEPOINT_ACCESS_TOKEN", out)
  end)
end)
