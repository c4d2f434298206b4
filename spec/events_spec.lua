-- What on_event is told, what its errors do, and the ready-made logger.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local TOTAL, SIZE = 23, 5

local NUMBERS = { time = true, page = true, attempt = true, status = true, bytes = true,
  seconds = true, wait = true, lifetime = true, count = true, total = true, reading = true }
local TEXTS = { event = true, method = true, url = true, reason = true, message = true }

-- The fields that each kind must have.
local FIELDS = {
  request = { "time", "attempt", "method", "url" },
  response = { "time", "attempt", "method", "url", "status", "bytes", "seconds" },
  wait = { "time", "wait", "reason" },
  retry = { "time", "attempt", "reason" },
  token = { "time", "lifetime" },
  page = { "time", "page", "count", "total", "reading" },
  warning = { "time", "message" },
}

-- Lists everything; gives the events.
local function events_of(fields, options, more)
  local events = {}
  fields.customers = fields.customers or TOTAL
  more = more or {}
  more.on_event = function(event) events[#events + 1] = event end
  local client = helper.client(fields, more)
  options = options or {}
  options.page_size = SIZE
  options.concurrency = options.concurrency or 1
  local n = client:customers(options):count()
  return events, n
end

local function kinds(events)
  local list = {}
  for i, event in ipairs(events) do list[i] = event.event end
  return table.concat(list, " ")
end

describe("events", function()
  it("tell the story of a listing in its order", function()
    local events = events_of {}
    assert.equal("request response token" .. (" request response page"):rep(5), kinds(events))
  end)

  it("have the fields of their kind, of the right types", function()
    local events = events_of({ total_add = 1, faults = {
      { on = "page", page = 2, status = 503, headers = { ["Retry-After"] = "0.1" } },
      { on = "token", status = 503, headers = { ["Retry-After"] = "0" } } } })
    local seen = {}
    for _, event in ipairs(events) do
      seen[event.event] = true
      for _, field in ipairs(FIELDS[event.event]) do
        assert.is_not_nil(event[field], event.event .. "." .. field)
      end
      for field, value in pairs(event) do
        assert.is_true(NUMBERS[field] or TEXTS[field], "unknown field " .. field)
        assert.equal(NUMBERS[field] and "number" or "string", type(value), field)
      end
      assert.is_nil(getmetatable(event))
      assert.is_true(math.abs(event.time - os.time()) < 10)
    end
    for kind in pairs(FIELDS) do assert.is_true(seen[kind], kind) end
  end)

  it("hold what happened", function()
    local events = events_of { token = { lifetime = 1800 }, faults = {
      { on = "page", page = 2, status = 503, headers = { ["Retry-After"] = "0.1" } } } }
    local rows, requests = 0, {}
    for _, event in ipairs(events) do
      if event.event == "page" then
        rows = rows + event.count
        assert.equal(TOTAL, event.total)
        assert.equal(1, event.reading)
      elseif event.event == "token" then
        assert.equal(1800, event.lifetime)
      elseif event.event == "wait" then
        assert.is_true(event.wait > 0.09 and event.wait < 0.2)
        assert.equal(2, event.page)
      elseif event.event == "retry" then
        assert.equal(2, event.page)
      elseif event.event == "response" then
        assert.is_true(event.status == 200 and event.bytes > 0 or event.status == 503)
        assert.is_true(event.seconds >= 0 and event.seconds < 10)
      elseif event.event == "request" then
        requests[#requests + 1] = ("%s %s %d"):format(event.method, event.page or "token",
          event.attempt)
        assert.is_nil(event.url:find "[?#]")
      end
    end
    assert.equal(TOTAL, rows)
    assert.equal("POST token 1,GET 1 1,GET 2 1,GET 2 2,GET 3 1,GET 4 1,GET 5 1",
      table.concat(requests, ","))
    assert.matches("request response retry wait request response page", kinds(events), 1, true)
  end)

  it("tell of a failure whose reason is a kind of error", function()
    for kind, reason in pairs { wait = "timeout", short_body = "protocol" } do
      local events = events_of({ faults = { { on = "page", page = 2, kind = kind, seconds = 3 } } },
        nil, { port = "http1", timeout = 0.2, max_retry_wait = 0.01 })
      local reasons = {}
      for _, event in ipairs(events) do
        if event.event == "retry" then reasons[#reasons + 1] = event.reason end
      end
      assert.same({ reason }, reasons)
    end
  end)
end)

describe("an error thrown in on_event", function()
  it("at whatever moment reaches the caller as it is and loses no row", function()
    local thrown = { "mine" }
    for at = 1, 18 do
      local n = 0
      local client = helper.client({ customers = TOTAL }, { on_event = function()
        n = n + 1
        if n == at then error(thrown, 0) end
      end })
      local list, errors = helper.pull_all(client:customers { page_size = SIZE }, thrown)
      assert.equal(1, errors, "at event " .. at)
      assert.equal(TOTAL, #list)
      assert.equal(TOTAL, helper.distinct(list))
    end
  end)

  it("comes out of next(), collect() and pages() as well", function()
    for _, name in ipairs { "next", "collect", "total", "count" } do
      local client = helper.client({ customers = 3 }, { on_event = function()
        error("mine", 0)
      end })
      local listing = client:customers()
      assert.equal("mine", helper.error_of(listing[name], listing))
    end
    local failures = 3
    local client = helper.client({ customers = TOTAL }, { on_event = function(event)
      if event.event == "page" and failures > 0 then
        failures = failures - 1
        error("mine", 0)
      end
    end })
    local rows, next_page = 0, client:customers({ page_size = SIZE }):pages()
    while true do
      local ok, list = pcall(next_page)
      if ok and not list then break end
      rows = rows + (ok and #list or 0)
    end
    assert.equal(0, failures)
    assert.equal(TOTAL, rows)
  end)
end)

describe("a callback", function()
  it("may look at the listing", function()
    local listing, n
    local function look()
      n = listing:stats().requests
      assert.is_string(listing:position())
      assert.is_string(tostring(listing))
    end
    local client = helper.client({ customers = TOTAL }, { on_event = look })
    listing = client:customers { page_size = SIZE, on_progress = look }
    assert.equal(TOTAL, listing:count())
    assert.equal(5, n)
  end)

  it("may use another listing of its client", function()
    local client, inner
    client = helper.client({ customers = TOTAL }, { on_event = function(event)
      if event.event == "page" and not inner then
        inner = true
        inner = client:customers():count()
      end
    end })
    assert.equal(TOTAL, client:customers({ page_size = SIZE }):count())
    assert.equal(TOTAL, inner)
  end)

  it("may close the listing or the client", function()
    for _, what in ipairs { "listing", "client" } do
      for at = 1, 12 do
        local n, client, listing = 0, nil, nil
        client = helper.client({ customers = TOTAL }, { on_event = function()
          n = n + 1
          if n == at then (what == "listing" and listing or client):close() end
        end })
        listing = client:customers { page_size = SIZE }
        local err = helper.error_of(listing.collect, listing)
        assert.equal("closed", type(err) == "table" and err.kind or err, what .. " at " .. at)
      end
    end
  end)
end)

describe("AVEPOINT_LOG", function()
  local function log_of(level, fields)
    return helper.run([[
      local avepoint = require "avepoint"
      avepoint.customers({ page_size = 5 }):count()
    ]], helper.environment(helper.scenario(fields), { AVEPOINT_LOG = level }))
  end

  it("writes events to stderr, as many as its level says", function()
    local quiet, odd = { customers = 12 }, { customers = 12, total_add = 1 }
    assert.equal("", log_of("warn", quiet))
    assert.matches("1", log_of("warn", odd), 1, true)
    local info, debug_lines = log_of("info", quiet), log_of("debug", quiet)
    assert.is_true(#info > 0)
    assert.is_true(#debug_lines > #info)
    assert.not_matches(helper.client_secret, debug_lines, 1, true)
  end)

  it("writes at each level those of its own and of the ones below", function()
    local out = helper.run [[
      local avepoint = require "avepoint"
      for _, level in ipairs { "warn", "info", "debug" } do
        io.stderr:write(level, ":\n")
        local log = avepoint.logger(level)
        for _, name in ipairs { "retry", "wait", "warning", "page", "token", "request",
          "response" } do
          log { event = name, time = 1 }
        end
      end
    ]]
    local warn = "avepoint retry\navepoint wait\navepoint warning\n"
    local info = warn .. "avepoint page\navepoint token\n"
    assert.equal(("warn:\n%sinfo:\n%sdebug:\n%savepoint request\navepoint response\n"):format(
      warn, info, info), out)
  end)

  it("leaves the program's own on_event as it is", function()
    local out = helper.run([[
      local n = 0
      local client = require("avepoint").client { on_event = function() n = n + 1 end }
      client:customers():count()
      io.stderr:write("heard ", n)
    ]], helper.environment(helper.scenario { customers = 2 }, { AVEPOINT_LOG = "debug" }))
    local _, lines = out:gsub("avepoint [^\n]*\n", "")
    assert.is_true(lines > 3)
    assert.equal(lines, tonumber(out:match "heard (%d+)$"))
  end)

  it("writes to nginx's error log, what needs attention as a warning", function()
    local said = {}
    rawset(_G, "ngx", { WARN = "warn", INFO = "info", log = function(level, line)
      said[#said + 1] = level .. " " .. line
    end })
    finally(function() rawset(_G, "ngx", nil) end)
    local log = require("avepoint.log").new "debug"
    for _, name in ipairs { "warning", "retry", "wait", "token" } do log { event = name } end
    assert.same({ "warn avepoint warning", "warn avepoint retry", "warn avepoint wait",
      "info avepoint token" }, said)
  end)

  it("writes a JSON object a line where AVEPOINT_LOG_FORMAT says so", function()
    local out = helper.run([[require("avepoint").customers({ page_size = 5 }):count()]],
      helper.environment(helper.scenario { customers = 12 }, { AVEPOINT_LOG = "debug",
        AVEPOINT_LOG_FORMAT = "json" }))
    local lines = 0
    for line in out:gmatch "[^\n]+" do
      local event = require("cjson").decode(line)
      assert.equal("avepoint", event.logger)
      assert.is_string(event.event)
      assert.is_number(event.time)
      lines = lines + 1
    end
    assert.is_true(lines > 8)
    assert.not_matches(helper.client_secret, out, 1, true)
  end)

  it("writes no field that is not on its list", function()
    local log = require "avepoint.log"
    assert.not_matches("hush", log.line { event = "request", time = 1, authorization = "hush",
      headers = { Authorization = "hush" } }, 1, true)
    local out = helper.run([[
      require("avepoint.log").new("debug", "json") { event = "request", time = 1,
        authorization = "hush", url = "https://x" }
    ]])
    assert.not_matches("hush", out, 1, true)
    assert.matches("https:", out, 1, true)
  end)

  it("is what avepoint.logger makes, which refuses what it does not know", function()
    local avepoint = require "avepoint"
    assert.is_function(avepoint.logger "info")
    assert.matches("level", helper.error_of(avepoint.logger, "loud"), 1, true)
    assert.matches("format", helper.error_of(avepoint.logger, "info", "xml"), 1, true)
  end)

  it("of a form nobody knows is a config error", function()
    local out = helper.run([[print(pcall(require("avepoint").customers))]],
      helper.environment(helper.scenario { customers = 1 }, { AVEPOINT_LOG = "warn",
        AVEPOINT_LOG_FORMAT = "xml" }))
    assert.matches("^false\tavepoint: config: .*AVEPOINT_LOG_FORMAT", out)
  end)

  it("of a level nobody knows is a config error", function()
    local out = helper.run([[print(pcall(require("avepoint").customers))]],
      helper.environment(helper.scenario { customers = 1 }, { AVEPOINT_LOG = "loud" }))
    assert.matches("^false\tavepoint: config: .*AVEPOINT_LOG", out)
  end)
end)
