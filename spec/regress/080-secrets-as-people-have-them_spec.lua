-- Secrets and ids came with a byte order mark, a line's end or a blank from the environment, and
-- the identity server said invalid_client. What the program gives is sent byte for byte: if that
-- was the reason, the error did not say so.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local MARK = "\239\187\191"

describe("from the environment", function()
  it("a byte order mark and white space around a secret, an id, a path do not count", function()
    local path = helper.temporary ".secret"
    helper.write(path, helper.client_secret)
    for _, variables in ipairs {
      { AVEPOINT_CLIENT_SECRET = helper.client_secret .. "\r" },
      { AVEPOINT_CLIENT_SECRET = MARK .. helper.client_secret .. "\n" },
      { AVEPOINT_CLIENT_SECRET = " \t" .. helper.client_secret .. " \r\n" },
      { AVEPOINT_CLIENT_ID = helper.client_id .. " " },
      { AVEPOINT_CLIENT_ID = MARK .. helper.client_id .. "\r\n" },
      { AVEPOINT_CLIENT_SECRET = " ", AVEPOINT_CLIENT_SECRET_FILE = path .. "\r" },
    } do
      local id = helper.scenario { customers = 2 }
      assert.equal("2\n", (helper.run("print(require('avepoint').customers():count())",
        helper.environment(id, variables))))
    end
  end)

  it("a token has none either", function()
    local token = "made-up-token-0123456789"
    local id = helper.scenario { customers = 2, token = { known = token } }
    assert.equal("2\n", (helper.run("print(require('avepoint').customers():count())",
      helper.environment(id, { AVEPOINT_CLIENT_SECRET = false,
        AVEPOINT_ACCESS_TOKEN = MARK .. token .. "\r\n" }))))
  end)
end)

describe("given by the program", function()
  it("a secret and an id are sent byte for byte", function()
    local odd = MARK .. " odd secret\r\n"
    local client = helper.client({ customers = 2, token = { client_id = odd,
      client_secret = odd } }, { client_id = odd, client_secret = odd })
    assert.equal(2, client:customers():count())
  end)

  it("white space at their ends is named where they are refused", function()
    local function refusal(options)
      return select(2, helper.client({ customers = 2 }, options):customers():next())
    end
    for _, blank in ipairs { " ", "\n", "\r", "\t" } do
      local secret = helper.client_secret
      for _, given in ipairs { secret .. blank, blank .. secret } do
        local err = refusal { client_secret = given }
        assert.equal("invalid_client", err.code)
        assert.matches("the secret begins or ends with white space", err.message, 1, true)
        assert.not_matches(secret, helper.everything(err), 1, true)
        assert.matches("white space", refusal({ client_secret = function()
          return given
        end }).message, 1, true)
      end
      assert.matches("client_id begins or ends with white space",
        refusal({ client_id = helper.client_id .. blank }).message, 1, true)
    end
    assert.not_matches("white space", refusal({ client_secret = "wrong" }).message, 1, true)
  end)
end)

describe("a secret's file", function()
  it("in UTF-16, or with more than a secret, is refused and named", function()
    local path = helper.temporary ".secret"
    for _, text in ipairs { "\254\255\0h\0u\0s\0h", "h\0u\0s\0h\0", "hush\rhush", "hush\0",
      ("hush"):rep(1250), MARK, "\r\n" } do
      helper.write(path, text)
      local out = helper.run("print(pcall(require('avepoint').client))",
        { AVEPOINT_CLIENT_ID = "me", AVEPOINT_CLIENT_SECRET_FILE = path })
      assert.matches("^false\tavepoint: config: AVEPOINT_CLIENT_SECRET_FILE", out)
      assert.matches(path, out, 1, true)
      assert.not_matches("hush", out, 1, true)
    end
  end)
end)

describe("AVEPOINT_LOG beside an on_event", function()
  it("lets both have the events", function()
    local id = helper.scenario { customers = 2 }
    local base, token = helper.urls(id)
    local out = helper.run(([[
      local n = 0
      local client = require("avepoint").client { base_url = %q, token_url = %q, ca_file = %q,
        on_event = function(event) n = n + 1; event.event = "mine" end }
      print(client:customers():count(), n)
    ]]):format(base, token, helper.ca_file), { AVEPOINT_CLIENT_ID = helper.client_id,
      AVEPOINT_CLIENT_SECRET = helper.client_secret, AVEPOINT_LOG = "debug" })
    local lines = select(2, out:gsub("avepoint %l+ ", ""))
    local count, n = out:match "(%d+)\t(%d+)"
    assert.equal("2", count, out)
    assert.is_true(lines > 3, out)
    assert.equal(lines, tonumber(n))
  end)
end)
