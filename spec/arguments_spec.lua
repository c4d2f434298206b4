-- Every function that can be reached, of the module, of its objects and of the C modules below it,
-- called with what no function expects: each call gives a result or an argument error. The
-- functions are found, not named: whoever adds one has it called here.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local core = require "avepoint.core"
local helper = require "spec.helper"
local hostile = dofile(helper.top .. "/spec/support/hostile.lua")
local signing = select(2, pcall(require, "avepoint.sign"))

local SECOND = 8 -- calls of each function on each object with another argument at random
local MIXED = 60 -- calls of each function with several arguments at random

local values = hostile.values()
local random = hostile.random()

-- Nothing listens there, and one attempt is all.
local function client_options()
  return { base_url = "http://127.0.0.1:1", token_url = "http://127.0.0.1:1/t", client_id = "me",
    access_token = "made-up-token", max_attempts = 1 }
end

local KEY, CERTIFICATE = helper.temporary ".key", helper.temporary ".pem"
assert(os.execute(("openssl req -x509 -subj /CN=avepoint-test -days 30 -nodes -newkey rsa:2048 "
  .. "-keyout %s -out %s 2>/dev/null"):format(KEY, CERTIFICATE)))

-- Objects of all classes, open and closed, made anew: each { name, value }.
local function objects()
  local list = {}
  local function add(name, value, closed)
    list[#list + 1] = { name = name, value = value }
    if closed then
      closed:close()
      list[#list].name = "closed " .. name
    end
  end
  local client, other = avepoint.client(client_options()), avepoint.client(client_options())
  local listing = client:customers()
  add("client", client)
  add("client", other, other)
  add("listing", listing)
  add("filtered listing", client:customers():failed():take(1))
  local ended = client:customers()
  add("listing", ended, ended)
  add("core listing", listing._core)
  add("core listing", ended._core)
  add("listing of a closed client", client:customers())
  local object = core.object(client, { path = "x" })
  add("object", object)
  object = core.object(client, { path = "y" })
  add("object", object, object)
  add("output", assert(core.output(helper.directory .. "/hostile-output")))
  local output = assert(core.output(helper.directory .. "/hostile-output"))
  output:discard()
  add("ended output", output)
  add("error", core.config_error "made up")
  add("key", assert(signing.load { certificate = CERTIFICATE, private_key = KEY,
    now = os.time() }))
  return list
end

-- All functions that can be reached from a value, in tables and metatables, by a name each.
local function find(value, name, found, seen)
  if type(value) == "function" and not seen[value] then
    seen[value] = true
    found[#found + 1] = { name = name, value = value }
  elseif (type(value) == "table" or type(value) == "userdata") and not seen[value] then
    seen[value] = true
    local keys = {}
    for key in next, type(value) == "table" and value or {} do
      if type(key) == "string" then keys[#keys + 1] = key end
    end
    table.sort(keys)
    for _, key in ipairs(keys) do find(rawget(value, key), name .. "." .. key, found, seen) end
    find(getmetatable(value), name .. ":", found, seen)
  end
  return found
end

local function functions()
  local found, seen = {}, {}
  for name, loaded in pairs(package.loaded) do -- Lua's own are not ours
    if not name:find "^avepoint" then seen[loaded] = true end
  end
  seen[_G], seen[getmetatable(io.stdout)] = true, true
  for _, entry in ipairs { { avepoint, "avepoint" }, { core, "core" }, { signing, "sign" },
    { require("avepoint.listing").methods, "listing" } } do
    find(entry[1], entry[2], found, seen)
  end
  for _, object in ipairs(objects()) do
    find(getmetatable(object.value), object.name, found, seen)
    if object.name == "listing" then find(object.value, "listing", found, seen) end
  end
  return found
end

-- Waits as long as it is told: longer than this test.
local function limit(f, n)
  return f == core.poll and type(n) == "number" and n > 0.001 and 0.001 or n
end

local mishaps, calls = {}, 0

-- (Of a private field, whose name begins with _, all that counts is that the process lives.)
local function judge(what, ok, err)
  calls = calls + 1
  if hostile.is_mishap(ok, err) and not what:find "^[^(]*%._"
    and not (what:find "metamethods" and err:find "'format' %(string expected") then
    mishaps[#mishaps + 1] = what .. ": " .. err:sub(1, 200)
  end
end

local function call(f, arguments, n)
  local names, given = {}, {}
  for i = 1, n do
    names[i], given[i] = arguments[i].name, limit(f.value, arguments[i].value)
  end
  -- as a listing's loop would be: what yields, yields here
  local task = coroutine.create(function(...) return f.value(...) end)
  judge(("%s(%s)"):format(f.name, table.concat(names, ", ")),
    coroutine.resume(task, (unpack or table.unpack)(given, 1, n))) -- luacheck: compat
end

local function pick(list)
  return list[random(#list)]
end

local function torment(f)
  local mine = objects()
  call(f, {}, 0)
  for _, value in ipairs(values) do call(f, { value }, 1) end
  for _, self in ipairs(mine) do
    call(f, { self }, 1)
    for _ = 1, SECOND do call(f, { self, pick(values) }, 2) end
  end
  for _ = 1, MIXED do
    local arguments = { random(2) == 1 and pick(mine) or pick(values) }
    local n = random(5)
    for i = 2, n do arguments[i] = random(4) == 1 and pick(mine) or pick(values) end
    call(f, arguments, n)
  end
end

-- luacheck: push ignore 122
-- Runs f while what is shown and logged goes nowhere.
local function silently(f)
  local stdout, stderr = io.stdout, io.stderr
  io.stdout, io.stderr = assert(io.open("/dev/null", "w")), assert(io.open("/dev/null", "w"))
  local ok, err = pcall(f)
  io.stdout, io.stderr = stdout, stderr
  assert(ok, err)
end
-- luacheck: pop

describe("whatever it is called with,", function()
  before_each(function()
    mishaps, calls = {}, 0
  end)

  after_each(function()
    collectgarbage()
    collectgarbage()
  end)

  it("each function gives a result or an argument error", function()
    local found = functions()
    assert.is_true(#found > 100, #found .. " functions were found")
    silently(function()
      for _, f in ipairs(found) do
        torment(f)
      end
    end)
    assert.is_true(calls > 10000, calls .. " calls")
    assert.same({}, mishaps)
  end)
end)
