-- The doctor called a proxy bypassed where no_proxy has `*` among other names: libcurl takes it for
-- all only where it stands alone. What the doctor says is held against what libcurl does.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local LISTS = { "", "*", "other,*", "*,other", "service.invalid", "SERVICE.invalid", ".invalid",
  "invalid", "vice.invalid", ".vice.invalid", "*.invalid", "a.service.invalid",
  "other service.invalid", "other , .service.invalid", "service.invalid.", "service.invalid:443",
  "https://service.invalid", ",", "other" }

describe("the doctor", function()
  it("says of each no_proxy what libcurl makes of it", function()
    for _, list in ipairs(LISTS) do
      local said = helper.run([[
        local avepoint = require "avepoint"
        local client = avepoint.client { access_token = "t", max_attempts = 1,
          base_url = "https://service.invalid" }
        local _, err = client:customers():next()
        print(err.message:find("127.0.0.1", 1, true) and "proxied" or "direct")
        for _, line in ipairs(require "avepoint.doctor".examine {
          base_url = "https://service.invalid", access_token = "t" }) do
          if line.name == "proxy" then print(line.text) end
        end
      ]], { https_proxy = "http://127.0.0.1:1", no_proxy = list, NO_PROXY = "" })
      local direct = said:match "^%l+" == "direct"
      assert.equal(direct, said:find("not used for service.invalid", 1, true) ~= nil,
        list .. ": " .. said)
    end
  end)
end)
