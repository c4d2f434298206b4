-- How a client is configured: which URLs are taken, environments, credentials, certificates to
-- trust, and what of it is seen on the wire. A refusal here is an error object of kind `config`.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

local HERE = debug.getinfo(1, "S").short_src

local CLIENT_LINE = debug.getinfo(1, "l").currentline + 2
local function make(options)
  local client = avepoint.client(options)
  return client
end

-- Options whose first request goes to a port where nobody listens: its error tells the URL.
local function nowhere(options)
  options.client_id = "me"
  options.proxy = "http://127.0.0.1:1"
  options.max_attempts = 1
  if not options.access_token then
    options.client_secret = "hush-hush"
  end
  return options
end

local function first_url(options)
  local _, err = make(nowhere(options)):customers({ endpoint = "get" }):next()
  return err.url
end

local function assert_config(err, text)
  assert.is_true(avepoint.is_error(err), tostring(err))
  assert.equal("config", err.kind)
  assert.matches(text, err.message, 1, true)
  assert.equal(("%s:%d"):format(HERE, CLIENT_LINE), err.where)
  assert.is_false(err.retryable)
end

describe("a URL", function()
  local refused = {
    ["http://graph.example.com"] = "http",
    ["HTTP://graph.example.com/"] = "http",
    ["http://localhost.example.com"] = "http",
    ["http://127.0.0.1.example.com"] = "http",
    ["http://127.example.com"] = "http",
    ["http://127.0.0.1.1"] = "http",
    ["http://127.256.0.1"] = "http",
    ["http://128.0.0.1"] = "http",
    ["http://[::2]"] = "http",
    ["http://0.0.0.0"] = "http",
    ["http://2147483648"] = "http", -- 128.0.0.0
    ["http://user@127.0.0.1"] = "user",
    ["http://127.0.0.1@example.com"] = "",
    ["http://127.0.0.1:80@example.com"] = "",
    ["http://example.com#@127.0.0.1"] = "",
    ["http://example.com\\@127.0.0.1"] = "",
    ["https://hush-hush:hush-hush@example.com"] = "user",
    ["https://hush-hush@example.com/path"] = "user",
    ["https://example.com/?a=hush-hush"] = "query",
    ["https://example.com?"] = "query",
    ["https://example.com/#part"] = "fragment",
    ["https://example.com/#"] = "fragment",
    ["ftp://example.com"] = "https://",
    ["file:///etc/passwd"] = "",
    ["example.com"] = "",
    ["//example.com"] = "",
    ["https://"] = "",
    ["not a url"] = "",
    ["https://exa mple.com"] = "",
    ["https://example.com\r\nX-Evil: 1"] = "",
    ["https://example.com:99999"] = "",
    ["javascript:alert(1)"] = "",
  }

  for _, option in ipairs { "base_url", "token_url" } do
    it(("refused as %s gives a config error that names it"):format(option), function()
      for url, word in pairs(refused) do
        local ok, err = pcall(make, nowhere { [option] = url })
        assert.is_false(ok, url)
        assert_config(err, option)
        assert.matches(word, err.message, 1, true)
        assert.not_matches("hush-hush", helper.everything(err), 1, true)
      end
    end)

    it(("for loopback may be http as %s, and https anywhere"):format(option), function()
      for _, url in ipairs { "http://127.0.0.1", "http://127.1.2.3:8080/x", "http://localhost",
        "HTTP://LOCALHOST:1/", "http://[::1]:8080", "http://2130706433", "http://0x7f.1",
        "https://example.com", "https://example.com:8443/a/b/", "https://[2001:db8::1]/" } do
        assert.matches("avepoint.client", tostring(make(nowhere { [option] = url })), 1, true)
      end
    end)
  end

  it("from the environment is refused as well", function()
    local out = helper.run([[
      local ok, err = pcall(require("avepoint").customers)
      print(ok, err.kind, err.message)
    ]], { AVEPOINT_BASE_URL = "http://example.com", AVEPOINT_CLIENT_ID = "a",
      AVEPOINT_CLIENT_SECRET = "b" })
    assert.matches("^false\tconfig\tAVEPOINT_BASE_URL", out)
  end)
end)

