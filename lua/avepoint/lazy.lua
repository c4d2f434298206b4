--- The lazy methods of listings (filter, map, take, in_country, ...): each takes the listing over
-- and returns another one. where.lua compares the fields.
-- SPDX-License-Identifier: MIT

local customer = require "avepoint.customer"
local problem = require "avepoint.problem"
local where = require "avepoint.where"

local methods = {}
local lazy = { methods = methods }

--- Returns whether a value is a listing.
function lazy.is_listing(value)
  local meta = type(value) == "table" and getmetatable(value)
  return type(meta) == "table" and rawget(meta, "__name") == "avepoint.listing"
end

-- Returns the listing that takes `source` over. All fields are there from the start: storing into
-- them needs no memory, so that no row is lost for want of it.
local function derive(source, fields)
  fields._source = source
  fields._root = source._root
  fields._mapped = fields._mapped or source._mapped
  fields._any_field = fields._mapped or source._any_field
  return setmetatable(fields, getmetatable(source))
end

local function pull_map(self)
  local item, err = self._source:_pull()
  while item ~= nil do
    local result = self._f(item)
    if result ~= nil then
      return result
    end
    item, err = self._source:_pull()
  end
  return nil, err
end

local function pull_filter(self)
  local item, err = self._source:_pull()
  while item ~= nil and not self._f(item) do
    item, err = self._source:_pull()
  end
  return item, err
end

--- Tells the root how many items will be pulled at most, if that is known: it then asks for no page
-- that is not needed. A filter between makes it unknown.
-- @param n the number that will be pulled from this listing; nil: unknown
function lazy.expect(self, n)
  while self ~= self._root do
    n = self._expect and self:_expect(n)
    self = self._source
  end
  self._core:need(n)
end

-- How many a `take` and a `skip` pull from their source, for n that are pulled from them.
local function expect_take(self, n)
  return n and math.min(n, self._left) or self._left
end

local function expect_skip(self, n)
  return n and n + self._left
end

local function pull_take(self)
  if self._left <= 0 then
    return nil
  end
  local item, err = self._source:_pull()
  if item ~= nil then
    self._left = self._left - 1
  end
  if self._left <= 0 then
    lazy.expect(self._source, nil)
  end
  return item, err
end

local function pull_skip(self)
  while self._left > 0 do
    local item, err = self._source:_pull()
    if item == nil then
      return nil, err
    end
    self._left = self._left - 1
  end
  return self._source:_pull()
end

--- Raises unless f can be called.
function lazy.check_function(f, name)
  local mt = getmetatable(f)
  if type(f) ~= "function" and not (type(mt) == "table" and mt.__call) then
    problem.misuse("listing:%s takes a function, not %s", name, type(f))
  end
end

local function check_count(n, name)
  if type(n) ~= "number" or n < 0 or n > 2 ^ 53 or n % 1 ~= 0 then
    problem.misuse("listing:%s takes a whole number from 0 to 2^53", name)
  end
end

local function filter(self, f)
  return derive(self, { _f = f, _pull = pull_filter })
end

--- Only the items for which f(item) is true.
function methods:filter(f)
  lazy.check_function(f, "filter")
  return filter(self, f)
end

--- f(item) in place of each item; nil drops it.
function methods:map(f)
  lazy.check_function(f, "map")
  return derive(self, { _f = f, _pull = pull_map, _mapped = true })
end

--- The first n items at most.
function methods:take(n)
  check_count(n, "take")
  local taken = derive(self, { _left = n, _pull = pull_take, _expect = expect_take })
  lazy.expect(taken, nil)
  return taken
end

--- All but the first n items.
function methods:skip(n)
  check_count(n, "skip")
  return derive(self, { _left = n, _pull = pull_skip, _expect = expect_skip })
end

--- Only items whose fields have these values; see doc/listing.md.
function methods:where(fields)
  return filter(self, where.matcher(fields, "listing:where", not self._root._customers))
end

-- Raises on a listing of anything else.
local function check_customers(self, name)
  if not self._root._customers then
    problem.misuse("listing:%s is for customers: on this list write listing:where or "
      .. "listing:filter", name)
  end
end

--- Only customers whose last job failed.
function methods:failed()
  check_customers(self, "failed")
  return filter(self, where.matcher({ jobStatus = "Failed" }, "listing:failed"))
end

--- All customers but those that have nothing to do (N/A) or are at work: a status that is missing
-- or unknown needs attention too.
function methods:needs_attention()
  check_customers(self, "needs_attention")
  return filter(self, function(c)
    local code = customer.status_code(c)
    return code ~= 0 and code ~= 1
  end)
end

-- A filter for one field; a missing value must not match everybody.
local function filter_field(self, name, field, wanted)
  check_customers(self, name)
  if wanted == nil or type(wanted) == "table" and wanted[1] == nil then
    problem.misuse("listing:%s takes at least one value", name)
  end
  return filter(self, where.matcher({ [field] = wanted }, "listing:" .. name))
end

--- Only customers with one of these statuses.
function methods:with_status(...)
  return filter_field(self, "with_status", "jobStatus", { ... })
end

--- Only customers in one of these countries or regions.
function methods:in_country(...)
  return filter_field(self, "in_country", "countryOrRegion", { ... })
end

--- Only customers managed by "partner" or "customer".
function methods:managed_by(who)
  return filter_field(self, "managed_by", "managementMode", who)
end

--- Only customers with a tenant of this id or name.
function methods:with_tenant(id_or_name)
  return filter_field(self, "with_tenant", "tenants", id_or_name)
end

--- Only items that have the text, in whatever case, in any of their texts.
function methods:search(text)
  if type(text) ~= "string" then
    problem.misuse("listing:search takes a text, not %s", type(text))
  end
  local wanted = text:lower()
  local words = self._root._customers and customer.words or where.words
  return filter(self, function(item)
    return words(item):find(wanted, 1, true) ~= nil
  end)
end

return lazy
