-- "AVEPOINT_ENVIRONMENT is none of: ..." did not say what it is instead: who set it in some file
-- far away had to look there. The same of AVEPOINT_LOG, AVEPOINT_LOG_FORMAT and of options.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

describe("a word that is none of those known", function()
  it("is told, if a variable holds it, clean and cut", function()
    local id = helper.scenario { customers = 1 }
    for _, name in ipairs { "AVEPOINT_ENVIRONMENT", "AVEPOINT_LOG", "AVEPOINT_LOG_FORMAT" } do
      for value, told in pairs { xx = "xx", ["a\27[31mb"] = "a [31mb",
        [("x"):rep(1000)] = ("x"):rep(300) } do
        local said = helper.run([[print(pcall(require("avepoint").client))]],
          helper.environment(id, { [name] = value }))
        assert.matches(("%s is '%s', which is none of: "):format(name, told), said, 1, true)
      end
    end
  end)

  it("is told, if an option holds it", function()
    assert.matches("option 'environment' must be one of: commercial, .*, not 'xx'$",
      helper.error_of(avepoint.client, { environment = "xx" }))
    assert.matches("1 to 64, not '99'$", helper.error_of(avepoint.client, { concurrency = 99 }))
    assert.matches("info or debug, not loud$", helper.error_of(avepoint.logger, "loud"))
    assert.matches("text or json, not xml$", helper.error_of(avepoint.logger, "info", "xml"))
  end)

  it("is never told of what may be a secret", function()
    for _, name in ipairs { "client_secret", "access_token", "certificate_password" } do
      local given = { client_id = "x", [name] = "hQ7~s3cret\0\n" }
      assert.not_matches("s3cret", helper.everything(helper.error_of(avepoint.client, given)), 1,
        true)
    end
  end)
end)
