-- libcurl quotes a proxy's URL that it does not understand, user name and password included, in its
-- own words for the failure, and those stood in our error: given as an option or by https_proxy.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local PASSWORD = "hush-hush"

local strange = { "foo://user:hush-hush@127.0.0.1:1", "http://user:hush-hush@127.0.0.1:99999999",
  "http://user:hush-hush pass@127.0.0.1:1", "http://us'er:hush-hush@[127.0.0.1:1" }

describe("a proxy's password", function()
  it("is in no error, whoever named the proxy", function()
    for _, proxy in ipairs(strange) do
      local out = helper.run([[
        local avepoint = require "avepoint"
        local client = avepoint.client { access_token = "t", base_url = "https://x.invalid",
          max_attempts = 1 }
        local _, err = client:customers():next()
        print(err.kind)
        avepoint.show(err)
      ]], { https_proxy = proxy })
      assert.not_matches(PASSWORD, out, 1, true)
      assert.matches("^%l+\n", out)
    end
  end)

  it("is in no config error of the option, which is checked at once", function()
    local avepoint = require "avepoint"
    for _, proxy in ipairs { strange[1], strange[2], strange[4] } do
      local err = helper.error_of(avepoint.client, { access_token = "t", proxy = proxy })
      assert.equal("config", err.kind)
      assert.matches("^proxy is not", err.message)
      assert.not_matches(PASSWORD, helper.everything(err), 1, true)
    end
    for _, proxy in ipairs { "127.0.0.1:3128", "proxy.example.com", "http://u:p@proxy:1",
      "socks5h://[::1]:1080", "https://proxy/" } do
      assert.is_truthy(avepoint.client { access_token = "t", proxy = proxy })
    end
  end)
end)
