--- What spec/c/torture.c runs: reads a list while memory runs out at one place, then goes on. No
-- customer may be lost or come twice, and the error must say `memory`. While allocations may fail,
-- this script makes none that it could not do without.
-- SPDX-License-Identifier: MIT
-- luacheck: read globals arm disarm

local COUNT = 12
local way = os.getenv "TORTURE_WAY"
local base = os.getenv "AVEPOINT_BASE_URL"

local function options()
  return { base_url = base, token_url = os.getenv "AVEPOINT_TOKEN_URL" or base .. "/connect/token",
    client_id = "demo-client", client_secret = "demo-secret", max_attempts = 2, endpoint = "get" }
end

-- Loading, clients, argument errors, no network.
local function prepare()
  local avepoint = require "avepoint"
  local client = avepoint.client(options())
  local listing = client:customers { page_size = 5 }
  pcall(avepoint.client, { nonsense = 1 })
  pcall(client.customers, client, { customer_ids = { "a", "b" }, endpoint = "get" })
  client:customers { customer_ids = { "a", "b" }, endpoint = "batch" }
  tostring(listing:failed():take(3))
  client:close()
end

local function torture_loading()
  arm()
  local ok, err = pcall(prepare)
  disarm()
  assert(ok or tostring(err):find("memory", 1, true), tostring(err))
  for name, loaded in pairs(package.loaded) do -- Lua 5.1 never tries again what failed to load
    if type(loaded) == "userdata" then
      package.loaded[name] = nil
    end
  end
  prepare()
end

if way == "load" then
  torture_loading()
  return
end

local avepoint = require "avepoint"

local function pass(...)
  return ...
end

local function yes()
  return true
end

local secret = "demo-secret"
local client_options = options()
if way == "event" then
  client_options.on_event = pass
elseif way == "secret" then
  client_options.client_secret = function()
    return secret
  end
end
local client = avepoint.client(client_options)
local listing_options = { page_size = 5, on_progress = way == "progress" and pass or nil }

local function make(resume)
  listing_options.resume = resume
  local made = client:customers(listing_options)
  if way == "filter" then
    made = made:filter(yes):map(pass):skip(0):take(100)
  end
  return made
end

local ids, got = {}, 0
for i = 1, 2 * COUNT do ids[i] = false end

local function take(customer)
  got = got + 1
  ids[got] = customer.id
end

local errors = 0
local oddity

local MEMORY = "not enough memory"
local function note(err)
  errors = errors + 1
  local known = err == MEMORY or type(err) == "table" and (err.kind == "memory"
    or err.kind == "protocol" and err.code ~= nil -- libcurl's, when it cannot decompress
    or err.kind == "limit" and err.code == 27) -- its word for too long a header line, too
  if not known then oddity = err end
end

local listing, pages, place, resumed

local function turn()
  listing = listing or make()
  if way == "pages" then
    pages = pages or listing:pages()
    local list = pages()
    for i = 1, list and #list or 0 do take(list[i]) end
    return list
  elseif way == "resume" and got == 7 and not resumed then -- goes on with another listing
    place = place or listing:position()
    listing = make(place)
    resumed = true
  end
  return listing()
end

-- Reads to the end, going on after errors.
local function read()
  local ok, item
  arm()
  repeat
    ok, item = pcall(turn)
    if not ok then
      note(item)
    elseif item ~= nil and way ~= "pages" then
      take(item)
    end
  until ok and item == nil or errors > 10 or oddity
  disarm()
end

local function check()
  local seen = {}
  assert(oddity == nil, tostring(oddity))
  for i = 1, got do
    assert(not seen[ids[i]], "a customer comes twice")
    seen[ids[i]] = true
  end
  assert(got == COUNT, ("%d customers, %d errors"):format(got, errors))
end

read()
check()
