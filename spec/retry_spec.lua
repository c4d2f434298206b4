-- Failures that pass: each is tried again and the list is whole, each customer once.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local NOW = { ["Retry-After"] = "0" }

-- Lists 23 customers in pages of 5 through the faults. Waits of our own choice stay short.
local function list(fields, more, options)
  fields.customers = 23
  more = more or {}
  more.max_retry_wait = more.max_retry_wait or 2
  options = options or {}
  options.page_size = 5
  local client, id = helper.client(fields, more)
  local listing = client:customers(options)
  local all = {}
  local customer, err = listing:next()
  while customer do
    all[#all + 1] = customer
    customer, err = listing:next()
  end
  return all, err, listing:stats(), id
end

local function assert_whole(all, err)
  assert.is_nil(err and tostring(err))
  assert.equal(23, #all)
  assert.equal(23, helper.distinct(all))
end

describe("a page is asked for again", function()
  for _, status in ipairs { 408, 429, 500, 502, 503, 504 } do
    for _, endpoint in ipairs { "get", "batch" } do
      it(("after one %d of %s"):format(status, endpoint), function()
        local all, err, stats, id = list({ faults = { { on = "page", page = 3, status = status,
          headers = NOW } } }, nil, { endpoint = endpoint })
        assert_whole(all, err)
        assert.equal(1, stats.retries)
        assert.equal(6, stats.requests)
        local pages = helper.pages(id)
        table.sort(pages)
        assert.same({ 1, 2, 3, 3, 4, 5 }, pages)
      end)
    end
  end

  for _, kind in ipairs { "reset", "reset_body", "short_body", "no_end_chunk" } do
    for _, port in ipairs { "https", "http1", "http" } do
      it(("after one %s on %s"):format(kind, port), function()
        local all, err, _, id = list({ faults = { { on = "page", page = 2, kind = kind } } },
          { port = port, max_retry_wait = 0.05 })
        assert_whole(all, err)
        assert.is_true(#helper.pages(id) >= 6) -- by us, or by libcurl on a connection of old
      end)
    end
  end

  for _, kind in ipairs { "wait", "stall" } do
    it(("after a timeout (%s)"):format(kind), function()
      local all, err, stats = list({ faults = { { on = "page", page = 2, kind = kind,
        seconds = 5 } } }, { timeout = 0.3, max_retry_wait = 0.05 })
      assert_whole(all, err)
      assert.equal(1, stats.retries)
    end)
  end

  it("again and again, up to max_attempts", function()
    local fault = { on = "page", page = 2, status = 503, headers = NOW, times = 4 }
    local all, err, stats = list { faults = { fault } }
    assert_whole(all, err)
    assert.equal(4, stats.retries)
    fault.times = 5
    all, err = list { faults = { fault } }
    assert.equal(5, #all)
    assert.equal("server", err.kind)
    assert.equal(5, err.attempts)
    all, err = list({ faults = { fault } }, { max_attempts = 6 })
    assert_whole(all, err)
    err = select(2, list({ faults = { fault } }, { max_attempts = 1 }))
    assert.equal(1, err.attempts)
  end)

  it("when every second request fails", function()
    local all, err, stats = list { faults = { { on = "any", every = 2, status = 503, headers = NOW,
      times = -1 } } }
    assert_whole(all, err)
    assert.is_true(stats.retries >= 4)
  end)
end)

describe("Retry-After", function()
  -- The wait before the second request of page 2, in seconds.
  local function wait_of(value, more, status)
    local all, err, _, id = list({ faults = { { on = "page", page = 2, status = status or 429,
      headers = { ["Retry-After"] = value } } } }, more)
    if err then return nil, err end
    assert_whole(all, err)
    local first
    for _, entry in ipairs(helper.journal(id, "/customers")) do
      if entry.args.pageIndex == "2" then
        if first then return entry.time - first end
        first = entry.time
      end
    end
  end

  it("in seconds is waited for", function()
    local wait = wait_of "1"
    assert.is_true(wait >= 0.95 and wait < 3, tostring(wait))
  end)

  it("of 0, and of a date that is past, means at once", function()
    for _, value in ipairs { "0", "0.0", "date:-60", "Sun, 06 Nov 1994 08:49:37 GMT",
      "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994" } do
      local wait = wait_of(value)
      assert.is_true(wait < 0.5, value .. ": " .. tostring(wait))
    end
  end)

  it("as a date is waited for", function()
    local wait = wait_of "date:+2"
    assert.is_true(wait >= 0.9 and wait < 4, tostring(wait))
  end)

  it("that is unreadable counts as absent", function()
    for _, value in ipairs { "soon", "-5", "1e9", "", "5 minutes" } do
      local wait, err = wait_of(value, { max_retry_wait = 0.1 }, 503)
      assert.is_true(wait ~= nil and wait < 1, value .. ": " .. tostring(wait or err))
    end
  end)

  it("beyond max_retry_wait fails at once and says how long", function()
    for _, value in ipairs { "60", "date:+3600", "99999999999999999999" } do
      local wait, err = wait_of(value, { max_retry_wait = 2 })
      assert.is_nil(wait)
      assert.equal("throttled", err.kind)
      assert.is_true(err.retry_after >= 50)
      assert.is_true(err.retryable)
      assert.equal(1, err.attempts)
      assert.matches("max_retry_wait", err.message, 1, true)
    end
  end)

  it("holds for the whole client", function()
    local client, id = helper.client { customers = 10, faults = { { on = "page", page = 1,
      status = 429, headers = { ["Retry-After"] = "1" } } } }
    local one = client:customers { page_size = 5, first_page = 1 }
    local two = client:customers { page_size = 5, first_page = 2 }
    assert.equal(10, one:count())
    assert.equal(5, two:count())
    local entries = helper.journal(id, "/customers")
    assert.is_true(entries[2].time - entries[1].time >= 0.95)
  end)
end)

describe("the token request", function()
  for _, status in ipairs { 408, 429, 500, 502, 503, 504 } do
    it("is tried again after " .. status, function()
      local all, err, stats, id = list { faults = { { on = "token", status = status,
        headers = NOW } } }
      assert_whole(all, err)
      assert.equal(0, stats.retries)
      assert.equal(2, #helper.journal(id, "/connect/token"))
    end)
  end

  it("is tried again after a broken connection", function()
    for _, kind in ipairs { "reset", "short_body" } do
      local all, err = list({ faults = { { on = "token", kind = kind } } },
        { max_retry_wait = 0.05 })
      assert_whole(all, err)
    end
  end)
end)

describe("a token", function()
  it("that is refused is replaced, which is no retry", function()
    local all, err, stats, id = list({ faults = { { on = "page", page = 3, status = 401 } } })
    assert_whole(all, err)
    assert.equal(2, #helper.journal(id, "/connect/token"))
    assert.equal(6, stats.requests)
  end)

  it("that lasts for two requests each lists everything", function()
    local all, err, _, id = list({ token = { uses = 2 } }, { max_attempts = 1 },
      { concurrency = 1 })
    assert_whole(all, err)
    assert.equal(3, #helper.journal(id, "/connect/token"))
  end)

  it("that lasts for two requests lists everything with pages in flight, too", function()
    local all, err = list({ token = { uses = 2 }, latency = 0.01 }, { max_attempts = 1 })
    assert_whole(all, err)
  end)

  it("that is refused though fresh is an auth error, after two", function()
    local all, err, _, id = list({ token = { uses = 0 } }, nil, { endpoint = "get" })
    assert.equal(0, #all)
    assert.equal("auth", err.kind)
    assert.equal(401, err.status)
    assert.is_true(#helper.journal(id, "/connect/token") <= 2)
  end)

  it("is renewed ahead of its end, without a 401", function()
    local client, id = helper.client { customers = 6, token = { lifetime = 4 } }
    local listing = client:customers { page_size = 1, concurrency = 1 }
    local begun = os.time()
    for _ = 1, 6 do
      assert.is_truthy(listing())
      os.execute "sleep 0.9"
    end
    assert.is_true(os.time() - begun < 20)
    for _, entry in ipairs(helper.journal(id, "/customers")) do
      assert.equal(200, entry.status)
    end
    assert.is_true(#helper.journal(id, "/connect/token") >= 2)
  end)
end)

describe("no second try is made", function()
  for _, status in ipairs { 400, 403, 404, 405, 410, 418, 501 } do
    it("after " .. status, function()
      -- 400 and 404 of a later page are a page past the end
      local page = (status == 400 or status == 404) and 1 or 2
      local all, err, stats = list({ faults = { { on = "page", page = page, status = status,
        headers = NOW } } }, nil, { endpoint = "get" })
      assert.equal(5 * (page - 1), #all)
      assert.equal(status, err.status)
      assert.equal(0, stats.retries)
      assert.equal(1, err.attempts)
      assert.is_false(err.retryable)
    end)
  end

  for _, kind in ipairs { "html", "truncated_json", "empty", "deep_json" } do
    it("after " .. kind, function()
      local _, err, stats, id = list({ faults = { { on = "page", page = 2, kind = kind } } }, nil,
        { concurrency = 1 })
      assert.is_true(err.kind == "protocol" or err.kind == "limit")
      assert.equal(0, stats.retries)
      assert.same({ 1, 2 }, helper.pages(id))
    end)
  end
end)
