-- What a user gives injects nothing: CR, LF, NUL, `&` and a whole request in any option that is a
-- text are refused before anything is sent, or the server sees exactly these bytes in the place of
-- that option alone. The options are found, not named; one that reaches the wire needs a row in
-- `seen`, which says where.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local certificates = require "spec.support.certificates"
local cjson = require "cjson"
local files = require "spec.support.files"
local helper = require "spec.helper"
local options = require "avepoint.options"
local relay = require "spec.support.relay"

local GENERAL = "partner/external/v3/general/customers"
local FORM = { grant_type = true, client_id = true, client_secret = true, scope = true,
  client_assertion = true, client_assertion_type = true }
local HEADERS = { host = true, accept = true, authorization = true, ["accept-encoding"] = true,
  ["content-type"] = true, ["content-length"] = true, ["user-agent"] = true }
local QUERY = { pageIndex = true, pageSize = true, given = true }

local trap = helper.scenario {} -- where nobody else asks

local HOSTILE = {
  CRLF = "\r\nX-Evil: 1", CR = "\rX-Evil: 1", LF = "\nX-Evil: 1", NUL = "\0X-Evil: 1",
  ["an ampersand"] = "&scope=evil", ["a hash"] = "#evil", ["a question mark"] = "?evil=1",
  ["a request"] = " HTTP/1.1\r\nHost: localhost\r\n\r\nGET /~" .. trap .. "/evil HTTP/1.1"
    .. "\r\nHost: localhost\r\n\r\n",
}

-- what the server saw -------------------------------------------------------------------------

-- The fields of a form; one that is there twice is a list. The simulator decodes its own token
-- endpoint's only.
local function form_of(entry)
  if type(entry.body) == "table" then return entry.body end
  local fields = {}
  for pair in (entry.body or ""):gmatch "[^&]+" do
    local name, value = pair:match "^([^=]*)=?(.*)$"
    fields[name] = fields[name] and { fields[name], value } or value
  end
  return fields
end

local function json_of(entry)
  local ok, fields = pcall(cjson.decode, entry.body)
  return ok and type(fields) == "table" and fields or {}
end

local function has(value, list)
  return list[value] and value
end

-- The texts that are sent, with where the server sees them: function(request, text), which gives
-- what it saw. true: a secret, which the journal does not show, but which signs in if it is right.
local seen = {
  client_id = function(entry) return form_of(entry).client_id end,
  scope = function(entry) return form_of(entry).scope end,
  client_secret = true, client_assertion = true, access_token = true,
  user_agent = function(entry) return entry.headers["user-agent"]:match "^(.*) avepoint%-lua/" end,
  base_url = function(entry) return entry.path:match "^(.*)/partner" end,
  token_url = function(entry) return entry.method == "POST" and entry.path or nil end,
  customer_ids = function(entry) return (json_of(entry).customerIds or {})[1] end,
  path = function(entry) return entry.path:match "general/customers(.+)$" end,
  query = function(entry) return entry.args.given end,
  ["name in the query"] = function(entry, text) return has(text, entry.args) end,
  body = function(entry) return json_of(entry).given end,
  ["name in the body"] = function(entry, text) return has(text, json_of(entry)) end,
  ["body as text"] = function(entry) return entry.path:find "/batch$" and entry.body or nil end,
}

-- Those that are not: the key is opened here, the reply is read here, and no proxy is asked for a
-- server of this machine (more of it below).
local kept = { proxy = true, certificate_password = true, items = true, metadata = true, id = true }

local function check_names(list, known, text, what)
  for name, value in pairs(list) do
    assert.is_truthy(known[name] or name == text, what .. name)
    assert.is_string(value, what .. name) -- a list where it came twice
  end
end

-- No header, parameter, field or request but those that belong there.
local function check_request(entry, text, what)
  check_names(entry.headers, HEADERS, nil, what .. "header ")
  for name, value in pairs(entry.headers) do assert.is_nil(value:find "[\r\n%z]", what .. name) end
  check_names(entry.args, QUERY, text, what .. "parameter ")
  if entry.path:find "/connect/token" then
    assert.equal("POST", entry.method, what)
    check_names(form_of(entry), FORM, nil, what .. "field ")
    assert.equal("client_credentials", form_of(entry).grant_type, what)
  else
    assert.equal(entry.path:find "/batch$" and "POST" or "GET", entry.method, what)
  end
end

-- where texts are given -----------------------------------------------------------------------

