-- Errors: one object each, of the right kind, that says what to do.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

local HERE = debug.getinfo(1, "S").short_src
local NOW = { ["Retry-After"] = "0" }

local function fault(fields)
  fields.on, fields.times = fields.on or "get", fields.times or -1
  return { faults = { fields } }
end

-- name; scenario; options; wanted fields; texts that the message holds
local cases = {
  { "a wrong secret", {}, { client_secret = "wrong-secret" },
    { kind = "auth", status = 400, code = "invalid_client", attempts = 1, retryable = false },
    { "secret", "expire" }, token = true },
  { "a scope that was not granted", {}, { scope = "elements.nothing" },
    { kind = "auth", status = 400, code = "invalid_scope", retryable = false },
    { "elements.customers.read.all", "tick" }, token = true },
  { "a host that is not there", {}, { base_url = "https://nowhere.invalid",
    token_url = "https://nowhere.invalid/token", max_attempts = 1 },
    { kind = "network", code = 6, attempts = 1, retryable = true }, { "nowhere.invalid" },
    token = true },
  { "a refused connection", {}, { base_url = "http://127.0.0.1:1",
    token_url = "http://127.0.0.1:1/token", max_attempts = 2, max_retry_wait = 0.01 },
    { kind = "network", code = 7, attempts = 2, retryable = true }, {}, token = true },
  { "an untrusted certificate", {}, { port = "untrusted" },
    { kind = "tls", code = 60, attempts = 1, retryable = false }, { "certificate", "ca_file" },
    token = true },
  { "plain HTTP behind https", {}, { base_url = "https://localhost:" .. helper.ports.http,
    token_url = "https://localhost:" .. helper.ports.http .. "/t", max_attempts = 1 },
    { kind = "tls", attempts = 1 }, {}, token = true },
  { "403", { endpoints = { get = 403 } }, {}, { kind = "forbidden", status = 403, attempts = 1,
    retryable = false }, { "elements.customers.read.all", "403" } },
  { "404", { endpoints = { get = 404 } }, {}, { kind = "not_found", status = 404, attempts = 1,
    retryable = false }, { "base_url" } },
  { "400", { endpoints = { get = 400 } }, {}, { kind = "http", status = 400, retryable = false },
    { "400" } },
  { "418", { endpoints = { get = 418 } }, {}, { kind = "http", status = 418 }, { "418" } },
  { "401 for ever", { endpoints = { get = 401 } }, {}, { kind = "auth", status = 401,
    retryable = false }, { "token" } },
  { "429 to the end", fault { status = 429, headers = NOW }, { max_attempts = 3 },
    { kind = "throttled", status = 429, attempts = 3, retryable = true, retry_after = 0 },
    { "429", "3 attempts" } },
  { "500 to the end", fault { status = 500, headers = NOW }, { max_attempts = 4 },
    { kind = "server", status = 500, attempts = 4, retryable = true }, { "500", "4 attempts" } },
  { "503 to the end", fault { status = 503 }, { max_attempts = 2, max_retry_wait = 0.01 },
    { kind = "server", status = 503, attempts = 2, retryable = true }, { "maintenance" } },
  { "501", fault { status = 501 }, {}, { kind = "server", status = 501, attempts = 1,
    retryable = false }, {} },
  { "a wait that is too long", fault { status = 429, headers = { ["Retry-After"] = "500" } }, {},
    { kind = "throttled", retry_after = 500, attempts = 1, retryable = true },
    { "500", "max_retry_wait" } },
  { "HTML", fault { kind = "html" }, {}, { kind = "protocol", status = 200, attempts = 1,
    retryable = false }, { "base_url" } },
  { "a redirect", fault { status = 302, headers = { Location = "https://localhost/elsewhere" } },
    {}, { kind = "http", status = 302, retryable = false }, { "redirect", "base_url" } },
  { "a lasting redirect", fault { status = 308, headers = { Location = "/connect/token" } }, {},
    { kind = "http", status = 308 }, { "redirect" } },
  { "JSON cut in the middle", fault { kind = "truncated_json" }, {},
    { kind = "protocol", status = 200, attempts = 1, retryable = false }, { "JSON" } },
  { "a body cut short", fault { kind = "short_body" }, { max_attempts = 2, max_retry_wait = 0.01,
    port = "http1" }, { kind = "protocol", attempts = 2, retryable = true }, { "cut short" } },
  { "a body without its end", fault { kind = "no_end_chunk" }, { max_attempts = 2,
    max_retry_wait = 0.01, port = "http1" }, { attempts = 2, retryable = true }, {} },
  { "a reset", fault { kind = "reset" }, { max_attempts = 2, max_retry_wait = 0.01 },
    { kind = "network", attempts = 2, retryable = true }, {} },
  { "a reset in the body", fault { kind = "reset_body" }, { max_attempts = 2,
    max_retry_wait = 0.01 }, { kind = "network", attempts = 2, retryable = true }, {} },
  { "a timeout", fault { kind = "wait", seconds = 3 }, { timeout = 0.2, max_attempts = 2,
    max_retry_wait = 0.01 }, { kind = "timeout", code = 28, attempts = 2, retryable = true },
    { "timeout" } },
  { "a body that drips", fault { kind = "drip" }, { timeout = 0.3, max_attempts = 1 },
    { kind = "timeout", attempts = 1, retryable = true }, {} },
  { "a deadline", { latency = 3 }, { deadline = 0.3 }, { kind = "timeout", retryable = true },
    { "deadline" } },
  { "a wait past the deadline", fault { status = 503, headers = { ["Retry-After"] = "60" } },
    { deadline = 30 }, { kind = "timeout", attempts = 1 }, { "deadline" } },
  { "a reply over max_body", { customers = 100 }, { max_body = 2000 },
    { kind = "limit", attempts = 1, retryable = false }, { "max_body", "2000" } },
  { "a bomb", fault { kind = "bomb" }, {}, { kind = "limit", attempts = 1, retryable = false },
    { "max_body" } },
  { "headers without an end", fault { kind = "endless_headers" }, { port = "http1" },
    { kind = "limit", attempts = 1, retryable = false }, { "64 KiB" } },
  { "JSON without a floor", fault { kind = "deep_json" }, {}, { kind = "limit", status = 200,
    retryable = false }, { "deep" } },
  { "an odd token endpoint", { endpoints = { token = 404 } }, {}, { status = 404,
    retryable = false }, { "token" }, token = true },
  { "a token reply that is HTML", fault { on = "token", kind = "html" }, {},
    { kind = "protocol", status = 200 }, { "token_url" }, token = true },
  { "a token endpoint that fails", fault { on = "token", status = 503, headers = NOW },
    { max_attempts = 2 }, { kind = "server", status = 503, attempts = 2, retryable = true }, {},
    token = true },
}

