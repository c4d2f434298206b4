-- The options of clients and listings: what is refused, how the refusal names the option and the
-- caller's line, and which of option and environment holds.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"
local nearest = require "avepoint.nearest"
local tables = require "avepoint.options"

local HERE = debug.getinfo(1, "S").short_src
local NAN, INF = 0 / 0, math.huge

local function f() end

-- Calls on a line of their own, which the messages must name.
local CLIENT_LINE = debug.getinfo(1, "l").currentline + 2
local function make(options)
  local client = avepoint.client(options)
  return client
end

local LIST_LINE = debug.getinfo(1, "l").currentline + 2
local function list(client, options)
  local listing = client:customers(options)
  return listing
end

local function with_secret(options)
  options.client_id = options.client_id or "me"
  if not (options.client_assertion or options.access_token or options.certificate) then
    options.client_secret = options.client_secret or "hush-hush"
  end
  return options
end

-- Asserts an argument error, a text at the caller's line that names the option.
local function assert_refused(err, line, name)
  assert.is_string(err)
  assert.equal(("%s:%d: "):format(HERE, line), err:match "^.-:%d+: ")
  assert.matches("%f[%w_]" .. name:gsub("%-", "%%-") .. "%f[^%w_]", err:match ":%d+: (.*)")
  assert.not_matches("hush-hush", err, 1, true)
end

local client_refuses = {
  client_id = { 5, "", true, {} },
  client_secret = { 5, "", true, {} },
  certificate = { 5, "", f },
  private_key = { 5, "", f },
  certificate_password = { 5, f },
  client_assertion = { "jwt", 5, {} },
  access_token = { 5, "", {} },
  environment = { "moon", "Commercial", "", 5, {} },
  base_url = { 5, "", {} },
  token_url = { 5, "", {} },
  scope = { 5, {} },
  endpoint = { "post", "GET", 1 },
  ca_file = { 5, {} },
  proxy = { 5, {} },
  connect_timeout = { "5", 0, -1, NAN, INF, {} },
  timeout = { "5", 0, -1, NAN, INF },
  deadline = { "5", -1, NAN, INF },
  max_attempts = { "5", 0, -1, 1.5, NAN, INF },
  max_retry_wait = { "5", -1, NAN, INF },
  max_body = { "5", 0, -1, 1.5, NAN, INF },
  concurrency = { "5", 0, -1, 1.5, NAN, INF, 1e9 },
  driver = { "tokio", 5, {}, { wait = 5 }, f },
  token_store = { 5, true },
  on_event = { "print", 5, {} },
  user_agent = { 5, {}, "two\r\nlines" },
}

local listing_refuses = {
  page_size = { "50", 0, -1, 1001, 1.5, NAN, INF },
  first_page = { "1", 0, -1, 1.5, NAN, INF },
  resume = { 5, {}, "", "nonsense" },
  concurrency = { "4", 0, 1.5, NAN, 1e9 },
  deadline = { "5", -1, NAN, INF },
  endpoint = { "post", 5 },
  customer_ids = { "id", {}, { 5 }, { "" }, { "a", {} } },
  drift = { "fix", true },
  on_progress = { "print", {} },
  raw = { "yes", 1 },
}

