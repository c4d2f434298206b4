-- Memory runs out at one allocation after another, of Lua, of the core and of libcurl: no crash, no
-- leak, no customer lost or doubled (spec/c/torture.c, spec/support/torture.lua). And the child of
-- a fork.
-- SPDX-License-Identifier: MIT

local certificates = require "spec.support.certificates"
local files = require "spec.support.files"
local helper = require "spec.helper"

local program = (os.getenv "AVP_MODULES" or "") .. "/torture"

-- Gives what the program printed. `plan` is what follows KIND.
local function torture(script, kind, plan, environment)
  local known = helper.temporary ".suppressions"
  helper.write(known, "leak:cjson.so\n") -- it forgets a buffer when memory runs out
  -- of what is freed a few runs' worth is kept: more pages would take most of the time
  environment.ASAN_OPTIONS = (environment.ASAN_OPTIONS or os.getenv "ASAN_OPTIONS" or "")
    .. ":quarantine_size_mb=8"
  local words = { "env", ("LSAN_OPTIONS=suppressions=%s:print_suppressions=0"):format(known) }
  for name, value in pairs(environment) do words[#words + 1] = name .. "=" .. value end
  words[#words + 1] = ("%s %s %s %s 2>&1"):format(program, script, kind, plan)
  local pipe = assert(io.popen(table.concat(words, " ")))
  local out = pipe:read "*a"
  pipe:close()
  return out
end

-- A way on which hardly any allocation failed has shown nothing.
local function assert_good(out)
  local runs = tonumber(out:match "^(%d+) runs up to allocation %d+, 0 bad\n$")
  assert(runs, out)
  assert.is_true(runs > 2, out)
end

local function base_url(fields)
  local base = helper.urls(helper.scenario(fields))
  return (base:gsub("^https://localhost:%d+", "http://localhost:" .. helper.ports.http))
end

local built = io.open(program)
if not built then
  return -- LuaJIT takes no allocator of ours
end
built:close()

-- Each way of torture.lua with what else its scenario holds. `make torture` lets each allocation
-- fail. In an ordinary run one of Lua's fails at each place, `times` times (2), or each so many-th
-- does, where few places are ours. Each of the core's does, or each so many-th, where these are
-- those of `plain`, and only Lua's side differs.
local RETRY = { { on = "get", status = 500, headers = { ["Retry-After"] = "0" }, every = 3,
  times = -1 } }
local ways = {
  { "load", lua = 11 }, { "late", lua = 11 }, { "plain" }, { "filter", core = 5 },
  { "progress", core = 5 }, { "pages", core = 5 }, { "event", core = 5 }, { "secret" }, { "store" },
  { "resume" }, { "position", core = 5 }, { "certificate" }, { "retry", faults = RETRY },
  { "back", changes = { { before = 2, remove = 1 } } }, { "csv" }, { "json", core = 5 },
  { "jsonl", core = 5 }, { "list" }, { "get" }, { "break" }, { "close" }, { "fork", times = 1 },
  { "show", core = 5 }, { "coroutine", core = 5 },
}
local each = os.getenv "AVP_TORTURE" == "each"

-- Copies the module's Lua files and the script into a folder, compiled: each run loads them anew,
-- and the compiler would take most of its time.
local function compiled()
  local folder = helper.temporary ".compiled"
  files.output_of("mkdir %s; cp -r lua spec %s", folder, folder)
  local list = files.output_of("find lua spec/support/torture.lua -name '*.lua'")
  for path in list:gmatch "[^\n]+" do
    helper.write(folder .. "/" .. path, string.dump(assert(loadfile(path))))
  end
  return folder
end

describe("#torture memory that runs out", function()
  local certificate, folder_of_compiled

  setup(function()
    certificate = certificates.make { key = "rsa:2048", names = false }
    folder_of_compiled = compiled()
  end)

  -- Of libcurl's allocations a few: where memory is out, some versions decompress wrongly or lose a
  -- URL's query, which is then told as `protocol` or `drift`.
  local curl = { load = 1, plain = 5, pages = 37 }
  for _, kind in ipairs { "lua", "core", "curl" } do
    for _, way in ipairs(ways) do
      local name = way[1]
      local stride = kind == "curl" and curl[name] or not each and way[kind]
      local plan = "1 " .. (stride or 1)
      if kind == "lua" and not each and not stride then
        plan = "places " .. (way.times or 2)
      end
      local test = kind == "curl" and not curl[name] and function() end or it
      test(("of %s, %s"):format(kind, name), function()
        local id = helper.scenario { customers = 12, journal = false, faults = way.faults,
          changes = way.changes, token = { certificates = { certificate .. ".pem" } } }
        local folder = helper.temporary ".d"
        files.output_of("mkdir %s", folder)
        -- while they are loaded memory is to run out where users have it run out
        local top = (name == "load" or name == "late") and "." or folder_of_compiled
        local out = torture(top .. "/spec/support/torture.lua", kind, plan, { TORTURE_WAY = name,
          TORTURE_KIND = kind,
          LUA_PATH = ("'%s/lua/?.lua;%s/lua/?/init.lua'"):format(top, top),
          TORTURE_LOADED = not each and name ~= "late" and "1" or nil,
          AVEPOINT_BASE_URL = (helper.urls(id, "http")), TORTURE_TARGET = folder .. "/out",
          TORTURE_SCENARIO = ("%s/scenarios/%s"):format(helper.directory, id),
          TORTURE_CERTIFICATE = certificate,
          -- a child gives up what it has inherited
          ASAN_OPTIONS = name == "fork" and "detect_leaks=0" or nil })
        assert_good(out)
        assert.matches("^o?u?t?\n?$", files.output_of("ls -A %s", folder)) -- nothing beside it
        if each then print(kind, name, (out:gsub("\n", ""))) end
      end)
    end
  end
end)

-- Not libcurl's: its cache of TLS sessions frees an entry twice then.
describe("#torture memory that runs out while the service's connection is made", function()
  it("of core", function()
    local id = helper.scenario { customers = 12, journal = false }
    local out = torture("spec/support/torture.lua", "core", "1 1", { TORTURE_WAY = "plain",
      AVEPOINT_BASE_URL = (helper.urls(id)), AVEPOINT_CA_FILE = helper.ca_file,
      AVEPOINT_TOKEN_URL = select(2, helper.urls(id, "http1")) })
    assert_good(out)
  end)
end)

-- a checker's memory is not to be read, and holds what has been given back
local test = os.getenv "AVP_CHECKER" and function() end or it

-- The program's allocator wipes for Lua and for libcurl, which do not: what is found is ours, or
-- what the script holds itself. OpenSSL's buffers hold what came last, a page. Not over HTTP/2:
-- nghttp2 has an allocator of its own, and leaves a copy of the header with the token behind.
describe("#torture the memory of the process", function()
  local SCRIPT = [[
    local avepoint = require "avepoint"
    local core = require "avepoint.core"
    local base = os.getenv "AVEPOINT_BASE_URL"
    local function spell(text) -- stands nowhere as it is
      return (text:gsub(".", function(c) return string.char(c:byte() - 1) end))
    end
    local function check(what, wanted, n)
      assert(n == wanted, ("%s: %d times, not %d"):format(what, n, wanted))
    end
    -- the copies that a Lua makes of such a text: 5.1 joins texts in a buffer that it keeps
    local spelled = held(spell "up!cf!gpvoe!ifsf")
    local client = avepoint.client { base_url = base, token_url = base .. "/connect/token",
      client_id = "demo-client", client_secret = spell "efnp.tfdsfu", endpoint = "get" }
    collectgarbage "stop" -- what Lua was given stays
    assert(client:customers():count() == 12)
    check("replies with a token", 1 + spelled, held(spell '#bddftt`uplfo#;#')) -- Lua's
    local _, token = core.token(client)
    local before = held(token)
    for _ = 1, 3 do core.token(client) end
    -- each call gives Lua a text, of which 5.1 keeps one
    check("the token", before + (_VERSION == "Lua 5.1" and 0 or 3), held(token))
    local first, last = token:sub(1, 20), token:sub(21)
    token = nil
    if os.getenv "RENEWED" then
      assert(client:customers():count() == 12)
      assert(select(2, core.token(client)) ~= first .. last)
    else
      client:close()
    end
    collectgarbage "restart"
    collectgarbage()
    collectgarbage()
    local joined = held(first .. "and something else")
    check("the old token", joined, held(first .. last)) -- the argument
    check("the secret", (os.getenv "RENEWED" and 1 or 0) + spelled, held(spell "efnp.tfdsfu"))
  ]]

  for _, port in ipairs { "http", "http1" } do
    for _, renewed in ipairs { false, true } do
      test(("holds no copy of ours after %s, %s"):format(renewed and "a renewal" or "close", port),
        function()
          local script = helper.temporary ".lua"
          helper.write(script, SCRIPT)
          local id = helper.scenario { customers = 12, faults = renewed and { { on = "get",
            page = 1, status = 401, every = 2 } } or nil }
          local out = torture(script, "none", "1 1 1", {
            AVEPOINT_BASE_URL = (helper.urls(id, port)), AVEPOINT_CA_FILE = helper.ca_file,
            RENEWED = renewed and "1" or nil })
          assert.equal("1 runs up to allocation 1, 0 bad\n", out)
        end)
    end
  end
end)

-- An assertion is good for minutes: its parts are ours until they are joined.
describe("#torture the memory of the process", function()
  local SCRIPT = [[
    local avepoint = require "avepoint"
    local certificate = require "avepoint.certificate"
    local base, path = os.getenv "AVEPOINT_BASE_URL", os.getenv "TORTURE_CERTIFICATE"
    local assertion, parts = certificate.assertion, nil
    function certificate.assertion(sign, key, ...)
      local raw
      local text = assertion(sign, { sign = function(_, claims)
        raw = key:sign(claims)
        return raw
      end, thumbprint = function() return key:thumbprint() end }, ...)
      local signature = text:match "[^.]+$"
      local base64 = signature:gsub("[-_]", { ["-"] = "+", ["_"] = "/" }) -- before it is for URLs
      parts = { signature:sub(1, 20), signature:sub(21), raw:sub(1, 20), raw:sub(21),
        base64:sub(1, 20), base64:sub(21) }
      return text
    end
    local client = avepoint.client { base_url = base, token_url = base .. "/connect/token",
      client_id = "demo-client", certificate = path .. ".pem", private_key = path .. ".key" }
    assert(client:customers():count() == 12)
    client = client:close()
    local function count(first, last)
      collectgarbage()
      collectgarbage()
      return held(first .. last)
    end
    for i = 1, 5, 2 do
      local other = count(parts[i], ("x"):rep(#parts[i + 1]))
      local n = count(parts[i], parts[i + 1])
      assert(n == other, ("part %d stands there %d times, not %d"):format(i, n, other))
    end
  ]]

  test("holds no part of an assertion after close", function()
    local script = helper.temporary ".lua"
    helper.write(script, SCRIPT)
    local path = certificates.make { key = "rsa:2048", names = false }
    local id = helper.scenario { customers = 12, token = { certificates = { path .. ".pem" } } }
    local out = torture(script, "none", "1 1 1", { AVEPOINT_BASE_URL = (helper.urls(id, "http1")),
      AVEPOINT_CA_FILE = helper.ca_file, TORTURE_CERTIFICATE = path })
    assert.equal("1 runs up to allocation 1, 0 bad\n", out)
  end)
end)

-- Memory runs out in each step of a sign-in, at one allocation after another.
describe("#torture the memory of the process", function()
  local SCRIPT = [[
    local avepoint = require "avepoint"
    local core = require "avepoint.core"
    local base = os.getenv "AVEPOINT_BASE_URL"
    local function spell(text) -- stands nowhere as it is
      return (text:gsub(".", function(c) return string.char(c:byte() - 1) end))
    end
    local spelled = held(spell "up!cf!gpvoe!ifsf")
    local client = avepoint.client { base_url = base, token_url = base .. "/connect/token",
      client_id = "demo-client", client_secret = "demo-secret" }
    local list = client:customers()._core
    local failed, customer, word, why
    repeat
      customer, why, word = list:next()
      assert(customer or word == "wait", tostring(why))
      core.poll(client, 1)
      if not failed then arm() end
      local ok, err = pcall(client.step, client)
      disarm()
      assert(ok or tostring(err):find "not enough memory" or err.kind == "memory", tostring(err))
      failed = failed or not ok
    until customer
    client, list = client:close(), nil
    collectgarbage()
    collectgarbage()
    local n = held(spell '#bddftt`uplfo#;#')
    assert(n == spelled, n .. " replies with a token")
  ]]

  test("holds no reply with a token where memory ran out over it", function()
    local script = helper.temporary ".lua"
    helper.write(script, SCRIPT)
    local id = helper.scenario { customers = 12, journal = false }
    local out = torture(script, "lua", "1 1", { AVEPOINT_BASE_URL = (helper.urls(id, "http")) })
    assert.matches("^%d+ runs up to allocation %d+, 0 bad\n$", out)
    assert.is_true(tonumber(out:match "^%d+") > 8, out)
  end)
end)

describe("#torture the child of a fork", function()
  it("and its parent both go on, from any place of a listing", function()
    local script = helper.temporary ".lua"
    helper.write(script, [[
      local avepoint = require "avepoint"
      local base, token = os.getenv "AVEPOINT_BASE_URL", os.getenv "AVEPOINT_TOKEN_URL"
      for _, place in ipairs { "before", "sign-in", "row 1", "row 3", "row 8", "wait", "on_event",
        "end" } do
        local child, list = nil, {}
        local function at(name)
          if name == place and not child then child = fork() end
        end
        local client = avepoint.client { base_url = base, token_url = token,
          client_id = "demo-client", client_secret = "demo-secret",
          on_event = function() at "on_event" end,
          driver = { wait = function(client, seconds)
            at "sign-in"
            if #list > 3 then at "wait" end
            require("avepoint.driver.blocking").wait(client, seconds)
          end } }
        local listing = client:customers { page_size = 5 }
        at "before"
        for c in listing do
          list[#list + 1] = c.id
          at("row " .. #list)
        end
        at "end"
        local seen, n = {}, 0
        for _, id in ipairs(list) do
          n = n + (seen[id] and 0 or 1)
          seen[id] = true
        end
        assert(n == 42 and #list == 42, place .. ": " .. n .. " of " .. #list)
        assert(client:customers():count() == 42)
        if child == 0 then os.exit(0, place ~= "row 1") end -- both ways to end
        assert(child and wait(child) == 0, "the child failed: " .. place)
        assert(client:customers({ page_size = 3 }):count() == 42) -- its connections live
      end
    ]])
    for _, port in ipairs { "http", "https" } do
      local id = helper.scenario { customers = 42, latency = 0.01, journal = false }
      local base = port == "http" and base_url { customers = 42, latency = 0.01, journal = false }
        or helper.urls(id)
      local out = torture(script, "none", "1 1 1", { AVEPOINT_BASE_URL = base,
        -- another server than the service's, which is connected to meanwhile
        AVEPOINT_TOKEN_URL = port == "http" and base .. "/connect/token"
          or select(2, helper.urls(id, "http1")),
        AVEPOINT_CA_FILE = helper.ca_file,
        ASAN_OPTIONS = "detect_leaks=0" }) -- a child gives up what it has inherited
      assert.matches("^1 runs up to allocation %d+, 0 bad\n$", out)
    end
  end)
end)