-- Each: `name`; `key`, of the tables above; `make`, a function of the hostile text and two URLs,
-- which gives a client's options, a function that uses the client, and the text to be sent.
local places = {}

local function place(name, key, make)
  places[#places + 1] = { name = name, key = key, make = make }
end

local function list(client)
  return client:customers({ endpoint = "get" }):collect()
end

local key = certificates.make { key = "rsa:2048", names = false }

-- What stands before the hostile text.
local function before(name, base, token_url)
  local texts = { base_url = base .. "/sub", token_url = token_url, ca_file = helper.ca_file,
    environment = "commercial", endpoint = "get", drift = "repair", method = "GET",
    driver = "blocking", proxy = "http://127.0.0.1:1/", certificate = key .. ".pem",
    private_key = key .. ".key" }
  return texts[name] or "x"
end

for _, option in ipairs(options.client) do
  local name = option.name
  if option.kind:find "text" or option.kind:find "word" then
    place(name, name, function(text, base, token_url)
      local value = before(name, base, token_url) .. text
      local given = { [name] = value }
      if name == "private_key" or name == "certificate_password" then
        given.certificate = key .. ".pem"
        given.private_key = given.private_key or key .. ".key"
      end
      return given, list, (value:gsub("^%a+://[^/]+/~[^/]+", ""))
    end)
  end
  if seen[name] == true then
    place(name .. " by a function", name, function(text)
      return { [name] = function() return "x" .. text, 60 end }, list, "x" .. text
    end)
  end
end

-- Texts, words, lists and tables of a listing's options.
local function place_options(method, known, f)
  for _, option in ipairs(known) do
    local name, kind = option.name, option.kind
    local function add(key_of_it, make)
      place(("%s of %s"):format(key_of_it, method), key_of_it, function(text)
        local value, sent = make(text)
        return {}, function(client)
          local given = { [name] = value }
          if name == "body" then given.method = "POST" end
          return f(client, given)
        end, sent
      end)
    end
    if name == "body" then
      add("body as text", function(text)
        local body = '{"given":"x' .. text .. '"}'
        return body, body
      end)
    elseif kind:find "text" or kind:find "word" then
      add(name, function(text)
        local position = avepoint.client({ access_token = "x" }):customers():position()
        local value = (name == "resume" and position or before(name, "", "")) .. text
        return value, value
      end)
    end
    if kind:find "table" then
      add(name, function(text) return { given = "x" .. text }, "x" .. text end)
    elseif kind:find "list" then
      add(name, function(text) return { "x" .. text }, "x" .. text end)
    end
  end
end

place_options("customers", options.listing, function(client, given)
  return client:customers(given):collect()
end)
place_options("list", options.list, function(client, given)
  return client:list(GENERAL .. (given.method == "POST" and "/batch" or ""), given):collect()
end)

for name, one in pairs {
  ["id of customer"] = { "customer_ids", function(client, text) return client:customer(text) end },
  ["path of list"] = { "path", function(client, text)
    return client:list(GENERAL .. text):collect()
  end },
  ["path of get"] = { "path", function(client, text) return client:get(GENERAL .. text) end },
  ["query of get"] = { "query", function(client, text)
    return client:get(GENERAL, { given = text })
  end },
  ["name in the query"] = { "name in the query", function(client, text)
    return client:list(GENERAL, { query = { [text] = "y" } }):collect()
  end },
  ["name in the body"] = { "name in the body", function(client, text)
    return client:list(GENERAL .. "/batch", { method = "POST", body = { [text] = 1 } }):collect()
  end },
} do
  place(name, one[1], function(text)
    return {}, function(client) return one[2](client, "x" .. text) end, "x" .. text
  end)
end

-- A service that knows this text as credential of this kind.
local function scenario(kind, text)
  return helper.scenario { customers = 2, token = { known = text, assertion = text,
    client_id = kind == "client_id" and text or nil, certificates = { key .. ".pem" },
    client_secret = kind == "client_secret" and text or nil } }
end

-- Refused before anything was sent, or sent as it is.
local function check(one, requests, ok, text, what)
  local where, found = seen[one.key], false
  for _, entry in ipairs(requests) do
    check_request(entry, text, what)
    local value = type(where) == "function" and where(entry, text) or nil
    found = found or value ~= nil
    if value ~= nil then assert.equal(text, value, what) end
  end
  assert.same({}, helper.journal(trap), what)
  if #requests == 0 then
    assert.is_false(ok, what)
  elseif where == true then
    assert.is_true(ok, what)
  else
    assert.is_true(found or kept[one.key] or false, what .. "sent, but where?")
  end
end

describe("a hostile text injects nothing as", function()
  for _, one in ipairs(places) do
    it(one.name, function()
      for name, text in pairs(HOSTILE) do
        local what = ("%s, %s: "):format(one.name, name)
        local id = scenario(one.key, "x" .. text)
        local given, f, sent = one.make(text, helper.urls(id, "http"))
        given.port, given.max_attempts = "http", 1
        given.user_agent = given.user_agent or "queries-of-its-own" -- see wire_spec
        local ok, err = pcall(function() return f(avepoint.client(helper.options(id, given))) end)
        check(one, helper.journal(id), ok, sent, what .. tostring(err) .. "\n")
        if not ok and seen[one.key] == true then
          assert.is_nil(helper.everything(err):find("Evil", 1, true), what)
        end
      end
    end)
  end
end)

describe("a proxy's user and password", function()
  local proxy, asked

  setup(function()
    asked = helper.temporary ".asked"
    proxy = relay.start(("proxy %s '%s'"):format(helper.ports.https, asked))
  end)

  teardown(function()
    proxy:stop()
  end)

  local function encoded(text)
    return (text:gsub("%W", function(c) return ("%%%02X"):format(c:byte()) end))
  end

  -- Lists through the proxy. Returns whether that went well, the error, and what the proxy got.
  local function through(url, run)
    helper.write(asked, "")
    local id = helper.scenario { customers = 2 }
    local base = ("https://service.two:%s/~%s"):format(helper.ports.https, id)
    local given = { base_url = base, token_url = base .. "/connect/token", max_attempts = 1 }
    local ok, err = run(id, given, url)
    return ok, err, helper.read(asked)
  end

  local function by_option(id, given, url)
    given.proxy = url
    return pcall(function() return list(avepoint.client(helper.options(id, given))) end)
  end

  local function by_variable(id, given, url)
    local text = helper.run([[
      local client = require "avepoint".client { max_attempts = 1 }
      print(pcall(function() return client:customers({ endpoint = "get" }):count() end))
    ]], helper.environment(id, { AVEPOINT_BASE_URL = given.base_url, https_proxy = url,
      AVEPOINT_TOKEN_URL = given.token_url }))
    return text:find "^true" ~= nil, text
  end

  -- One CONNECT with the headers that belong to it; the one of user and password, decoded.
  local function check_asked(text, what)
    local line, rest = text:match "^([^\r\n]*)\r\n(.*)\r\n\r\n$"
    assert.equal(("CONNECT service.two:%s HTTP/1.1"):format(helper.ports.https), line, what)
    local headers = {}
    for header in (rest .. "\r\n"):gmatch "(.-)\r\n" do
      local name, value = header:match "^([%w-]+): ([%w%p ]+)$"
      assert.is_string(name, what .. header)
      assert.is_nil(headers[name], what .. name)
      headers[name:lower()] = value
    end
    local basic = headers["proxy-authorization"]:match "^Basic ([%w+/]+=*)$"
    headers["proxy-authorization"] = nil
    check_names(headers, { host = true, ["user-agent"] = true, ["proxy-connection"] = true }, nil,
      what)
    return files.output_of("printf %%s '%s' | base64 -d", basic)
  end

  for name, run in pairs { ["the option"] = by_option, ["https_proxy"] = by_variable } do
    it(("in %s inject nothing"):format(name), function()
      for kind, text in pairs(HOSTILE) do
        for _, part in ipairs { text, "@" .. text .. "@", ("%d"):format(7) .. "% " .. text } do
          for _, place_of_it in ipairs { "user", "password" } do
            local user = place_of_it == "user" and "u" .. part or "u"
            local password = place_of_it == "password" and "p" .. part or "p"
            local url = ("http://%s:%s@127.0.0.1:%s"):format(encoded(user), encoded(password),
              proxy.port)
            local what = ("%s, %s: "):format(kind, place_of_it)
            local ok, err, text_asked = through(url, run)
            if ok then
              assert.equal(user .. ":" .. password, check_asked(text_asked, what), what)
            else
              assert.equal("", text_asked, what)
              assert.matches("percent-encode user and password", tostring(err), 1, true)
              assert.is_nil(helper.everything(err):find("Evil", 1, true), what)
            end
          end
        end
      end
    end)
  end
end)
