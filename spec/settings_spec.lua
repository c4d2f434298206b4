-- Settings that Lua has not checked, handed to C directly: each ends in a plain Lua error or is
-- taken, and never in a crash.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local core = require "avepoint.core"
local helper = require "spec.helper"

local function f() end

-- What may stand in a field instead of what belongs there.
local garbage = { { "nothing" }, { "NaN", 0 / 0 }, { "inf", math.huge }, { "-inf", -math.huge },
  { "-1", -1 }, { "0", 0 }, { "1.5", 1.5 }, { "2^31", 2 ^ 31 }, { "2^63", 2 ^ 63 },
  { "-2^63", -2 ^ 63 }, { "empty", "" }, { "zero byte", "a\0b" }, { "long", ("x"):rep(1e6) },
  { "line break", "a\r\nb" }, { "true", true }, { "false", false }, { "table", {} },
  { "list", { "a", 5, {} } }, { "function", f }, { "thread", coroutine.create(f) },
  { "userdata", io.stdout } }

local function client_settings()
  return {
    client_id = "me", client_secret = "hush-hush", base_url = "http://127.0.0.1:1",
    token_url = "http://127.0.0.1:1/token", scope = "all", user_agent = "spec", endpoint = "get",
    ca_file = "/nowhere.pem", proxy = "http://127.0.0.1:1", connect_timeout = 1, timeout = 1,
    deadline = 1, max_attempts = 1, max_retry_wait = 1, max_body = 1000, concurrency = 2,
    driver = "blocking", token_store = {}, on_event = f,
  }
end

local function listing_settings()
  return { page_size = 5, first_page = 1, concurrency = 2, deadline = 1, endpoint = "batch",
    customer_ids = { "a" }, body = "{}", drift = "repair", on_progress = f, raw = false,
    get_path = "list", batch_path = "list/batch", batch_size_max = 100, query = "a=b",
    items = "data", metadata = "metadata", id = "id", customers = true, identity = "GET list" }
end

local function object_settings()
  return { path = "object", query = "a=b", deadline = 1 }
end

-- Uses what was made: what was taken must not break later either.
local function use_client(client)
  tostring(client)
  local listing = core.listing(client, listing_settings())
  local _, _, word = listing:next()
  if word == "wait" then
    client:step()
  end
  client:close()
end

local function use_listing(listing, client)
  listing:stats()
  listing:next()
  client:step()
  listing:close()
end

local function assert_plain(ok, err, what)
  if not ok then
    assert.is_string(err, what)
    assert.matches("avepoint", err, 1, true, what)
    assert.not_matches("hush-hush", err, 1, true)
  end
end

describe("core.client", function()
  for name in pairs(client_settings()) do
    it(("takes any %s, or raises a text"):format(name), function()
      for _, case in ipairs(garbage) do
        local values = client_settings()
        values[name] = case[2]
        local ok, client = pcall(core.client, values)
        assert_plain(ok, client, name .. ": " .. case[1])
        if ok then
          use_client(client)
        end
      end
    end)
  end

  it("needs what has no default of its own", function()
    for _, name in ipairs { "client_id", "client_secret", "base_url", "token_url", "scope",
      "user_agent", "connect_timeout", "timeout", "max_attempts", "max_retry_wait", "max_body",
      "concurrency" } do
      local values = client_settings()
      values[name] = nil
      assert.matches(name == "client_secret" and "access_token" or name,
        helper.error_of(core.client, values), 1, true)
    end
  end)

  it("takes no token that is none", function()
    local values = client_settings()
    values.client_secret, values.access_token = nil, "a\r\nX-Evil: 1"
    assert.matches("access_token", helper.error_of(core.client, values), 1, true)
  end)

  it("takes a table", function()
    for _, case in ipairs(garbage) do
      if case[2] ~= nil then
        assert.is_string(helper.error_of(core.client, case[2]))
      end
    end
    assert.is_string(helper.error_of(core.client))
  end)
end)

describe("core.listing", function()
  local function new()
    return core.client(client_settings())
  end

  for name in pairs(listing_settings()) do
    it(("takes any %s, or raises a text"):format(name), function()
      for _, case in ipairs(garbage) do
        local values, client = listing_settings(), new()
        values[name] = case[2]
        local ok, listing, wrong = pcall(core.listing, client, values)
        assert_plain(ok, listing or wrong, name .. ": " .. case[1])
        if ok and listing then
          use_listing(listing, client)
        end
        client:close()
      end
    end)
  end

  it("makes no POST but to a path that ends in /batch", function()
    for _, path in ipairs { "list", "list/batch/", "list/batch?x", "list#/batch", "batch",
      "list/%62atch", "../batch", "https://example.com/batch", "list/../batch" } do
      local values = listing_settings()
      values.batch_path = path
      assert.matches("batch_path", helper.error_of(core.listing, new(), values), 1, true)
    end
  end)

  it("needs an id unless nothing is compared", function()
    local values = listing_settings()
    values.id, values.customer_ids = nil, nil
    assert.matches("drift needs rows with an id", helper.error_of(core.listing, new(), values))
    values.drift = "ignore"
    assert.is_truthy(core.listing(new(), values))
  end)

  it("returns what is wrong with a position", function()
    local values = listing_settings()
    for _, case in ipairs(garbage) do
      values.resume = case[2]
      local ok, listing, wrong = pcall(core.listing, new(), values)
      if case[2] == nil then
        assert.is_true(ok)
      elseif ok then
        assert.is_nil(listing)
        assert.matches("not a position", wrong, 1, true)
      end
    end
  end)

  it("takes a client and a table", function()
    local values, client = listing_settings(), new()
    for _, case in ipairs(garbage) do
      if case[2] ~= nil then
        assert.is_string(helper.error_of(core.listing, case[2], values))
        if type(case[2]) ~= "table" then
          assert.is_string(helper.error_of(core.listing, client, case[2]))
        end
      end
    end
    client:close()
    local listing, err = core.listing(client, values)
    assert.is_nil(listing)
    assert.is_true(avepoint.is_error(err), tostring(err))
    assert.equal("closed", err.kind)
  end)
end)

describe("core.object", function()
  for name in pairs(object_settings()) do
    it(("takes any %s, or raises a text"):format(name), function()
      for _, case in ipairs(garbage) do
        local values, client = object_settings(), core.client(client_settings())
        values[name] = case[2]
        local ok, object = pcall(core.object, client, values)
        assert_plain(ok, object, name .. ": " .. case[1])
        if ok then
          object:result()
          client:step()
          object:close()
          local _, err = object:result()
          assert.equal("closed", err.kind)
        end
        client:close()
      end
    end)
  end

  it("of a closed client returns an error object", function()
    local client = core.client(client_settings())
    client:close()
    local object, err = core.object(client, object_settings())
    assert.is_nil(object)
    assert.equal("closed", err.kind)
  end)
end)

describe("core's checks of URLs", function()
  it("return a message, or nil", function()
    for _, case in ipairs(garbage) do
      for _, name in ipairs { "check_url", "check_proxy", "check_path" } do
        local ok, message = pcall(core[name], case[2], "base_url")
        assert.is_true(ok and message == nil or type(message) == "string", case[1])
      end
    end
    assert.is_nil(core.check_url("https://example.com", "base_url"))
    assert.matches("^base_url", core.check_url("http://example.com", "base_url"))
  end)
end)
