-- The module itself: what it exports, that it keeps to itself, and the client that it makes from
-- the environment.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

describe("the module", function()
  it("exports what doc/reference.md names, and no more", function()
    local types = {}
    for name, value in pairs(avepoint) do
      types[name] = type(value)
    end
    assert.same({
      async = "function",
      client = "function",
      customers = "function",
      show = "function",
      is_error = "function",
      doctor = "function",
      logger = "function",
      progress = "function",
      _VERSION = "string",
      job_status = "table",
      management_mode = "table",
    }, types)
    assert.matches("%d", avepoint._VERSION)
  end)

  it("maps each job status to its code and back", function()
    local names = { [0] = "N/A", "Working", "Failed", "Waiting for Configuration",
      "Multiple Issues Found", "Finished with Exception", "No Backup Update" }
    local wanted = {}
    for code, name in pairs(names) do
      wanted[code], wanted[name] = name, code
    end
    assert.same(wanted, avepoint.job_status)
  end)

  it("maps each management mode to its number and back", function()
    assert.same({
      [0] = "customer", [1] = "partner", [2] = "unconfigured",
      customer = 0, partner = 1, unconfigured = 2,
    }, avepoint.management_mode)
  end)

  it("tells its errors from all other values", function()
    local err = helper.error_of(avepoint.client, { base_url = "http://example.com" })
    assert.is_true(avepoint.is_error(err))
    for _, value in ipairs { "text", 5, true, {}, print, setmetatable({}, {}),
      { kind = "config", message = "mine" } } do
      assert.is_false(avepoint.is_error(value))
    end
    assert.is_false(avepoint.is_error(nil))
  end)

  it("makes no globals, loaded or used", function()
    local id = helper.scenario { customers = 3 }
    local out, code = helper.run([[
      require "cjson"
      local before = {}
      for name in pairs(_G) do before[name] = true end
      local avepoint = require "avepoint"
      for c in avepoint.customers():where { jobStatus = { "Working", "Failed" } } do c = c.id end
      avepoint.show(avepoint.customers { raw = true }, io.tmpfile())
      pcall(avepoint.client, { base_url = "x" })
      for name in pairs(_G) do
        if not before[name] then print("leaked: " .. tostring(name)) end
      end
    ]], helper.environment(id))
    assert.equal("", out)
    assert.equal(0, code)
  end)

  it("leaves the host's cjson as it was", function()
    local out = helper.run([[
      local cjson = require "cjson"
      local function settings()
        local t = {}
        for _, name in ipairs { "decode_invalid_numbers", "decode_max_depth",
          "decode_array_with_array_mt", "encode_max_depth" } do
          t[#t + 1] = cjson[name] and tostring(cjson[name]()) or "-"
        end
        return table.concat(t, " ")
      end
      local before = settings()
      require("avepoint").client { client_id = "a", client_secret = "b" }
      print(before == settings())
    ]])
    assert.equal("true\n", out)
  end)
end)

describe("a process", function()
  local function run(body)
    return helper.run('local avepoint = require "avepoint"\n' .. body,
      helper.environment(helper.scenario { customers = 20, latency = 0.01 }))
  end
  local loop = [[
    local n = 0
    for c in avepoint.customers { page_size = 2 } do
      n = n + 1
      if n == 3 then %s end
    end
  ]]

  it("ends cleanly while pages are in flight", function()
    for body, code in pairs { [loop:format "os.exit(7, true)"] = 7,
      [loop:format "os.exit(7)"] = 7, [loop:format "break"] = 0,
      ["L = avepoint.customers { page_size = 2 } L() L() L()"] = 0,
      [ [[F = coroutine.wrap(function()
        for c in avepoint.customers { page_size = 2 } do coroutine.yield(c) end
      end) F() F() F()]] ] = 0 } do
      local out, got = run(body)
      assert.equal("", out)
      assert.equal(code, got, body)
    end
    local out, code = run(loop:format 'error("mine")')
    assert.equal(1, code)
    assert.matches("mine", out, 1, true)
  end)

  it("ends with the error's line where nobody catches it", function()
    local out, code = helper.run [[
      local client = require("avepoint").client { access_token = "t", max_attempts = 1,
        base_url = "http://127.0.0.1:1" }
      local ok, err = pcall(client:customers())
      error(tostring(err), 0)
    ]]
    assert.equal(1, code)
    assert.matches("avepoint: network: ", out, 1, true)
  end)

  it("may load the module anew: what was made before goes on", function()
    local out = run [[
      local old = avepoint.customers { page_size = 2 }
      old()
      for name in pairs(package.loaded) do
        if name:find "^avepoint" then package.loaded[name] = nil end
      end
      local again = require "avepoint"
      local _, err = pcall(again.client, { base_url = "http://example.com" })
      io.write(again.customers():count(), " ", old:count(), " ", tostring(avepoint.is_error(err)))
    ]]
    assert.equal("20 19 true", out)
  end)
end)

describe("the default client", function()
  it("sends nothing until the first customer is asked for", function()
    local id = helper.scenario { customers = 3 }
    local journal = ("%s/journal/%s.jsonl"):format(helper.directory, id)
    local out = helper.run(([[
      local function requests()
        local file, n = io.open %q, 0
        for _ in (file and file:lines() or function() end) do n = n + 1 end
        return n
      end
      local avepoint = require "avepoint"
      io.write(requests(), " ")
      local listing = avepoint.customers { page_size = 2 }
      io.write(requests(), " ")
      local filtered = listing:where { jobStatus = "Working" }:take(1)
      io.write(requests(), " ")
      listing()
      io.write(requests())
    ]]):format(journal), helper.environment(id))
    assert.equal("0 0 0 2", out)
  end)

  local list = 'print(require("avepoint").customers():count())'

  it("takes id and secret from the environment", function()
    local id = helper.scenario { customers = 7 }
    assert.equal("7\n", (helper.run(list, helper.environment(id))))
    assert.equal("demo-client", helper.journal(id, "/connect/token")[1].body.client_id)
  end)

  for _, ending in ipairs { "", "\n", "\r\n" } do
    it(("takes the secret from a file that ends in %q"):format(ending), function()
      local id = helper.scenario { customers = 5 }
      local path = helper.temporary ".secret"
      helper.write(path, helper.client_secret .. ending)
      assert.equal("5\n", (helper.run(list, helper.environment(id, {
        AVEPOINT_CLIENT_SECRET = false, AVEPOINT_CLIENT_SECRET_FILE = path,
      }))))
    end)
  end

  it("takes an access token from the environment, and asks for none", function()
    local reply = '{"access_token":"made-up-token-123456","expires_in":3600}'
    local id = helper.scenario { customers = 4, token = { reply = reply } }
    require("avepoint").client(helper.options(id)):customers():first() -- now the token is known
    assert.equal("4\n", (helper.run(list, helper.environment(id, {
      AVEPOINT_CLIENT_SECRET = false, AVEPOINT_CLIENT_ID = false,
      AVEPOINT_ACCESS_TOKEN = "made-up-token-123456",
    }))))
    assert.equal(1, #helper.journal(id, "/connect/token"))
  end)

  it("takes scope and environment variables that are empty as not set", function()
    local id = helper.scenario { customers = 1 }
    assert.equal("1\n", (helper.run(list, helper.environment(id, {
      AVEPOINT_SCOPE = "", AVEPOINT_ENVIRONMENT = "", AVEPOINT_CERTIFICATE = "",
      AVEPOINT_LOG = "",
    }))))
    assert.equal("elements.customers.read.all",
      helper.journal(id, "/connect/token")[1].body.scope)
  end)

  it("raises a config error that names the variables where there are none", function()
    local out = helper.run [[
      local avepoint = require "avepoint"
      local ok, err = pcall(avepoint.customers)
      print(ok, avepoint.is_error(err), err.kind, err.message)
      ok, err = pcall(function() return (avepoint.customers()) end)
      print(err.where)
    ]]
    assert.matches("^false\ttrue\tconfig\t", out)
    assert.matches("AVEPOINT_CLIENT_ID", out, 1, true)
    assert.matches("AVEPOINT_CLIENT_SECRET", out, 1, true)
    assert.matches("%.lua:4\n$", out)
  end)

  it("says which of id and secret is missing", function()
    local script = 'print(select(2, pcall(require("avepoint").customers)))'
    local without_id = helper.run(script, { AVEPOINT_CLIENT_SECRET = "s3cret-value" })
    assert.matches("AVEPOINT_CLIENT_ID", without_id, 1, true)
    assert.not_matches("s3cret-value", without_id, 1, true)
    local without_secret = helper.run(script, { AVEPOINT_CLIENT_ID = "me" })
    assert.matches("AVEPOINT_CLIENT_SECRET", without_secret, 1, true)
  end)

  it("is not remembered when it failed, and is when it did not", function()
    local id = helper.scenario { customers = 2 }
    local path = helper.temporary ".secret"
    local out = helper.run(([[
      local avepoint = require "avepoint"
      local ok, err = pcall(avepoint.customers)
      print(ok, err.kind)
      local file = io.open(%q, "w")
      file:write(%q)
      file:close()
      print(avepoint.customers():count(), avepoint.customers():count())
    ]]):format(path, helper.client_secret), helper.environment(id, {
      AVEPOINT_CLIENT_SECRET = false, AVEPOINT_CLIENT_SECRET_FILE = path,
    }))
    assert.equal("false\tconfig\n2\t2\n", out)
    assert.equal(1, #helper.journal(id, "/connect/token"))
  end)

  it("refuses a client's options and shows the right form, credentials or not", function()
    local script = [[
      local avepoint = require "avepoint"
      local ok, err = pcall(function()
        return (avepoint.customers { client_secret = "hush-hush", page_size = 50 })
      end)
      print(type(err), err)
    ]]
    for _, environment in ipairs { {}, helper.environment(helper.scenario { customers = 1 }) } do
      local out = helper.run(script, environment)
      assert.matches("^string\t[^\n]*%.lua:3: ", out)
      assert.matches("'client_secret'", out, 1, true)
      assert.matches("avepoint.client {", out, 1, true)
      assert.matches(":customers", out, 1, true)
      assert.not_matches("hush", out, 1, true)
    end
  end)
end)