describe("an option of a client", function()
  for name, values in pairs(client_refuses) do
    it(("%s is checked"):format(name), function()
      for _, value in ipairs(values) do
        local err = helper.error_of(make, with_secret { [name] = value })
        assert_refused(err, CLIENT_LINE, name)
      end
    end)
  end

  it("that nobody knows is refused with the nearest name", function()
    for wrong, right in pairs {
      client_secrte = "client_secret", clientId = "client_id", acces_token = "access_token",
      ["base-url"] = "base_url", concurency = "concurrency", ca_flie = "ca_file",
      timeouts = "timeout", maxattempts = "max_attempts",
    } do
      local err = helper.error_of(make, { [wrong] = "x" })
      assert_refused(err, CLIENT_LINE, wrong)
      assert.matches(("'%s'"):format(right), err, 1, true)
    end
    assert_refused(helper.error_of(make, { quux = 1 }), CLIENT_LINE, "quux")
    local long = ("x"):rep(300)
    assert.matches(HERE .. ":" .. CLIENT_LINE, helper.error_of(make, { [long] = 1 }), 1, true)
  end)

  it("table is needed, with names", function()
    for _, wrong in ipairs { 5, "me", true, f, { "me", "secret" } } do
      local err = helper.error_of(make, wrong)
      assert.is_string(err)
      assert.equal(("%s:%d: "):format(HERE, CLIENT_LINE), err:match "^.-:%d+: ")
    end
  end)

  it("takes all that the table allows", function()
    for name, values in pairs {
      environment = { "commercial", "usgov", "aos2", "fedramp" },
      endpoint = { "auto", "get", "batch" },
      driver = { "blocking", "auto", "uv", "nvim", "ngx", { wait = f } },
      timeout = { 0.001, 1, 3600 }, connect_timeout = { 0.5 }, deadline = { 0.5, 86400 },
      max_attempts = { 1, 20 }, max_retry_wait = { 0, 0.5, 120 }, concurrency = { 1, 8 },
      max_body = { 1, 2 ^ 30 }, on_event = { f }, user_agent = { "tool/1.0" },
      client_secret = { "s", f }, client_assertion = { f }, access_token = { "token", f },
      proxy = { "http://127.0.0.1:1" }, token_store = { { get = f, put = f, lock = f } },
      scope = { "a b" },
    } do
      for _, value in ipairs(values) do
        assert.matches("avepoint", tostring(make(with_secret { [name] = value })), 1, true, name)
      end
    end
  end)

  it("is one kind of credential, not two", function()
    local kinds = { client_secret = "hush-hush", certificate = "/x.pem", client_assertion = f,
      access_token = "hush-hush" }
    for one, value in pairs(kinds) do
      for other, value2 in pairs(kinds) do
        if one < other then
          local err = helper.error_of(make, { client_id = "me", [one] = value, [other] = value2 })
          assert_refused(err, CLIENT_LINE, "access_token")
          assert.not_matches("hush-hush", err, 1, true)
        end
      end
    end
  end)
end)

describe("an option of a listing", function()
  local client = make(with_secret {})

  for name, values in pairs(listing_refuses) do
    it(("%s is checked"):format(name), function()
      for _, value in ipairs(values) do
        assert_refused(helper.error_of(list, client, { [name] = value }), LIST_LINE, name)
      end
    end)
  end

  it("that nobody knows is refused with the nearest name", function()
    for wrong, right in pairs { pagesize = "page_size", pageSize = "page_size",
      ["first-page"] = "first_page", on_progess = "on_progress", customerIds = "customer_ids" } do
      local err = helper.error_of(list, client, { [wrong] = 1 })
      assert_refused(err, LIST_LINE, wrong)
      assert.matches(("'%s'"):format(right), err, 1, true)
    end
  end)

  it("that bounded a list is answered with the way to do it", function()
    for _, name in ipairs { "max_items", "limit" } do
      local err = helper.error_of(list, client, { [name] = 5 })
      assert_refused(err, LIST_LINE, name)
      assert.matches("unknown option '" .. name, err, 1, true)
      assert.matches("client:customers():take(n)", err, 1, true)
    end
  end)

  it("table is needed, with names", function()
    for _, wrong in ipairs { 5, "all", { 50 } } do
      local err = helper.error_of(list, client, wrong)
      assert.is_string(err)
      assert.equal(("%s:%d: "):format(HERE, LIST_LINE), err:match "^.-:%d+: ")
    end
  end)

  it("of the client is refused by name", function()
    for _, name in ipairs { "client_secret", "timeout", "base_url", "on_event" } do
      assert_refused(helper.error_of(list, client, { [name] = "hush-hush" }), LIST_LINE, name)
    end
  end)

  it("takes all that the table allows", function()
    for name, values in pairs {
      page_size = { 1, 1000 }, first_page = { 1, 1000000 },
      concurrency = { 1, 8 }, deadline = { 0.01 }, endpoint = { "auto", "get", "batch" },
      customer_ids = { { "a" }, { "a", "b" } }, drift = { "repair", "strict", "error", "ignore" },
      on_progress = { f }, raw = { true, false },
    } do
      for _, value in ipairs(values) do
        assert.matches("listing", tostring(list(client, { [name] = value })), 1, true)
      end
    end
    assert.matches("listing", tostring(list(client, nil)), 1, true)
  end)

  it("customer_ids with the endpoint get is refused", function()
    local err = helper.error_of(list, client, { customer_ids = { "a" }, endpoint = "get" })
    assert_refused(err, LIST_LINE, "customer_ids")
  end)
end)