local function new(case)
  local options = { endpoint = "get" }
  for name, value in pairs(case[3]) do options[name] = value end
  return helper.client(case[2], options)
end

describe("an error", function()
  for _, case in ipairs(cases) do
    it(("from %s tells what happened and what to do"):format(case[1]), function()
      local client, id = new(case)
      local listing = client:customers()
      local line = debug.getinfo(1, "l").currentline + 1
      local customer, err = listing:next()
      assert.is_nil(customer)
      assert.is_true(avepoint.is_error(err))
      for field, wanted in pairs(case[4]) do
        assert.equal(wanted, err[field], ("%s: %s"):format(field, tostring(err)))
      end
      for _, text in ipairs(case[5]) do assert.matches(text, err.message, 1, true) end
      assert.equal(("%s:%d"):format(HERE, line), err.where)
      assert.equal("avepoint: " .. err.kind .. ": " .. err.message, tostring(err))
      assert.not_matches("\n", tostring(err), 1, true)
      assert.is_nil((err.url or ""):find "[?#@]")
      if case.token then
        assert.matches(case[3].token_url or "/connect/token", err.url, 1, true)
      else
        assert.equal(1, err.page)
        assert.matches("/partner/external/v3/general/customers$", err.url)
      end
      assert.is_string(err.position)
      if err.status and err.status >= 300 and not case.token then
        assert.matches("^0HN%x+:%x+$", err.request_id)
      end
      assert.is_true(#(err.body or "") <= 1024)
      for _, entry in ipairs(helper.journal(id)) do -- redirects were not followed
        assert.not_matches("elsewhere", entry.path, 1, true)
      end
    end)
  end

  it("has the request id of the header, or of the body", function()
    for body, id in pairs { ['{"message":"no","requestId":"R-1"}'] = "R-1",
      ['{"error":{"message":"no"},"traceId":"T-1"}'] = "T-1",
      ['{"message":"no","requestId":7}'] = false, ["no"] = false } do
      local client = helper.client({ faults = { { on = "get", status = 400, times = -1, body = body,
        headers = { ["request-id"] = "" } } } }, { endpoint = "get" })
      local _, err = client:customers():next()
      assert.equal(400, err.status)
      assert.equal(id or nil, err.request_id)
    end
  end)

  it("is raised by a for loop and by all that read, with the caller's line", function()
    local client = helper.client({ endpoints = { get = 403 } }, { endpoint = "get" })
    local function check(f)
      local err = helper.error_of(f)
      local info = debug.getinfo(f, "S")
      assert.equal("forbidden", err.kind)
      assert.equal(("%s:%d"):format(HERE, info.linedefined + 1), err.where)
    end
    check(function()
      for _ in client:customers() do error "not reached" end
    end)
    check(function()
      for _ in client:customers():failed():take(3) do error "not reached" end
    end)
    check(function()
      client:customers():collect()
    end)
    check(function()
      client:customers():total()
    end)
    check(function()
      for _ in client:customers():pages() do error "not reached" end
    end)
    check(function()
      client:customers():map(tostring):each(print)
    end)
  end)

  it("leaves the listing where it was: the next call tries that page again", function()
    for _, page in ipairs { 1, 3, 5 } do
      local client, id = helper.client { customers = 23, faults = { { on = "get", page = page,
        status = 403, times = 2 } } }
      local listing, list, errors = client:customers { page_size = 5, endpoint = "get" }, {}, 0
      repeat
        local customer, err = listing:next()
        if err then
          errors = errors + 1
          assert.equal(page, err.page)
          assert.equal((page - 1) * 5, #list)
        end
        list[#list + 1] = customer
      until not customer and not err
      assert.equal(2, errors)
      assert.equal(23, #list)
      assert.equal(23, helper.distinct(list))
      assert.is_true(#helper.pages(id) <= 5 + 2 + 6)
    end
  end)

  it("however often it came, does not count against the listing once all is well", function()
    -- for two pages 72 may be asked for, but those that failed do not count
    local client = helper.client { customers = 20, faults = { { on = "get", page = 1, status = 404,
      times = 100 } } }
    local listing = client:customers { endpoint = "get", page_size = 11 }
    for _ = 1, 100 do
      local _, err = listing:next()
      assert.equal("not_found", err.kind)
    end
    assert.equal(20, listing:count())
  end)

  it("holds at most a kilobyte of the reply", function()
    local client = helper.client(fault { status = 400, body = ("x"):rep(5000) })
    local _, err = client:customers({ endpoint = "get" }):next()
    assert.equal(("x"):rep(1024), err.body)
  end)

  it("fails fast where waiting is of no use", function()
    local client = helper.client(fault { status = 503, headers = { ["Retry-After"] = "60" } })
    local begun = os.time()
    local _, err = client:customers({ deadline = 20 }):next()
    assert.equal("timeout", err.kind)
    assert.is_true(os.time() - begun < 10)
    assert.equal(60, err.retry_after)
  end)

  it("of one listing leaves its client to others", function()
    local client = helper.client { customers = 3, faults = { { on = "get", kind = "html" } } }
    assert.equal("protocol", select(2, client:customers():next()).kind)
    assert.equal(3, client:customers():count())
  end)

  it("holds the service's own sentence, whichever form it has, in one line", function()
    for body, text in pairs {
      ['{"message":"Say so."}'] = "Say so.",
      ['{"error":{"code":"x","message":"Say so."}}'] = "Say so.",
      ['{"error":"Say so."}'] = "Say so.",
      ['{"error_description":"Say so."}'] = "Say so.",
      ['{"title":"Say so."}'] = "Say so.",
      ['{"detail":"Say so."}'] = "Say so.",
      ['{"errors":[{"message":"Say so."}]}'] = "Say so.",
      ['"Say so."'] = "Say so.",
      ['{"message":"Say\\nso\\r\\u001b[31m.\\u0000"}'] = "Say",
      ["<html>no"] = "400", ["{"] = "400", [""] = "400", ["null"] = "400", ["[5]"] = "400",
      ['{"message":5,"errors":{}}'] = "400", ['{"message":{"a":[]}}'] = "400",
    } do
      local client = helper.client(fault { status = 400, body = body })
      local _, err = client:customers({ endpoint = "get" }):next()
      assert.equal("http", err.kind)
      assert.matches(text, err.message, 1, true)
      assert.is_nil(tostring(err):find "[%z\1-\31\127]", body)
    end
  end)
end)
