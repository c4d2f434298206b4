-- The commonest ways to get it wrong, a row each: what the user did, the kind of error, and what
-- its sentence has to name: the cause as far as it is known, and the next step. No sentence holds a
-- secret, and the doctor finds each mistake that it can ("finds": the line and what it says).
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local doctor = require "avepoint.doctor"
local helper = require "spec.helper"

local SECRETS = { helper.client_secret, "hush-hush", "wrong-secret" }
local LONG_SCOPE = ("elements.customers.read.all "):rep(12)

local function page(fault)
  fault.on, fault.times = "page", fault.times or -1
  return { customers = 3, faults = { fault } }
end

-- fields: of the scenario; options: of the client, over those that work; alone: the client's whole
-- options; kind: "argument" for misuse.
local mistakes = {
  { "nothing is configured", alone = {}, kind = "config",
    says = { "AVEPOINT_CLIENT_ID", "AVEPOINT_CLIENT_SECRET", "API app registration" },
    finds = "settings" },
  { "the client id is missing", alone = { client_secret = "hush-hush" }, kind = "config",
    says = { "client_id is missing", "AVEPOINT_CLIENT_ID" }, finds = "settings" },
  { "the secret is missing", alone = { client_id = "me" }, kind = "config",
    says = { "client_secret", "AVEPOINT_CLIENT_SECRET" }, finds = "settings" },
  { "the secret is wrong, or has expired", options = { client_secret = "wrong-secret" },
    kind = "auth", says = { "invalid_client", "expires", "one to three years" },
    finds = "sign-in" },
  { "the client id is wrong", options = { client_id = "somebody-else" }, kind = "auth",
    says = { "invalid_client", "client id" }, finds = "sign-in" },
  { "the permission is not granted", options = { scope = "elements.nothing.read.all" },
    kind = "auth", says = { "invalid_scope", "tick elements.customers.read.all" },
    finds = "sign-in" },
  { "the scope is too long", options = { scope = LONG_SCOPE }, kind = "auth",
    says = { "invalid_scope", "300 characters" }, finds = "sign-in" },
  { "the permission is missing at the service", fields = page { status = 403 }, kind = "forbidden",
    says = { "403", "tick elements.customers.read.all", "customer scope" }, finds = "list" },
  { "base_url belongs to another environment", fields = page { status = 401 }, kind = "auth",
    says = { "401", "environment", "base_url" }, finds = "list" },
  { "the given access token has expired", options = { access_token = "hush-hush" }, kind = "auth",
    says = { "access token", "hour", "get a new one" }, finds = "list" },
  { "the URL is plain http", options = { base_url = "http://graph.example.com" }, kind = "config",
    says = { "base_url", "https" }, finds = "settings" },
  { "the URL has a query", options = { token_url = "https://id.example.com/token?x=1" },
    kind = "config", says = { "token_url", "query" }, finds = "settings" },
  { "base_url has a wrong path", fields = { endpoints = { get = 404, batch = 404 } },
    kind = "not_found", says = { "404", "base_url" }, finds = "list" },
  { "token_url is not the token endpoint", fields = { endpoints = { token = 404 } },
    kind = "not_found", says = { "404", "token_url" }, finds = "sign-in" },
  { "an option is misspelt", options = { client_secrets = "hush-hush" }, kind = "argument",
    says = { "client_secrets", "did you mean 'client_secret'" } },
  { "a listing's option is given to the client", options = { page_size = 50 }, kind = "argument",
    says = { "page_size", "customers" } },
  { "the environment is none", options = { environment = "azure" }, kind = "argument",
    says = { "environment", "commercial, usgov, aos2, fedramp" } },
  { "the server's certificate is not trusted", options = { port = "untrusted" }, kind = "tls",
    says = { "certificate", "ca_file", "AVEPOINT_CA_FILE" }, finds = "sign-in" },
  { "ca_file does not exist", options = { ca_file = "/nowhere/ca.pem" }, kind = "config",
    says = { "ca_file", "/nowhere/ca.pem" }, finds = "settings" },
  { "the host name is misspelt", options = { token_url = "https://identity.invalid/connect/token" },
    kind = "network", says = { "identity.invalid", "host name" }, finds = "sign-in" },
  { "nobody listens there", options = { token_url = "https://127.0.0.1:1/connect/token" },
    kind = "network", says = { "check the network" }, finds = "sign-in" },
  { "the proxy does not answer", options = { proxy = "http://hush:hush-hush@127.0.0.1:1",
    token_url = "https://identity.example.com/connect/token" }, kind = "network",
    says = { "proxy" }, finds = "sign-in" },
  { "a web page answers instead of the service", fields = page { kind = "html" },
    kind = "protocol", says = { "web page", "base_url", "proxies" }, finds = "list" },
  { "the service is asked too often", fields = page { status = 429,
    headers = { ["Retry-After"] = "900" } }, kind = "throttled",
    says = { "less often", "900" }, finds = "list" },
  { "the certificate's file is missing", options = { certificate = "/nowhere/c.pem" },
    kind = "config", says = { "certificate cannot be read", "No such file" },
    finds = "settings" },
  { "two kinds of credential are given", options = { client_secret = "hush-hush",
    certificate = "/nowhere/c.pem", keep = true }, kind = "argument", says = { "exclude" } },
  { "a status is misspelt in a filter", options = {}, kind = "argument",
    use = function(client) client:customers():with_status("Fialed") end, says = { "Fialed" } },
  { "a field is misspelt in where", options = {}, kind = "argument",
    use = function(client) client:customers():where { status = "Failed" } end,
    says = { "status" } },
}

local function options_of(case)
  if case.alone then
    return case.alone
  end
  local given = {}
  for name, value in pairs(case.options or {}) do
    given[name] = value
  end
  local secret = given.client_secret
  given.keep = nil
  given.max_attempts = 1
  local options = helper.options(helper.scenario(case.fields or { customers = 3 }), given)
  options.client_secret = secret or options.client_secret
  return options
end

local function assert_silent(text)
  for _, secret in ipairs(SECRETS) do
    assert.not_matches(secret, text, 1, true)
  end
end

describe("where", function()
  for _, case in ipairs(mistakes) do
    it(case[1] .. ", the error says so", function()
      local err = helper.error_of(function()
        local client = avepoint.client(options_of(case))
        if case.use then
          case.use(client)
        end
        client:customers({ deadline = 20 }):first()
      end)
      local text = tostring(err)
      assert.equal(case.kind, avepoint.is_error(err) and err.kind or "argument", text)
      for _, words in ipairs(case.says) do
        assert.matches(words, text, 1, true)
      end
      if avepoint.is_error(err) then
        assert_silent(helper.everything(err))
      end
      assert_silent(text)
      assert.is_nil(text:find "\n")
    end)

    if case.finds then
      it(case[1] .. ", the doctor finds it", function()
        local options = options_of(case)
        local found
        for _, line in ipairs(doctor.examine(options)) do
          assert_silent(line.text)
          if line.status == "error" then
            found = found or line
          end
        end
        assert.is_table(found)
        assert.equal(case.finds, found.name, found.text)
        assert.matches(case.says[1], found.text, 1, true)
      end)
    end
  end
end)