describe("doc/configuration.md", function()
  -- The names that a cell begins with, up to its colon, and the variables of the next cell.
  local function read_row(line, names, variables)
    local first, second = line:match "^| ([^|]+) |([^|]*)|"
    for name in (first or ""):match("^[^:]*"):gmatch "`([%a_]+)`" do
      names[name] = true
    end
    for name in (second or ""):gmatch "`(AVEPOINT_[%u_]+)`" do
      variables[name] = true
    end
  end

  local function read_table(heading)
    local names, variables, inside = {}, {}, false
    for line in io.lines(helper.top .. "/doc/configuration.md") do
      if line == heading then
        inside = true
      elseif inside and line:match "^|" then
        read_row(line, names, variables)
      elseif inside and next(names) then
        return names, variables
      end
    end
  end

  it("has a row for each option, and for no other", function()
    for heading, known in pairs { ["Of `avepoint.client`:"] = tables.client,
      ["Of `client:customers`:"] = tables.listing } do
      local names, variables = {}, {}
      for _, option in ipairs(known) do
        names[option.name] = true
        for _, variable in ipairs(option.variables or { option.variable }) do
          variables[variable] = true
        end
      end
      local named, read = read_table(heading)
      assert.same(names, named)
      assert.same(variables, read)
    end
  end)
end)

describe("the nearest name", function()
  it("is one in which a third of the letters are wrong at most", function()
    local names = { "page_size", "first_page", "raw" }
    for name, near in pairs { pagesize = "page_size", page_sizes = "page_size", row = "raw",
      fist_pgae = "first_page", page_size = "page_size" } do
      assert.equal(near, nearest(name, names), name)
    end
    for _, name in ipairs { "", "x", "size", "limit", ("x"):rep(1000) } do
      assert.is_nil(nearest(name, names))
    end
    assert.is_nil(nearest("raw", {}))
    assert.equal("ab", nearest("aab", { "ab", "aa" })) -- the first of two
  end)
end)

describe("a call with : for .", function()
  it("is answered with the right form", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local function call(name) local made = avepoint[name](avepoint) return made end
    for _, name in ipairs { "client", "customers" } do
      assert.equal(("%s:%d: avepoint.%s is a function: write avepoint.%s(options)"):format(HERE,
        line, name, name), helper.error_of(call, name))
    end
  end)
end)

describe("a method's argument", function()
  it("that is wrong raises a text at the caller's line", function()
    local listing = make(with_secret {}):customers()
    local line = debug.getinfo(1, "l").currentline + 1
    local function call(name, ...) local r = listing[name](listing, ...) return r end
    for _, case in ipairs { { "where", 5 }, { "where", { jobstatus = "Failed" } },
      { "filter", "x" }, { "map" }, { "take", -1 }, { "take", "5" }, { "take", 1.5 },
      { "skip", -1 }, { "skip", NAN }, { "search", 5 }, { "each", 5 }, { "group_by", 5 },
      { "count_by" }, { "index_by", {} }, { "managed_by", "nobody" }, { "with_status", "Faild" },
      { "with_status" }, { "in_country", 5 }, { "in_country" }, { "with_tenant", 5 } } do
      local err = helper.error_of(call, case[1], case[2])
      assert.is_string(err, case[1])
      assert.equal(("%s:%d: "):format(HERE, line), err:match "^.-:%d+: ", case[1])
    end
  end)

  it("that is missing is refused: it must not match every customer", function()
    for _, name in ipairs { "managed_by", "with_tenant", "with_status", "in_country", "search",
      "where", "filter", "map", "take", "skip" } do
      local listing = make(with_secret {}):customers()
      assert.is_string(helper.error_of(listing[name], listing, nil), name)
    end
  end)
end)
