-- Each option of each call with every type, extreme numbers and tables that lie: it is refused, or
-- what was made works or fails with an error of ours. The options are found, not named; `make asan`
-- runs this too.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"
local hostile = dofile(helper.top .. "/spec/support/hostile.lua")
local options = require "avepoint.options"

local GENERAL = "partner/external/v3/general/customers"
local AT_RANDOM = 400 -- calls with three options at once

local values = hostile.values()
local random = hostile.random()

local id = helper.scenario { customers = 3 }

-- A good client but for these options. Waits are short: some stores never let anybody in.
local function client_of(given)
  local all = helper.options(id, { port = "http", max_attempts = 1, deadline = 0.5,
    user_agent = "queries-of-its-own" }) -- see wire_spec
  for name, value in pairs(given) do all[name] = value end
  for _, name in ipairs { "certificate", "private_key", "certificate_password", "client_assertion",
    "access_token" } do
    if given[name] ~= nil and given.client_secret == nil then all.client_secret = nil end
  end
  return avepoint.client(all)
end

local sink = { write = function() end }

-- The calls that take options: { list of these, function(options) }.
local calls = {
  client = { options.client, function(given)
    local client = client_of(given)
    assert(type(tostring(client)) == "string")
    local ok, err = pcall(function() return client:customers({ page_size = 2 }):collect() end)
    client:close()
    if not ok then error(err, 0) end
  end },
  customers = { options.listing, function(given)
    local client = client_of {}
    local list = client:customers(given)
    assert(type(list:position()) == "string")
    local ok, err = pcall(list.collect, list)
    list:close()
    client:close()
    if not ok then error(err, 0) end
  end },
  list = { options.list, function(given)
    local path = GENERAL .. (given.body ~= nil and "/batch" or "")
    if given.body ~= nil and given.method == nil then given.method = "POST" end
    local client = client_of {}
    local ok, err = pcall(function() return client:list(path, given):collect() end)
    client:close()
    if not ok then error(err, 0) end
  end },
  get = { options.get, function(given)
    client_of({}):get(GENERAL, nil, given)
  end },
  write = { options.write, function(given)
    local client = client_of {}
    for _, format in ipairs { "csv", "json", "jsonl" } do
      client:customers():write(helper.directory .. "/hostile-written", format, given)
    end
  end },
  show = { options.show, function(given)
    avepoint.show(client_of({}):customers(), sink, given)
  end },
  doctor = { options.client, function(given)
    local all = helper.options(id, { port = "http", max_attempts = 1, deadline = 0.5 })
    for name, value in pairs(given) do all[name] = value end
    avepoint.doctor(all, sink)
  end },
}

-- Values that an option takes, and those beside them.
local function fitting(option)
  local list = { option.default, option.min, option.max }
  for _, word in ipairs(option.words or {}) do list[#list + 1] = word end
  if option.min then
    list[#list + 1], list[#list + 2], list[#list + 3] = option.min - 1, option.max + 1, option.min
  end
  return list
end

local function f() end

-- Tables of functions that give nothing, raise, or are of C: stores and drivers.
local function objects()
  local list = {}
  for name, one in pairs { nothing = f, raising = error, c = string.rep, number = math.random,
    closing = function(self) return self:close() end } do
    list[#list + 1] = { name = "object of " .. name,
      value = { get = one, put = one, lock = one, wait = one, write = one } }
  end
  return list
end

describe("with whatever value an option has,", function()
  local mishaps, made

  before_each(function()
    mishaps, made = {}, 0
  end)

  after_each(function()
    collectgarbage()
    collectgarbage()
  end)

  local function try(what, call, given)
    made = made + 1
    local ok, err = pcall(call, given)
    if hostile.is_mishap(ok, err) or not ok and err == nil then
      mishaps[#mishaps + 1] = ("%s: %s"):format(what, tostring(err):sub(1, 200))
    end
  end

  for name, call in pairs(calls) do
    it(("%s gives a result or an error"):format(name), function()
      local known, run = call[1], call[2]
      for _, option in ipairs(known) do
        local what = ("%s, %s = "):format(name, option.name)
        local function give(value, text)
          try(what .. text, run, { [option.name] = value })
        end
        for _, value in ipairs(values) do give(value.value, value.name) end
        for _, value in ipairs(objects()) do give(value.value, value.name) end
        for _, value in pairs(fitting(option)) do give(value, tostring(value)) end
      end
      for _, value in ipairs(values) do
        if value.value ~= nil and value.value == value.value then -- as names of options
          try(name .. " of a name " .. value.name, run, { [value.value] = 1 })
        end
      end
      assert.is_true(made > 50 * #known)
      assert.same({}, mishaps)
    end)

    it(("%s with several gives a result or an error"):format(name), function()
      local known, run = call[1], call[2]
      for _ = 1, AT_RANDOM do
        local given, what = {}, {}
        for i = 1, 3 do
          local option = known[random(#known)]
          local good = fitting(option)
          local one = values[random(#values)]
          local value = #good > 0 and random(2) == 1 and good[random(#good)] or one.value
          given[option.name], what[i] = value, option.name .. " = " .. one.name
        end
        try(name .. ", " .. table.concat(what, ", "), run, given)
      end
      assert.same({}, mishaps)
    end)
  end
end)
