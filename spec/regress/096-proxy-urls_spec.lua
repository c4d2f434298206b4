-- A slash in a proxy's password ends the host for libcurl: what lies before it is taken for host
-- and port. That was accepted as an option, and the advice did not say what to do. An encoded
-- control character in user or password makes libcurl go without the proxy, and that it did.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

describe("a proxy's URL", function()
  it("whose user or password is not encoded is refused as an option, with advice", function()
    for _, proxy in ipairs { "http://user:p@ss:w/rd@host", "http://user:12/sEcret@host:3128",
      "http://user:12?sEcret@host", "user:12#sEcret@host", "socks5h://user/sEcret@host:1080",
      "http://user:12%0DsEcret@host", "user%00sEcret:12@host", "http://user%0AsEcret@host" } do
      local err = helper.error_of(avepoint.client, { access_token = "t", proxy = proxy })
      assert.equal("config", err.kind)
      assert.matches("percent-encode user and password", err.message, 1, true)
      assert.not_matches("sEcret", helper.everything(err), 1, true)
    end
    for _, proxy in ipairs { "http://user:12%2FsEcret@host:3128", "host:3128" } do
      assert.is_truthy(avepoint.client { access_token = "t", proxy = proxy })
    end
  end)

  it("whose host is taken from the password, in the environment, says what to do", function()
    local said = helper.run([[
      local _, err = require "avepoint".client { base_url = "https://service.invalid",
        access_token = "t", max_attempts = 1 }:customers():next()
      print(err.message)
    ]], { https_proxy = "http://user.invalid:12/sEcret@host:3128" })
    assert.matches("percent-encode user and password", said, 1, true)
    assert.not_matches("sEcret", said, 1, true)
  end)

  it("that libcurl would go without, in the environment, is asked for all the same", function()
    for _, variable in ipairs { "https_proxy", "ALL_PROXY" } do
      local id = helper.scenario { customers = 3 }
      local base = ("https://service.two:%s/~%s"):format(helper.ports.https, id)
      local said = helper.run([[
        local _, err = require "avepoint".client { max_attempts = 1 }:customers():next()
        print(err.kind, err.message)
      ]], helper.environment(id, { AVEPOINT_BASE_URL = base, AVEPOINT_TOKEN_URL = base .. "/t",
        [variable] = "http://user%0d:sEcret@127.0.0.1:1" }))
      assert.matches("^config\t.*percent%-encode user and password.*control characters", said)
      assert.not_matches("sEcret", said, 1, true)
    end
  end)
end)
