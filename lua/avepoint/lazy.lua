--- The lazy methods of listings: each takes the listing over and gives another one.
--
-- A row whose function raises is held and looked at again by the next call, so that nothing is
-- lost to a user's error.
-- SPDX-License-Identifier: MIT

local compat = require "avepoint.compat"
local customer = require "avepoint.customer"
local where = require "avepoint.where"

local lazy = {}
local methods = {}

local meta -- of listings

-- All fields are there from the start: storing into them needs no memory, so that none is lost for
-- want of it.
local function derive(source, fields)
  fields._source = source
  fields._root = source._root
  fields._item, fields._holds, fields._settled = false, false, 0
  return setmetatable(fields, meta)
end

--- The held item is given out: here, or by the root that was asked past us.
function lazy.settle(self)
  self._settled = self._settled + 1
  self._item, self._holds, self._root._holder = false, false, false
end

-- Applies f to the next item of the source; the item is held while f runs, and after that where f
-- raises. Whoever asks meanwhile, f itself for one, gets it: then it is not given here again.
local function apply(self)
  local item = self._item
  if not self._holds then
    local err
    item, err = self._source:_pull()
    if item == nil then
      return nil, nil, err
    end
  end
  local root, settled = self._root, self._settled
  self._item, self._holds, root._holder = item, true, self
  local result = self._f(item)
  if self._settled ~= settled then
    return item, nil
  end
  lazy.settle(self)
  return item, result
end

local function pull_filter(self)
  while true do
    local item, keep, err = apply(self)
    if item == nil or keep then
      return item, err
    end
  end
end

local function pull_map(self)
  while true do
    local item, result, err = apply(self)
    if item == nil then
      return nil, err
    elseif result ~= nil then
      return result
    end
  end
end

--- Tells the root how many items will be pulled at most, where that is known: it then asks for no
-- page that nobody needs. A filter between makes it unknown.
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

--- Raises, at the caller's caller, where f is nothing to call.
function lazy.check_function(f, what)
  local mt = getmetatable(f)
  if type(f) ~= "function" and not (type(mt) == "table" and mt.__call) then
    error(("listing:%s takes a function, not %s"):format(what, type(f)), 3)
  end
end

local function check_count(n, what)
  if type(n) ~= "number" or n < 0 or n % 1 ~= 0 then
    error(("listing:%s takes a whole number, 0 or more"):format(what), 3)
  end
end

local function filter(self, f)
  return compat.results(derive(self, { _f = f, _pull = pull_filter }))
end

--- Only the items for which f(item) is true.
function methods:filter(f)
  lazy.check_function(f, "filter")
  return filter(self, f)
end

--- f(item) in place of each item; nil drops it.
function methods:map(f)
  lazy.check_function(f, "map")
  return compat.results(derive(self, { _f = f, _pull = pull_map }))
end

--- The first n items at most.
function methods:take(n)
  check_count(n, "take")
  local taken = derive(self, { _left = n, _pull = pull_take, _expect = expect_take })
  lazy.expect(taken, nil)
  return compat.results(taken)
end

--- All but the first n items.
function methods:skip(n)
  check_count(n, "skip")
  return compat.results(derive(self, { _left = n, _pull = pull_skip, _expect = expect_skip }))
end

--- Only customers whose fields have these values; see the README.
function methods:where(fields)
  local matches = where.matcher(fields, "listing:where", 2)
  return filter(self, matches)
end

--- Only customers whose last job failed.
function methods:failed()
  return filter(self, function(c)
    return customer.status_code(c) == 2
  end)
end

--- All customers but those that have nothing to do (N/A) or are at work: a status that is missing
-- or that nobody knows needs attention too.
function methods:needs_attention()
  return filter(self, function(c)
    local code = customer.status_code(c)
    return code ~= 0 and code ~= 1
  end)
end

-- A filter for one field; a missing value must not match everybody.
local function filter_field(self, what, field, wanted)
  if wanted == nil or type(wanted) == "table" and wanted[1] == nil then
    error(("listing:%s takes at least one value"):format(what), 3)
  end
  local matches = where.matcher({ [field] = wanted }, "listing:" .. what, 3)
  return derive(self, { _f = matches, _pull = pull_filter })
end

--- Only customers with one of these statuses.
function methods:with_status(...)
  local made = filter_field(self, "with_status", "jobStatus", { ... })
  return compat.results(made)
end

--- Only customers in one of these countries or regions.
function methods:in_country(...)
  local made = filter_field(self, "in_country", "countryOrRegion", { ... })
  return compat.results(made)
end

--- Only customers managed by "partner" or "customer".
function methods:managed_by(who)
  local made = filter_field(self, "managed_by", "managementMode", who)
  return compat.results(made)
end

--- Only customers with a tenant of this id or name.
function methods:with_tenant(id_or_name)
  local made = filter_field(self, "with_tenant", "tenants", id_or_name)
  return compat.results(made)
end

--- Only customers that have the text, in whatever case, in organization, ownerEmail, ids or tenant
-- names.
function methods:search(text)
  if type(text) ~= "string" then
    error("listing:search takes a text", 2)
  end
  local wanted = text:lower()
  return filter(self, function(c)
    return customer.contains(c, wanted)
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
