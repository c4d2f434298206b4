-- Scenarios: what one test wants of the service, read once from DIR/scenarios/ID.json, and the
-- state that belongs to it (list, tokens, counters). A scenario that holds an unknown field
-- is refused, since a misspelt fault would let a test pass that tests nothing.
-- SPDX-License-Identifier: MIT
local cjson = require "cjson"
local customers = require "customers"
local faults = require "faults"
local listing = require "listing"
local rawjson = require "rawjson"

local KNOWN = {}
for name in ([[
  comment customers items raw_items status_form page_size_max metadata page_size_shown total
  total_add no_total endpoints latency token_latency token changes changes_every past_end
  empty_as_204 faults journal rate now jobs compress
]]):gmatch("%S+") do KNOWN[name] = true end

local MOST = 1000000
local CHANGES = {
  before = true, requests = true, remove = true, remove_id = true, insert = true, move = true,
}

local settings = {}
local loaded = {}

local M = {}

function M.configure(options)
  settings = options
end

function M.directory()
  return settings.dir
end

local function check_changes(list)
  for _, change in ipairs(list) do
    for name in pairs(change) do
      assert(CHANGES[name], "unknown field in a change: " .. name)
    end
  end
end

local function check(fields)
  for name in pairs(fields) do assert(KNOWN[name], "unknown field: " .. name) end
  local count = fields.customers
  assert(count == nil or type(count) == "number" and count >= 0 and count <= MOST,
    "customers must be a number up to " .. MOST)
  assert(fields.status_form == nil or customers.status_forms[fields.status_form],
    "unknown status_form")
  for _, name in ipairs { "now", "jobs" } do
    assert(fields[name] == nil or type(fields[name]) == "number", name .. " must be a number")
  end
  check_changes(fields.changes or {})
  check_changes { fields.changes_every }
  faults.check(fields.faults or {})
end

local function item_texts(fields, raw)
  if fields.raw_items then return fields.raw_items end
  return fields.items and rawjson.elements(raw.items)
end

-- The text itself where the scenario gives a string, the JSON as written where it gives a value.
local function text_of(value, raw)
  if type(value) == "string" then return value end
  return raw
end

-- Bodies that are to be sent verbatim are cut out of the file, not encoded again.
local function take_texts(fields, raw)
  if fields.token and fields.token.reply then
    local reply = rawjson.members(raw.token).reply
    fields.token.reply_text = text_of(fields.token.reply, reply)
  end
  if not fields.faults then return end
  for n, text in ipairs(rawjson.elements(raw.faults)) do
    fields.faults[n].body = text_of(fields.faults[n].body, rawjson.members(text).body)
  end
end

local function new_scene(id, fields, raw)
  take_texts(fields, raw)
  local scene = fields
  scene.id = id
  scene.path = id and settings.dir .. "/scenarios/" .. id
  scene.list = listing.new(fields.customers or settings.customers, item_texts(fields, raw))
  scene.list_requests = 0
  scene.token = fields.token or {}
  scene.tokens = {}
  scene.tokens_issued = 0
  return scene
end

local function read(id)
  local file = io.open(settings.dir .. "/scenarios/" .. id .. ".json", "rb")
  if not file then return nil, "no scenario " .. id end
  local text = file:read("*a")
  file:close()
  local fields = cjson.decode(text)
  assert(type(fields) == "table", "not an object")
  check(fields)
  return new_scene(id, fields, rawjson.members(text))
end

-- find(id): the scenario, or nil and what is wrong with it; nil as id is the default scenario
function M.find(id)
  local key = id or ""
  if not loaded[key] then
    if not id then
      loaded[key] = new_scene(nil, {}, {})
    else
      local ok, scene, problem = pcall(read, id)
      if not ok then return nil, "scenario " .. id .. ": " .. tostring(scene) end
      if not scene then return nil, problem end
      loaded[key] = scene
    end
  end
  return loaded[key]
end

local function each(value, apply)
  if value == nil then return end
  if type(value) ~= "table" then value = { value } end
  for _, one in ipairs(value) do apply(one) end
end

local function apply_change(list, change)
  each(change.remove, function(place) list:remove(place) end)
  each(change.remove_id, function(id) list:remove_id(id) end)
  each(change.insert, function(place) list:insert(place) end)
  local moves = change.move
  if moves and type(moves[1]) ~= "table" then moves = { moves } end
  each(moves, function(pair) list:move(pair[1], pair[2]) end)
end

-- Counts a request that is about to be answered from the list, and lets happen what the
-- scenario wants to have happened before it.
function M.count_list_request(scene)
  local number = scene.list_requests + 1
  scene.list_requests = number
  for _, change in ipairs(scene.changes or {}) do
    if change.before == number then apply_change(scene.list, change) end
  end
  local steady = scene.changes_every
  if steady and number % steady.requests == 0 then apply_change(scene.list, steady) end
  return number
end

return M
