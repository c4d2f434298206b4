-- What happens to a listing when something ends, raises or comes back at the worst moment: nothing
-- crashes, nothing hangs, and every customer is given exactly once. All of it with the collector as
-- it is and at its extremes.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

local N = 23
local has_gc = _VERSION ~= "Lua 5.1" -- finalizers of tables

local modes = { default = function() end }
if os.getenv "AVP_CHECKER" ~= "coverage" then -- which makes garbage at each line that it counts
  modes["without a pause"] = function()
    collectgarbage("setpause", 0)
    collectgarbage("setstepmul", 1000)
  end
end
if _VERSION == "Lua 5.4" then
  modes.generational = function()
    collectgarbage "generational"
  end
end

local function reset_collector()
  if _VERSION == "Lua 5.4" then
    collectgarbage "incremental"
  end
  collectgarbage("setpause", 200)
  collectgarbage("setstepmul", _VERSION == "Lua 5.4" and 100 or 200)
end

local function client_of(more)
  return (helper.client({ customers = N, journal = false }, more))
end

-- Reads a listing to its end, going on after errors. Gives the customers and the errors.
local function read_on(listing, list)
  list = list or {}
  local errors = {}
  while #errors < 50 do
    local ok, customer = pcall(listing)
    if not ok then
      errors[#errors + 1] = customer
    elseif customer == nil then
      break
    else
      list[#list + 1] = customer
    end
  end
  return list, errors
end

local function assert_all(list, count)
  assert.equal(count or N, #list)
  assert.equal(count or N, helper.distinct(list))
end

-- Raises at calls first, first + every, ...; else gives what it is given.
local function thrower(first, every)
  local calls = 0
  return function(...)
    calls = calls + 1
    if calls >= first and (calls - first) % every == 0 then
      error("thrown", 0)
    end
    return ...
  end
end

local function assert_closed(err)
  assert.is_true(avepoint.is_error(err), tostring(err))
  assert.equal("closed", err.kind)
end

for mode, set_collector in pairs(modes) do
  describe("collector: " .. mode .. ":", function()
    before_each(set_collector)
    after_each(reset_collector)

    it("an error thrown by a function of the user loses no row but the one it had", function()
      for _, way in ipairs { "filter", "map", "where" } do
        local f = thrower(3, 4)
        local listing = client_of():customers { page_size = 5 }
        if way == "where" then
          listing = listing:where { organization = f }
        elseif way == "map" then
          listing = listing:map(f)
        else
          listing = listing:filter(f)
        end
        local list, errors = read_on(listing)
        assert_all(list, N - #errors) -- a row that the function had counts as given
        assert.is_true(#errors > 3)
        for _, err in ipairs(errors) do assert.equal("thrown", err) end
      end
    end)

    it("an error thrown by on_event, on_progress or a credential function loses nothing", function()
      local secret = thrower(1, 2)
      for _, case in ipairs {
        { { on_event = thrower(2, 3) } },
        { {}, { on_progress = thrower(1, 2) } },
        { { client_secret = function() return secret(helper.client_secret) end } },
        { { client_secret = function() return secret(helper.client_secret) end }, {}, true },
      } do
        local options = case[2] or {}
        options.page_size = 5
        local listing = client_of(case[1]):customers(options)
        local list, errors = read_on(listing)
        assert_all(list)
        assert.is_true(#errors > 0)
      end
    end)

    it("an error thrown by on_progress loses no page of pages()", function()
      local listing = client_of():customers { page_size = 5, on_progress = thrower(1, 2) }
      local list = {}
      for _ = 1, 20 do -- each time with an iterator of its own
        pcall(function()
          for page in listing:pages() do
            for _, customer in ipairs(page) do list[#list + 1] = customer end
          end
        end)
      end
      assert_all(list)
    end)

    it("a listing used by its own callbacks gives each customer once", function()
      local listing
      local list, busy = {}, false
      local function use(customer)
        if not busy then
          busy = true
          list[#list + 1] = listing()
          busy = false
        end
        return customer or true
      end
      for _, way in ipairs { "filter", "map", "on_progress", "on_event" } do
        list = {}
        local options = { page_size = 5, on_progress = way == "on_progress" and use or nil }
        listing = client_of({ on_event = way == "on_event" and use or nil }):customers(options)
        if way == "filter" or way == "map" then
          listing = listing[way](listing, use)
        end
        assert.same({}, select(2, read_on(listing, list)))
        assert_all(list)
      end
    end)

    it("closing from within a callback ends in closed", function()
      for _, way in ipairs { "client", "listing" } do
        for _, place in ipairs { "filter", "on_event", "on_progress", "driver", "secret" } do
          local client, listing
          local function shut()
            if listing then
              (way == "client" and client or listing):close()
            end
            return true
          end
          local function at(name, f)
            return place == name and (f or shut) or nil
          end
          client = client_of {
            on_event = at "on_event",
            driver = at("driver", { wait = shut }),
            client_secret = at("secret", function()
              shut()
              return helper.client_secret
            end) or helper.client_secret,
          }
          listing = client:customers { page_size = 5, on_progress = at "on_progress" }
          local chained = place == "filter" and listing:filter(shut) or listing
          local _, errors = read_on(chained)
          assert_closed(errors[1])
          assert_closed(errors[#errors])
          assert.has_no_error(function()
            tostring(chained)
            client:close()
            listing:close()
          end)
        end
      end
    end)

    it("dropped in mid-flight, in either order, is collected", function()
      for _, order in ipairs { "listing", "client" } do
        local waits = 0
        local strong = { client = client_of { driver = { wait = function()
          waits = waits + 1
          error("enough", 0)
        end } } }
        strong.listing = strong.client:customers { page_size = 5 }
        for _ = 1, 3 do pcall(strong.listing) end
        assert.is_true(waits > 0)
        local weak = setmetatable({ client = strong.client, listing = strong.listing },
          { __mode = "v" })
        strong[order] = nil
        collectgarbage()
        assert.is_not_nil(weak.client) -- a listing keeps its client
        assert.equal(strong.listing, weak.listing)
        strong.client, strong.listing = nil, nil
        collectgarbage()
        collectgarbage()
        assert.is_nil(weak.client)
        assert.is_nil(weak.listing)
      end
    end)

    it("two listings of a client, interleaved and nested", function()
      local client = client_of()
      local one, two = client:customers { page_size = 5 }, client:customers { page_size = 3 }
      local lists = { {}, {} }
      for i = 1, N do
        lists[1][i], lists[2][i] = one(), two()
      end
      assert_all(lists[1])
      assert_all(lists[2])
      local outer = {}
      for customer in client:customers { page_size = 10 } do
        outer[#outer + 1] = customer
        assert_all(client:customers({ page_size = 12 }):collect())
      end
      assert_all(outer)
    end)

    it("a coroutine dropped in its wait leaves the listing to others", function()
      local client = client_of { driver = { wait = function(client)
        if coroutine.isyieldable == nil or coroutine.isyieldable() then
          coroutine.yield "waits"
        end
        require("avepoint.core").poll(client, 0.1)
      end } }
      local listing = client:customers { page_size = 5 }
      for _ = 1, 3 do
        local dropped = coroutine.create(function() return listing:next() end)
        assert.equal("waits", select(2, coroutine.resume(dropped)))
        dropped = nil -- luacheck: ignore
      end
      local list = {}
      local other = coroutine.wrap(function()
        repeat
          list[#list + 1] = listing:next()
        until #list == N
        return listing:next() or "done"
      end)
      repeat until other() == "done"
      assert_all(list)
    end)

    if has_gc then
      it("a finalizer that runs while a reply is decoded may close or use anything", function()
        for _, deed in ipairs { "listing", "client", "next", "step", "cancel" } do
          for reply = 1, 3 do -- the first is the token's
            local client = client_of()
            local listing = client:customers { page_size = 5 }
            local list, ran, replies = {}, 0, 0
            local deeds = {
              listing = function() listing:close() end,
              client = function() client:close() end,
              next = function() list[#list + 1] = listing() end,
              step = function() client:step() end,
              cancel = function() listing._core:cancel() end,
            }
            local state = require("avepoint.core").state(client)
            local decode = state.decode
            state.decode = function(text)
              replies = replies + 1
              if replies == reply then
                setmetatable({}, { __gc = function()
                  ran = ran + 1
                  pcall(deeds[deed])
                end })
                collectgarbage()
              end
              return decode(text)
            end
            local _, errors = read_on(listing, list)
            assert.equal(1, ran)
            if deed == "listing" or deed == "client" then
              assert_closed(errors[1])
              assert.equal(#list, helper.distinct(list))
            else
              assert.same({}, errors)
              assert_all(list)
            end
          end
        end
      end)
    end
  end)
end

describe("the end of a process", function()
  it("by os.exit in the middle of a listing, with and without closing the state", function()
    local id = helper.scenario { customers = N, journal = false }
    for _, how in ipairs { "0", "0, true" } do
      for _, place in ipairs { "body", "filter", "driver", "on_event", "coroutine" } do
        local out, code = helper.run(([[
          local place, leave = %q, function() os.exit(%s) end
          local function at(name) return place == name and leave or nil end
          local client = require("avepoint").client {
            on_event = at "on_event", driver = at "driver" and { wait = leave } or nil }
          local listing = client:customers { page_size = 5 }
          if place == "filter" then listing = listing:filter(leave) end
          local function read() for c in listing do at "body"() end end
          if place == "coroutine" then
            place = "body"
            coroutine.wrap(read)()
          end
          read()
        ]]):format(place, how), helper.environment(id))
        assert.equal("", out)
        assert.equal(0, code, place)
      end
    end
  end)

  it("with transfers in flight, by the end of the script", function()
    local id = helper.scenario { customers = N, latency = 30, journal = false }
    local out, code = helper.run([[
      local n = 0
      local client = require("avepoint").client { driver = { wait = function(client)
        n = n + 1
        if n > 20 then error("enough", 0) end
        require("avepoint.core").poll(client, 0.01)
      end } }
      kept = client:customers() -- a global: closed with the state only
      print(pcall(kept))
    ]], helper.environment(id))
    assert.equal("false\tenough\n", out)
    assert.equal(0, code)
  end)
end)

describe("dropped clients", function()
  local function descriptors()
    local pipe = assert(io.popen "ls /proc/$PPID/fd | wc -l")
    local n = pipe:read "*n"
    pipe:close()
    return n
  end

  it("keep their descriptors for a while only, however much else is in memory", function()
    if not helper.read "/proc/self/status" then
      return
    end
    local id = helper.scenario { customers = 2, journal = false }
    local ballast = {} -- so much that Lua sees no reason to collect by itself
    for i = 1, 30000 do ballast[i] = ("x"):rep(1000) .. i end
    collectgarbage()
    local before, most = descriptors(), 0
    for i = 1, 200 do
      avepoint.client(helper.options(id, { port = "http" })):customers():first()
      if i % 20 == 0 then most = math.max(most, descriptors()) end
    end
    assert.is_true(most - before < 400, ("%d descriptors more"):format(most - before))
    assert.equal(30000, #ballast)
    collectgarbage()
    collectgarbage()
    assert.is_true(descriptors() <= before, "some descriptors stay open")
  end)
end)

-- The driver for libuv's loop; plain luv stands for Neovim.
describe("a task", function()
  -- What a script prints that does something to a task which waits for the token or for a page.
  local function run(what, deed)
    local fields = { customers = N, journal = false }
    fields[what] = 20
    local out, code = helper.run(([[
      local uv, task = require "luv", nil
      local client = require("avepoint").client()
      local listing = client:customers()
      task = require("avepoint.driver.uv").run(function()
        local _, err = listing:next()
        if err then error(err, 0) end
      end, function(err)
        print(type(err) == "table" and err.kind or err)
      end)
      local timer = uv.new_timer()
      uv.update_time() -- else the timer may fire before the task begins
      timer:start(200, 0, function()
        timer:close()
        %s
      end)
      local before = uv.hrtime()
      uv.run()
      print((uv.hrtime() - before) / 1e9 < 5)
    ]]):format(deed), helper.environment(helper.scenario(fields)))
    assert.equal(0, code, out)
    return out
  end

  it("whose client is closed wakes at once, and nothing keeps the loop alive", function()
    for _, what in ipairs { "token_latency", "latency" } do
      assert.equal("closed\ntrue\n", run(what, "client:close()"))
    end
  end)

  it("that is cancelled leaves nothing that keeps the loop alive", function()
    for _, what in ipairs { "token_latency", "latency" } do
      for _, deed in ipairs { "task:cancel()", "task:cancel() listing:close()" } do
        assert.equal("avepoint: cancelled\ntrue\n", run(what, deed))
      end
    end
  end)
end)

describe("the driver of libuv", function()
  local function run(script)
    local id = helper.scenario { customers = N, journal = false }
    return helper.run("local uv = require 'avepoint.driver.uv'\n" .. script,
      helper.environment(id))
  end

  it("outside a task is wrong use, at the caller's line", function()
    local out = run [[
      local client = require("avepoint").client { driver = uv }
      local ok, err = pcall(function() return client:customers():first() end)
      print(ok, err)
    ]]
    assert.matches("^false\t.*:3: .*works inside a task", out)
  end)

  it("passes on the error of a task that nobody waits for", function()
    local out, code = run [[
      uv.run(function() error("mine", 0) end)
      require("luv").run()
    ]]
    assert.matches("mine", out, 1, true)
    assert.not_equal(0, code)
  end)
end)

describe("options", function()
  -- What is read must be what was checked: a string that __index makes is nobody's, and was used
  -- after it was freed.
  it("are those in the table itself, whatever its metatable says", function()
    local id = helper.scenario { customers = 3, journal = false }
    local client = avepoint.client(setmetatable(helper.options(id), { __index = function(_, name)
      return name == "user_agent" and ("a"):rep(100) .. os.time() or nil
    end }))
    local options = setmetatable({}, { __index = { page_size = 0, first_page = 0,
      on_progress = 1, resume = "no position" } })
    assert.equal(3, client:customers(options):count())
  end)
end)
