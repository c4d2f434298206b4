--- Adds the lazy methods (filter, map, take, in_country, ...) to listings: each takes the listing
-- over and returns another one. where.lua compares the fields.
-- SPDX-License-Identifier: MIT

local customer = require "avepoint.customer"
local problem = require "avepoint.problem"
local where = require "avepoint.where"

local lazy = {}
local methods = {}

local meta -- of listings

--- Raises unless self is a listing: a method was called with a dot.
function lazy.check(self, name)
  if getmetatable(self) ~= meta then
    problem.misuse("listing.%s: write it with a colon, listing:%s(...)", name, name)
  end
end

-- All fields are there from the start: storing into them needs no memory, so that no row is lost
-- for want of it.
local function derive(source, name, fields)
  lazy.check(source, name)
  fields._source = source
  fields._root = source._root
  fields._mapped = fields._mapped or source._mapped
  return setmetatable(fields, meta)
end

local function pull_filter(self)
  local item, err
  repeat
    item, err = self._source:_pull()
  until item == nil or self._f(item)
  return item, err
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

--- Tells the root how many items will be pulled at most, if that is known: it then asks for no page
-- that is not needed. A filter between makes it unknown.
function lazy.expect(self, n)
  if self == self._root then
    self._core:need(n)
  elseif self._expect then
    self:_expect(n)
  else
    lazy.expect(self._source, nil)
  end
end

local function expect_take(self, n)
  lazy.expect(self._source, n and math.min(n, self._left) or self._left)
end

local function expect_skip(self, n)
  lazy.expect(self._source, n and n + self._left)
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
  if type(n) ~= "number" or n < 0 or n % 1 ~= 0 then
    problem.misuse("listing:%s takes a whole number, 0 or more", name)
  end
end

local function filter(self, name, f)
  return derive(self, name, { _f = f, _pull = pull_filter })
end

--- Only the items for which f(item) is true.
function methods:filter(f)
  lazy.check(self, "filter")
  lazy.check_function(f, "filter")
  return filter(self, "filter", f)
end

--- f(item) in place of each item; nil drops it.
function methods:map(f)
  lazy.check(self, "map")
  lazy.check_function(f, "map")
  return derive(self, "map", { _f = f, _pull = pull_map, _mapped = true })
end

--- The first n items at most.
function methods:take(n)
  lazy.check(self, "take")
  check_count(n, "take")
  local taken = derive(self, "take", { _left = n, _pull = pull_take, _expect = expect_take })
  lazy.expect(taken, nil)
  return taken
end

--- All but the first n items.
function methods:skip(n)
  lazy.check(self, "skip")
  check_count(n, "skip")
  return derive(self, "skip", { _left = n, _pull = pull_skip, _expect = expect_skip })
end

--- Only customers whose fields have these values; see the README.
function methods:where(fields)
  lazy.check(self, "where")
  return filter(self, "where", where.matcher(fields, "listing:where"))
end

--- Only customers whose last job failed.
function methods:failed()
  return filter(self, "failed", function(c)
    return customer.status_code(c) == 2
  end)
end

--- All customers but those that have nothing to do (N/A) or are at work: a status that is missing
-- or unknown needs attention too.
function methods:needs_attention()
  return filter(self, "needs_attention", function(c)
    local code = customer.status_code(c)
    return code ~= 0 and code ~= 1
  end)
end

-- A filter for one field; a missing value must not match everybody.
local function filter_field(self, name, field, wanted)
  lazy.check(self, name)
  if wanted == nil or type(wanted) == "table" and wanted[1] == nil then
    problem.misuse("listing:%s takes at least one value", name)
  end
  return filter(self, name, where.matcher({ [field] = wanted }, "listing:" .. name))
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

--- Only customers that have the text, in whatever case, in any of their texts.
function methods:search(text)
  lazy.check(self, "search")
  if type(text) ~= "string" then
    problem.misuse("listing:search takes a text, not %s", type(text))
  end
  local wanted = text:lower()
  return filter(self, "search", function(c)
    return customer.words(c):find(wanted, 1, true) ~= nil
  end)
end

--- Adds the methods to the class of listings.
function lazy.extend(class, metatable)
  meta = metatable
  for name, method in pairs(methods) do
    class[name] = method
  end
end

return lazy