describe("an environment", function()
  local hosts = {
    commercial = { "identity.avepointonlineservices.com", "graph.avepointonlineservices.com" },
    usgov = { "identity-gov.avepointonlineservices.com", "graph-gov.avepointonlineservices.com" },
    aos2 = { "identity-aos2.avepointonlineservices.com", "graph-aos2.avepointonlineservices.com" },
    fedramp = { "identity.online15.net", "graphusgovapi.online15.net" },
  }
  local path = "/partner/external/v3/general/customers"

  for word, pair in pairs(hosts) do
    it(word .. " has its two hosts", function()
      assert.equal("https://" .. pair[1] .. "/connect/token", first_url { environment = word })
      assert.equal("https://" .. pair[2] .. path,
        first_url { environment = word, access_token = "t" })
    end)
  end

  local script = [[
    local client = require("avepoint").client { access_token = "t", client_id = "me",
      proxy = "http://127.0.0.1:1", max_attempts = 1, %s }
    local _, err = client:customers():next()
    print(err.url)
  ]]

  it("is commercial, or what AVEPOINT_ENVIRONMENT says", function()
    assert.equal("https://" .. hosts.commercial[2] .. path,
      first_url { access_token = "t" })
    assert.matches(hosts.aos2[2], helper.run(script:format "", { AVEPOINT_ENVIRONMENT = "aos2" }),
      1, true)
    local out = helper.run("print(pcall(require('avepoint').client, { access_token = 't' }))",
      { AVEPOINT_ENVIRONMENT = "moon" })
    assert.matches("^false\tavepoint: config: AVEPOINT_ENVIRONMENT", out)
  end)

  it("given as an option hides the URLs of the environment, an option does not", function()
    local variables = { AVEPOINT_BASE_URL = "http://127.0.0.1:1/mine",
      AVEPOINT_TOKEN_URL = "http://127.0.0.1:1/token", AVEPOINT_ENVIRONMENT = "usgov" }
    assert.equal("http://127.0.0.1:1/mine" .. path .. "\n",
      (helper.run(script:format "", variables)))
    assert.equal("https://" .. hosts.fedramp[2] .. path .. "\n",
      (helper.run(script:format "environment = 'fedramp'", variables)))
    assert.equal("http://127.0.0.1:1/other" .. path .. "\n", (helper.run(script:format
      "environment = 'fedramp', base_url = 'http://127.0.0.1:1/other'", variables)))
  end)
end)

describe("credentials", function()
  it("that are explicit hide all variables but the client id", function()
    local id = helper.scenario { customers = 3 }
    local base, token = helper.urls(id)
    local script = ([[
      local client = require("avepoint").client { base_url = %q, token_url = %q, ca_file = %q,
        client_secret = %q }
      print(client:customers():count())
    ]]):format(base, token, helper.ca_file, helper.client_secret)
    assert.equal("3\n", (helper.run(script, { AVEPOINT_CLIENT_ID = helper.client_id,
      AVEPOINT_CLIENT_SECRET = "wrong", AVEPOINT_ACCESS_TOKEN = "wrong",
      AVEPOINT_CERTIFICATE = "/nowhere.pem" })))
  end)

  it("that are missing raise config with the caller's line", function()
    for text, options in pairs { AVEPOINT_CLIENT_ID = { client_secret = "hush-hush" },
      AVEPOINT_CLIENT_SECRET = { client_id = "me" } } do
      local err = helper.error_of(make, options)
      assert_config(err, text)
      assert.not_matches("hush-hush", helper.everything(err), 1, true)
    end
    assert_config(helper.error_of(make, nil), "AVEPOINT_CLIENT_ID")
    assert_config(helper.error_of(make, {}), "AVEPOINT_CLIENT_SECRET")
  end)

  it("in a file that cannot be read or is empty raise config", function()
    for path, said in pairs { ["/nowhere/secret"] = "No such file", ["/dev/null"] = "/dev/null" } do
      local out = helper.run([[
        local ok, err = pcall(require("avepoint").client)
        print(ok, err.kind, err.message)
      ]], { AVEPOINT_CLIENT_ID = "me", AVEPOINT_CLIENT_SECRET_FILE = path })
      assert.matches("^false\tconfig\t.*AVEPOINT_CLIENT_SECRET_FILE", out)
      assert.matches(said, out, 1, true)
    end
  end)

  it("in a file that holds no plain secret on one line raise config and name the file", function()
    local path = helper.temporary ".secret"
    for _, text in ipairs { "\255\254h\0u\0s\0h\0", "hush\0hush", "hush\nhush\n",
      ("hush"):rep(1025) } do
      helper.write(path, text)
      local out = helper.run([[
        local ok, err = pcall(require("avepoint").client)
        print(ok, err.kind, err.message)
      ]], { AVEPOINT_CLIENT_ID = "me", AVEPOINT_CLIENT_SECRET_FILE = path })
      assert.matches("^false\tconfig\t.*AVEPOINT_CLIENT_SECRET_FILE", out)
      assert.matches(path, out, 1, true)
      assert.not_matches("hush", out, 1, true)
    end
  end)

  it("in a file may have a byte order mark and white space around them", function()
    local path = helper.temporary ".secret"
    helper.write(path, "\239\187\191 " .. helper.client_secret .. "\t\r\n\n")
    local id = helper.scenario { customers = 2 }
    assert.equal("2\n", (helper.run("print(require('avepoint').customers():count())",
      helper.environment(id, { AVEPOINT_CLIENT_SECRET = false,
        AVEPOINT_CLIENT_SECRET_FILE = path }))))
  end)

  it("reach the token endpoint whatever characters they have", function()
    local odd = "p&a=s+s%20 \"\228\n;?#/'é~"
    local client = helper.client({ customers = 2, token = { client_id = odd .. "id",
      client_secret = odd } }, { client_id = odd .. "id", client_secret = odd })
    assert.equal(2, client:customers():count())
  end)
end)

