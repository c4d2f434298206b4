-- No secret and no token in an error, an event or a tostring, whatever the server sends back.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

local TOKEN, SECRET = "made-up-token-123456", "made-up/secret&7 x+%9"
local ENCODED = "made-up%2Fsecret%267%20x%2B%259" -- as it is sent
local ECHOES = {
  plain = "%s",
  ["in JSON"] = '{"message":"you sent %s, which is wrong"}',
  ["as a word"] = '{"error":"%s"}',
  ["as a description"] = '{"error":"invalid_client","error_description":"client_secret=%s"}',
  ["as a request id"] = '{"message":"no","requestId":"%s"}',
  ["in a list"] = '{"errors":[{"message":"%s"}]}',
  ["twice"] = '{"message":"%s%s"}',
}

-- The text with each character as a JSON escape.
local function escaped(text)
  return (text:gsub(".", function(c) return ("\\u%04x"):format(c:byte()) end))
end

local function scan(value, what)
  local text = helper.everything(value)
  for _, part in ipairs { "made%-up", "Bearer%s+%w" } do
    assert.is_nil(text:find(part), what .. ": " .. text)
  end
end

-- An access token that the simulator knows, so that listing works with it.
local function with_token(fields)
  fields.token = { reply = ('{"access_token":"%s","expires_in":3600}'):format(TOKEN) }
  return fields
end

local function errors_of(client)
  local events = {}
  local listing = client:customers { endpoint = "get" }
  local _, err = listing:next()
  assert.is_true(avepoint.is_error(err))
  return err, listing, events
end

describe("a token", function()
  for name, form in pairs(ECHOES) do
    it("that the service sends back " .. name .. " is covered", function()
      for _, spelt in ipairs { TOKEN, escaped(TOKEN) } do
        local body = form:gsub("%%s", (spelt:gsub("%%", "%%%%")))
        for _, status in ipairs { 400, 403, 401, 500, 200 } do
          local client = helper.client(with_token { faults = { { on = "get", status = status,
            times = -1, body = body } } }, { max_attempts = 1 })
          local err, listing = errors_of(client)
          scan(err, "error")
          scan(tostring(client) .. tostring(listing), "tostring")
        end
      end
    end)
  end

  it("that the kilobyte's end cuts is covered as well", function()
    for kept = 4, #TOKEN - 1 do
      local body = ("x"):rep(1024 - kept) .. TOKEN
      local client = helper.client(with_token { faults = { { on = "get", status = 400, times = -1,
        body = body } } })
      local err = errors_of(client)
      assert.is_nil(err.body:find("made-up", 1, true), "kept " .. kept)
    end
  end)

  it("in a header of the reply is covered", function()
    local client = helper.client(with_token { faults = { { on = "get", status = 400, times = -1,
      headers = { ["x-request-id"] = TOKEN, ["Retry-After"] = TOKEN } } } })
    scan((errors_of(client)), "error")
  end)

  it("given by a function or as a string is covered too", function()
    local scenario = { faults = { { on = "any", status = 403, times = -1,
      body = '{"message":"' .. TOKEN .. '"}' } }, token = { reply = "x" } }
    for _, token in ipairs { TOKEN, function() return TOKEN, 60 end } do
      local client = helper.client(scenario, { access_token = token, endpoint = "get" })
      scan((errors_of(client)), "error")
      client:close()
      scan(client, "tostring")
    end
  end)

  it("that is no header's value is refused, and sent nowhere", function()
    for _, token in ipairs { "made-up\\r\\nX-Evil: 1", "made-up token", "", "made-up\\u0000",
      "made-\\u00fcp" } do
      local client, id = helper.client { customers = 1,
        token = { reply = ('{"access_token":"%s"}'):format(token) } }
      local err = errors_of(client)
      assert.equal("protocol", err.kind)
      scan(err, "error")
      assert.same({}, helper.pages(id))
    end
  end)
end)

describe("a client secret", function()
  for name, form in pairs(ECHOES) do
    it("that the identity server sends back " .. name .. " is covered", function()
      for _, spelt in ipairs { SECRET, escaped(SECRET), ENCODED } do
        local body = form:gsub("%%s", (spelt:gsub("%%", "%%%%")))
        for _, status in ipairs { 400, 401, 403, 500, 200 } do
          local events = {}
          local client = helper.client({ token = { client_secret = SECRET }, faults = {
            { on = "token", status = status, times = -1, body = body } } },
            { client_secret = SECRET, max_attempts = 1,
              on_event = function(event) events[#events + 1] = event end })
          scan((errors_of(client)), "error")
          scan(events, "event")
        end
      end
    end)
  end

  it("and the tokens are in no event of a whole listing", function()
    local events = {}
    local client = helper.client(with_token { customers = 23, faults = {
      { on = "page", page = 2, status = 401, body = TOKEN },
      { on = "page", page = 3, status = 503, headers = { ["Retry-After"] = "0" }, body = TOKEN },
    } }, { on_event = function(event) events[#events + 1] = event end })
    local listing = client:customers { page_size = 5 }
    listing:count()
    assert.is_true(#events > 10)
    scan(events, "event")
    scan(listing, "listing")
  end)

  it("is not in the log on stderr", function()
    local out = helper.run([[
      local avepoint = require "avepoint"
      local listing = avepoint.customers { page_size = 2 }
      print(listing:count())
      print(pcall(avepoint.client { client_secret = "made-up-other" }:customers()))
    ]], helper.environment(helper.scenario(with_token { customers = 5 }),
      { AVEPOINT_LOG = "debug" }))
    assert.matches("^[^\n]*\n", out)
    assert.not_matches("made%-up", out)
    assert.not_matches(helper.client_secret, out, 1, true)
  end)
end)

describe("a proxy's password", function()
  it("is in no error, event or tostring", function()
    local events = {}
    local client = avepoint.client { client_id = "me", client_secret = SECRET, max_attempts = 1,
      base_url = "https://example.com", token_url = "https://example.com/t",
      proxy = "http://made-up-user:made-up-password@127.0.0.1:1",
      on_event = function(event) events[#events + 1] = event end }
    local err = errors_of(client)
    assert.equal("network", err.kind)
    scan(err, "error")
    scan(events, "event")
    scan(client, "tostring")
  end)
end)
