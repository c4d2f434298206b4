-- What a user gives injects nothing: CR, LF, NUL, `&` and a whole request in any option that
-- reaches the wire are refused, or arrive as the value of that option alone.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

local GENERAL = "partner/external/v3/general/customers"
local TOKEN = { grant_type = true, client_id = true, client_secret = true, scope = true,
  client_assertion = true, client_assertion_type = true }

local HOSTILE = {
  CRLF = "\r\nX-Evil: 1", CR = "\rX-Evil: 1", LF = "\nX-Evil: 1", NUL = "\0X-Evil: 1",
  ["an ampersand"] = "&evil=1", ["a hash"] = "#evil", ["a question mark"] = "?evil=1",
  ["a request"] = " HTTP/1.1\r\nHost: localhost\r\n\r\nGET /evil HTTP/1.1\r\n"
    .. "Host: localhost\r\n\r\n",
}

-- Each gives options of a client by the hostile text, or a function that uses a good client.
local function option(name, before)
  return function(text) return { [name] = (before or "x") .. text } end
end
local function use(f)
  return function(text)
    return {}, function(client) return f(client, text) end
  end
end

local PLACES = {
  client_id = option "client_id", client_secret = option "client_secret", scope = option "scope",
  access_token = option "access_token", user_agent = option "user_agent",
  ["a secret by a function"] = function(text)
    return { client_secret = function() return "x" .. text end }
  end,
  ["a token by a function"] = function(text)
    return { access_token = function() return "x" .. text, 60 end }
  end,
  ["an assertion"] = function(text)
    return { client_assertion = function() return "x" .. text end }
  end,
  base_url = function(text, base) return { base_url = base .. "/sub" .. text } end,
  token_url = function(text, _, token_url) return { token_url = token_url .. text } end,
  customer_ids = use(function(client, text)
    return client:customers({ customer_ids = { "x" .. text } }):collect()
  end),
  customer = use(function(client, text) return client:customer("x" .. text) end),
  resume = use(function(client, text)
    return client:customers({ resume = client:customers():position() .. text }):collect()
  end),
  path = use(function(client, text) return client:list(GENERAL .. text):collect() end),
  ["path of get"] = use(function(client, text) return client:get(GENERAL .. text) end),
  query = use(function(client, text)
    return client:list(GENERAL, { query = { given = "x" .. text } }):collect()
  end),
  ["name in the query"] = use(function(client, text)
    return client:list(GENERAL, { query = { ["given" .. text] = "x" } }):collect()
  end),
  ["query of get"] = use(function(client, text)
    return client:get(GENERAL, { given = "x" .. text })
  end),
  body = use(function(client, text)
    return client:list(GENERAL .. "/batch", { method = "POST",
      body = { given = "x" .. text } }):collect()
  end),
}

local function fields_of(text)
  local fields = {}
  for pair in (type(text) == "string" and text or ""):gmatch "[^&]+" do
    fields[#fields + 1] = pair:match "^[^=]*"
  end
  return fields
end

local function check_request(entry, what)
  for name, value in pairs(entry.headers) do
    assert.is_nil(name:lower():find("evil", 1, true), what)
    assert.is_nil(tostring(value):find "[\r\n%z]", what)
  end
  assert.is_nil(entry.path:find("^/?evil"), what)
  if entry.path:find "/connect/token" then
    assert.equal("POST", entry.method, what)
    assert.equal("", entry.query, what)
    for _, name in ipairs(fields_of(entry.body)) do assert.is_true(TOKEN[name], what .. name) end
  else
    assert.equal(entry.path:find "/batch$" and "POST" or "GET", entry.method, what)
    for _, name in ipairs(fields_of(entry.query)) do assert.not_equal("evil", name, what) end
  end
end

describe("an option that reaches the wire injects nothing:", function()
  for place, make in pairs(PLACES) do
    it(place, function()
      for name, text in pairs(HOSTILE) do
        local what = place .. ", " .. name .. ": "
        local id = helper.scenario { customers = 2 }
        local base, token_url = helper.urls(id, "http")
        local given, f = make(text, base, token_url)
        given.port, given.max_attempts = "http", 1
        f = f or function(client) return client:customers({ endpoint = "get" }):collect() end
        local ok, err = pcall(function() return f(avepoint.client(helper.options(id, given))) end)
        local requests = helper.journal(id)
        for _, entry in ipairs(requests) do check_request(entry, what) end
        assert.is_true(#requests <= 3, what .. #requests) -- a token, a GET and a batch at most
        if not ok and (place:find "secret" or place:find "token") and place ~= "token_url" then
          assert.is_nil(helper.everything(err):find("Evil", 1, true), what)
        end
      end
    end)
  end
end)
