-- A program that prints, stores or walks through whatever avepoint gives it holds no secret
-- afterwards, in no spelling: all objects after whole listings and failed ones, with each way to
-- sign in, through a proxy with a password.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local certificate = require "avepoint.certificate"
local core = require "avepoint.core"
local doctor = require "avepoint.doctor"
local dump = require "spec.support.dump"
local files = require "spec.support.files"
local helper = require "spec.helper"
local log = require "avepoint.log"
local relay = require "spec.support.relay"

local SECRET, TOKEN = 'made-up"secret/of&the +client%7', "made-up-access-token/of+the~program="
local PASSWORD = 'open/sesame&+ 17"%x'
local USER, WORD = "proxy/user of+the&house", "pass/word&of the+proxy"
local KEY = helper.temporary ".keys"

-- Signatures of the certificate's, which no function of the program's gives.
local assertions = {}

local function words_of_key()
  local words = { PASSWORD }
  for _, name in ipairs { "rsa.key", "pkcs8.key" } do
    for line in helper.read(KEY .. "/" .. name):gmatch "[^\n]+" do
      if not line:find "-----" then words[#words + 1] = line end
    end
  end
  return words
end

local function make_key()
  os.execute(([[unset LD_PRELOAD; mkdir -p '%s' && cd '%s' && {
    openssl req -x509 -subj /CN=avepoint-test -days 90 -nodes -newkey rsa:2048 -keyout rsa.key \
      -out rsa.pem
    openssl pkcs8 -topk8 -in rsa.key -passout 'pass:%s' -out pkcs8.key
    openssl pkcs12 -export -in rsa.pem -inkey rsa.key -passout 'pass:%s' -out rsa.p12
  } 2>/dev/null]]):format(KEY, KEY, PASSWORD, PASSWORD))
end

-- A store whose entries, which are tokens, are out of sight; the keys that it is asked for are not.
local function new_store()
  local entries, store = {}, { keys = {} }
  function store:get(key)
    self.keys[#self.keys + 1] = key
    return entries[key]
  end
  function store.put(_, key, value) entries[key] = value end
  function store.lock() return function() end end
  return store
end

-- Each gives the client's options, and further secrets.
local ways = {
  ["a secret"] = function() return { client_secret = SECRET }, { SECRET } end,
  ["a secret by a function"] = function()
    return { client_secret = function() return SECRET end }, { SECRET }
  end,
  ["a certificate"] = function()
    return { certificate = KEY .. "/rsa.pem", private_key = KEY .. "/pkcs8.key",
      certificate_password = PASSWORD }, words_of_key()
  end,
  ["a PKCS#12 file"] = function()
    return { certificate = KEY .. "/rsa.p12", certificate_password = PASSWORD }, words_of_key()
  end,
  ["an assertion by a function"] = function()
    local key = assert(certificate.load { certificate = KEY .. "/rsa.pem",
      private_key = KEY .. "/rsa.key" })
    return { client_assertion = function(audience)
      return certificate.assertion(require "avepoint.sign", key, helper.client_id, audience,
        os.time())
    end }, words_of_key()
  end,
  ["a token"] = function() return { access_token = TOKEN }, { TOKEN } end,
  ["a token by a function"] = function()
    return { access_token = function() return TOKEN, 600 end }, { TOKEN }
  end,
  ["a token store"] = function()
    return { client_secret = SECRET, token_store = new_store() }, { SECRET }
  end,
}

-- Reads to the end or to the first error, which is returned, and counts.
local function read(listing)
  local n = 0
  while true do
    local customer, err = listing:next()
    if not customer then return err, n end
    n = n + 1
  end
end

-- All that each function of a table gives for one of these objects. core.token's is what it is for.
local function results_of(functions, objects)
  local all = {}
  for name, f in pairs(functions) do
    if type(f) == "function" and name ~= "token" and not name:find "close" then
      for _, object in ipairs(objects) do
        all[#all + 1] = { name, pcall(f, object) }
      end
    end
  end
  return all
end

local function lines_of(events)
  local lines = {}
  for i, event in ipairs(events) do
    lines[i] = log.formats.text(event) .. "\n" .. log.formats.json(event)
  end
  return lines
end

local function printed(options)
  local path = helper.temporary ".out"
  local file = assert(io.open(path, "w"))
  local healthy, report = avepoint.doctor(options, file)
  file:close()
  assert.is_true(healthy, helper.read(path))
  return { report, helper.read(path) }
end

-- What is wrong in these options, each with all that is secret beside it.
local function refusals(options)
  local errors = {}
  for name, value in pairs { nonsense = 1, page_size = 5, timeout = -1, base_url = "ftp://x",
    proxy = options.proxy .. "/path?" .. WORD, scope = "", certificate = SECRET,
    private_key = "-----BEGIN " .. SECRET, user_agent = "a\n", environment = "nowhere",
    client_secret = "", access_token = SECRET .. "\r\n", driver = "nothing" } do
    local given = {}
    for k, v in pairs(options) do given[k] = v end
    given[name] = value
    errors[#errors + 1] = helper.error_of(avepoint.client, given)
  end
  return errors
end

describe("in all that is given to a program there is no secret:", function()
  local proxy, asked, original

  setup(function()
    make_key()
    asked = helper.temporary ".asked"
    proxy = relay.start(("proxy %s '%s'"):format(helper.ports.https, asked))
    original = certificate.assertion
    function certificate.assertion(...)
      assertions[#assertions + 1] = original(...)
      return assertions[#assertions]
    end
  end)

  teardown(function()
    certificate.assertion = original
    proxy:stop()
  end)

  local function proxy_url()
    local function encoded(text)
      return (text:gsub("%W", function(c) return ("%%%02X"):format(c:byte()) end))
    end
    return ("http://%s:%s@127.0.0.1:%s"):format(encoded(USER), encoded(WORD), proxy.port)
  end

  local function assert_silent(what, value, secrets)
    local text = dump.of(value)
    for _, secret in ipairs(secrets) do
      local found = dump.find(text, secret)
      assert(not found, ("%s: %s"):format(what, tostring(found)))
    end
  end

  -- The second page is refused once, the third fails once, and where pages are half as large the
  -- fourth fails for ever. The service sends back what it was sent.
  local function scenario()
    local said = ("%s %s"):format(SECRET, TOKEN)
    return helper.scenario { customers = 23, token = { client_secret = SECRET, known = TOKEN,
      certificates = { KEY .. "/rsa.pem" } }, faults = {
        { on = "get", page = 2, status = 401, body = said },
        { on = "get", page = 3, status = 500, headers = { ["Retry-After"] = "0" }, body = said },
        { on = "get", page = 4, status = 500, headers = { ["Retry-After"] = "0" }, times = -1,
          body = said },
      } }
  end

  -- A client for the scenario through the proxy, under a name that is not of this machine.
  local function options_for(id, more)
    more.base_url = ("https://service.two:%s/~%s"):format(helper.ports.https, id)
    more.token_url = more.base_url .. "/connect/token"
    more.proxy, more.max_attempts, more.endpoint = proxy_url(), 2, "get"
    return helper.options(id, more)
  end

  it("a search that finds each spelling", function()
    for _, text in ipairs { 'ade-up"secret/o', "of%26the%20%2Bclient", "of%26the%20%2bclient",
      "of%26the+%2Bclient", [[made-up\"secret/o]], [[-up\"secret\/of]],
      "7365637265742f6f66267468", "%75%70%22%73%65%63%72%65%74%2F%6F",
      [[\u0073\u0065\u0063\u0072\u0065\u0074\u002f\u006f\u0066\u0026\u0074\u0068]] } do
      assert.is_truthy(dump.find("x" .. text .. "x", SECRET), text)
    end
    for before = 0, 2 do -- as openssl spells it
      local text = files.output_of("unset LD_PRELOAD; printf '%%s' '%s' | openssl base64 -A",
        ("x"):rep(before) .. SECRET)
      assert.is_truthy(dump.find(text:sub(10), SECRET), text)
    end
    assert.is_nil(dump.find("made-up and a secret of the client", SECRET))
  end)

  for way, make in pairs(ways) do
    it(way, function()
      local id = scenario()
      local given, secrets = make()
      local fixed = type(given.access_token) == "string"
      local events, client = {}, nil
      -- the token at hand, as the token store would be told: one more secret
      function given.on_event(event)
        events[#events + 1] = event
        local _, token = core.token(client)
        if token then secrets[#secrets + 1] = token end
      end
      helper.write(asked, "")
      local options = options_for(id, given)
      client = avepoint.client(options)
      local listing = client:customers { page_size = 10 }
      local refused, n = read(listing)
      assert.equal(fixed and "auth" or nil, refused and refused.kind)
      assert.equal(fixed and 10 or 23, n)
      local _, token = core.token(client)
      secrets[#secrets + 1] = token
      local failing = client:customers { page_size = 5 }
      local err = read(failing)
      assert.equal("server", err.kind)
      assert.is_true(#events > 8 and #secrets > 1)
      assert.is_truthy(dump.find(helper.read(asked), USER .. ":" .. WORD)) -- so they were sent
      for _, secret in ipairs { USER, WORD, USER .. ":" .. WORD } do
        secrets[#secrets + 1] = secret
      end
      for _, text in ipairs(assertions) do secrets[#secrets + 1] = text end
      local objects = { client, listing, failing, listing:failed():take(1):map(tostring),
        listing:stats(), failing:position() or false, err, refused or false, events,
        lines_of(events), avepoint, core, given.token_store and given.token_store.keys or false,
        results_of(core, { client, failing._core, err }),
        core.check_proxy(options.proxy .. "/" .. WORD), core.printable_url(options.proxy),
        results_of(core.client_methods, { client }), refusals(options), core.state(client) }
      assert_silent("open", objects, secrets)
      assert_silent("the doctor", { doctor.examine(options), printed(options_for(scenario(),
        make())) }, secrets)
      client:close()
      objects[#objects + 1] = { pcall(client.customers, client) }
      assert_silent("closed", objects, secrets)
    end)
  end

  it("what a program prints that has all from the environment", function()
    local id = scenario()
    local options = options_for(id, {})
    local text = helper.run([[
      local avepoint = require "avepoint"
      local client = avepoint.client { max_attempts = 2, endpoint = "get" }
      for _, page_size in ipairs { 10, 5 } do
        local listing = client:customers { page_size = page_size }
        print(pcall(listing.count, listing))
        avepoint.show(select(2, listing:next()))
        avepoint.show(listing:stats())
        print(listing:position())
      end
      avepoint.doctor()
      print(avepoint.client { proxy = "http://" .. os.getenv "https_proxy" .. "/" })
    ]], helper.environment(id, { AVEPOINT_BASE_URL = options.base_url, AVEPOINT_LOG = "debug",
      AVEPOINT_TOKEN_URL = options.token_url, AVEPOINT_CLIENT_SECRET = SECRET,
      AVEPOINT_LOG_FORMAT = "json", https_proxy = options.proxy }))
    for _, part in ipairs { "true\t23\n", "server", "from https_proxy", '"event":"response"',
      "proxy is not" } do
      assert.matches(part, text, 1, true)
    end
    for _, secret in ipairs { SECRET, USER, WORD, USER .. ":" .. WORD } do
      assert.is_nil(dump.find(text, secret))
    end
  end)
end)
