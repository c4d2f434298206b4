-- An explicit environment hides the variables of both URLs: else the secret of one data centre goes
-- to the token endpoint of another.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

describe("an environment given as an option", function()
  it("hides the variable of the token's URL and of the service's", function()
    local said = helper.run([[
      local avepoint = require "avepoint"
      for _, credential in ipairs { "client_secret", "access_token" } do
        local _, err = avepoint.client { environment = "usgov", client_id = "x",
          [credential] = "y", proxy = "http://127.0.0.1:1", max_attempts = 1 }:customers():next()
        print(err.url)
      end
    ]], { AVEPOINT_BASE_URL = "https://service.invalid",
      AVEPOINT_TOKEN_URL = "https://identity.invalid/connect/token" })
    assert.equal("https://identity-gov.avepointonlineservices.com/connect/token\n"
      .. "https://graph-gov.avepointonlineservices.com/partner/external/v3/general/customers\n",
      said)
  end)
end)
