-- Who had set variables read of options only: a key without a certificate was told of the secret, a
-- certificate without a key of `private_key`, swapped files of formats. And who had named another
-- cloud was told to look at id and secret.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

-- The message of a listing whose credentials are these variables.
local function message_of(variables, id)
  local getenv = os.getenv
  os.getenv = function(name) -- luacheck: ignore
    return variables[name]
  end
  local base, token = helper.urls(id)
  local ok, err = pcall(function()
    avepoint.client({ base_url = base, token_url = token, client_id = helper.client_id,
      ca_file = helper.ca_file }):customers():count()
  end)
  os.getenv = getenv -- luacheck: ignore
  assert.is_false(ok)
  return err.message
end

describe("a sign-in that cannot work names what to set:", function()
  local certificate, key = helper.temporary ".pem", helper.temporary ".key"
  local id
  setup(function()
    id = helper.scenario { customers = 1 }
    os.execute("unset LD_PRELOAD; openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout "
      .. key .. " -out " .. certificate .. " 2>/dev/null")
  end)

  it("the certificate's variable, for a key alone", function()
    assert.matches("AVEPOINT_CERTIFICATE", message_of({ AVEPOINT_PRIVATE_KEY = key }, id), 1, true)
  end)

  it("the key's variable, for a certificate alone", function()
    assert.matches("AVEPOINT_PRIVATE_KEY",
      message_of({ AVEPOINT_CERTIFICATE = certificate }, id), 1, true)
  end)

  it("the key's variable, for a key in the certificate's place", function()
    assert.matches("AVEPOINT_PRIVATE_KEY", message_of({ AVEPOINT_CERTIFICATE = key,
      AVEPOINT_PRIVATE_KEY = certificate }, id), 1, true)
  end)

  it("the environment, for a secret that is refused", function()
    assert.matches("environment", message_of({ AVEPOINT_CLIENT_SECRET = "another" }, id), 1, true)
  end)
end)
