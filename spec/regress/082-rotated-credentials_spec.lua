-- A secret's file and a certificate are rotated under a running service. They were read once, so
-- that the client was refused for good. And a function's secret was asked for once, not for each
-- token.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local given = require "spec.support.given"
local helper = require "spec.helper"

-- A client whose credentials are these variables; before each token request calls `on_token`.
local function client_of(id, variables, on_token)
  local getenv = os.getenv
  os.getenv = function(name) -- luacheck: ignore
    return variables[name]
  end
  local base, token = helper.urls(id)
  local ok, client = pcall(avepoint.client, { base_url = base, token_url = token,
    client_id = helper.client_id, ca_file = helper.ca_file, on_event = function(event)
      if event.event == "request" and event.url:find("/connect/token", 1, true) then
        on_token()
      end
    end })
  os.getenv = getenv -- luacheck: ignore
  return assert(ok and client, client)
end

local function tokens(id)
  return #helper.journal(id, "/connect/token")
end

describe("a secret's file", function()
  it("is read again for each token, and once after invalid_client", function()
    local path = helper.temporary ".secret"
    local id = helper.scenario { customers = 3, token = { uses = 1 } }
    local next_text
    helper.write(path, "an-old-secret")
    local client = client_of(id, { AVEPOINT_CLIENT_SECRET_FILE = path }, function()
      if next_text then
        helper.write(path, next_text)
      end
    end)
    helper.write(path, helper.client_secret) -- before the first token
    assert.equal(3, client:customers():count())
    assert.equal(1, tokens(id))
    helper.write(path, "an-old-secret")
    next_text = helper.client_secret -- once the old one is on its way
    assert.equal(3, client:customers():count())
    assert.equal(3, tokens(id))
    next_text = nil
    helper.write(path, "an-old-secret")
    assert.equal("invalid_client", select(2, client:customers():next()).code)
    assert.equal(5, tokens(id))
  end)

  it("that has gone or holds no secret any more fails the sign-in, unquoted", function()
    local path = helper.temporary ".secret"
    helper.write(path, "hush-hush")
    local id = helper.scenario { customers = 3 }
    local client = client_of(id, { AVEPOINT_CLIENT_SECRET_FILE = path }, function() end)
    for _, text in ipairs { "", "hush-hush\nhush-hush" } do
      helper.write(path, text)
      local _, err = client:customers():next()
      assert.equal("auth", err.kind)
      assert.matches("AVEPOINT_CLIENT_SECRET_FILE", err.message, 1, true)
      assert.not_matches("hush", helper.everything(err), 1, true)
    end
    os.remove(path)
    local _, err = client:customers():next()
    assert.matches("No such file", err.message, 1, true)
    helper.write(path, helper.client_secret)
    assert.equal(3, client:customers():count())
  end)
end)

describe("a function's secret", function()
  it("is asked for again for each token", function()
    local secret, calls = given.giving(helper.client_secret)
    local client, id = helper.client({ customers = 6, token = { uses = 1 } },
      { client_secret = secret })
    assert.equal(6, client:customers({ page_size = 2 }):count())
    assert.equal(tokens(id), calls.n)
    assert.is_true(calls.n >= 3)
  end)
end)

describe("a certificate", function()
  local dir = helper.temporary ".keys"

  local function make(name)
    assert(os.execute(("unset LD_PRELOAD; mkdir -p %s && openssl req -x509 -newkey rsa:2048 -nodes "
      .. "-subj /CN=x -days 9 -keyout %s/%s.key -out %s/%s.pem 2>/dev/null"):format(dir, dir, name,
      dir, name)))
    local pem, key = helper.read(("%s/%s.pem"):format(dir, name)),
      helper.read(("%s/%s.key"):format(dir, name))
    return pem .. key
  end

  it("is read again once after invalid_client", function()
    local old, new = make "old", make "new"
    local path = dir .. "/live.pem"
    local id = helper.scenario { customers = 3, token = { certificates = { dir .. "/new.pem" } } }
    helper.write(path, old)
    local client = client_of(id, { AVEPOINT_CERTIFICATE = path }, function() end)
    assert.equal("invalid_client", select(2, client:customers():next()).code)
    assert.equal(2, tokens(id))
    helper.write(path, "")
    local _, err = client:customers():next()
    assert.equal("auth", err.kind)
    assert.matches("certificate is neither PEM", err.message, 1, true)
    helper.write(path, new)
    assert.equal(3, client:customers():count())
  end)
end)