describe("ca_file", function()
  it("may begin with any number of bytes that are no certificate", function()
    local pem = helper.read(helper.ca_file)
    for _, before in ipairs { 4085, 4091, 4095, 8190 } do -- files are read 4096 bytes at a time
      local path = helper.temporary ".pem"
      helper.write(path, ("#"):rep(before - 1) .. "\n" .. pem)
      local client = helper.client({ customers = 1 }, { ca_file = path })
      assert.equal(1, client:customers():count())
    end
  end)

  it("that is missing or holds no certificate raises config and names the file", function()
    local empty = helper.temporary ".pem"
    helper.write(empty, "no certificate\n")
    for _, path in ipairs { "/nowhere/ca.pem", empty, helper.directory } do
      local err = helper.error_of(make, nowhere { ca_file = path })
      assert_config(err, path)
      assert.matches("ca_file", err.message, 1, true)
    end
  end)
end)

describe("on the wire", function()
  local path = "/partner/external/v3/general/customers"

  it("the base URL's path is sent byte for byte, with and without a slash", function()
    for _, tail in ipairs { "", "/" } do
      local id = helper.scenario { customers = 4 }
      local options = helper.options(id)
      options.base_url = options.base_url .. tail
      assert.equal(4, avepoint.client(options):customers():count())
      assert.equal(path, helper.journal(id, "/customers")[1].path)
    end
    for _, odd in ipairs { "/a/../b", "/%41%2Fb", "/a//b", "/./x", "/a;b=c,d~e" } do
      local id = helper.scenario { customers = 4 }
      local options = helper.options(id)
      options.base_url = options.base_url .. odd
      local _, err = avepoint.client(options):customers({ endpoint = "get" }):next()
      assert.equal("not_found", err.kind, odd)
      assert.equal(odd .. path, helper.journal(id, "/customers")[1].path)
    end
  end)

  it("the user agent is the given one before the library's own", function()
    local client, id = helper.client({ customers = 1 }, { user_agent = "nightly/2 (acme)" })
    client:customers():first()
    for _, entry in ipairs(helper.journal(id)) do
      assert.matches("^nightly/2 %(acme%) avepoint%S*/%d", entry.headers["user-agent"])
    end
    local plain, plain_id = helper.client { customers = 1 }
    plain:customers():first()
    assert.matches("^avepoint%S*/%d", helper.journal(plain_id)[1].headers["user-agent"])
  end)

  it("the scope is the given one", function()
    local scope = "elements.customers.read.all elements.jobs.read.all"
    local client, id = helper.client({ customers = 1 }, { scope = scope })
    client:customers():first()
    assert.equal(scope, helper.journal(id, "/connect/token")[1].body.scope)
  end)

  it("the query is pageIndex and pageSize, whatever else", function()
    local client, id = helper.client { customers = 3 }
    client:customers({ page_size = 2 }):count()
    assert.equal("pageIndex=1&pageSize=2", helper.journal(id, "/customers")[1].query)
    client:customers():first()
    assert.equal("pageIndex=1&pageSize=100", helper.journal(id, "/customers")[3].query)
    assert.equal("application/json", helper.journal(id, "/customers")[1].headers.accept)
  end)
end)
