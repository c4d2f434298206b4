--- Lists that change while they are read, for the specs of drift and readings: reading one, and
-- what must hold of what was read.
-- SPDX-License-Identifier: MIT

local assert = require "luassert"
local helper = require "spec.helper"

local moving = { total = 23, size = 5 }

-- The ids that the simulator generates for so many customers.
local initial = {}
local function initial_ids(total)
  initial[total] = initial[total]
    or helper.ids(helper.client({ customers = total }):customers():collect())
  return initial[total]
end

local function set_of(ids)
  local set = {}
  for _, id in ipairs(ids) do set[id] = true end
  return set
end
moving.set_of = set_of

--- Reads a changing list: ids yielded, the error at the end, stats, the scenario's id, the client.
function moving.read(fields, options, more)
  fields.customers = fields.customers or moving.total
  options.page_size = options.page_size or moving.size
  options.concurrency = options.concurrency or 1
  local client, id = helper.client(fields, more)
  local listing, ids = client:customers(options), {}
  local customer, err = listing:next()
  while customer do
    ids[#ids + 1] = customer.id
    customer, err = listing:next()
  end
  return ids, err, listing:stats(), id, client
end

--- Fails where an id came twice; gives the set of them.
function moving.assert_once(ids)
  local seen = {}
  for _, id in ipairs(ids) do
    assert.is_nil(seen[id], "twice: " .. id)
    seen[id] = true
  end
  return seen
end

--- What was there from first to last was yielded, and nothing twice. Who was added in the part
-- already read is not met again.
-- @param total customers at the beginning
function moving.assert_nothing_lost(ids, client, total)
  local seen = moving.assert_once(ids)
  local final = set_of(helper.ids(client:customers({ drift = "ignore" }):collect()))
  for _, id in ipairs(initial_ids(total or moving.total)) do
    assert.is_true(seen[id] or not final[id], "lost: " .. id)
  end
end

return moving
