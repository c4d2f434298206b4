--- Makes listings: lazy, read once. A listing is a callable table; filters (lazy.lua) take one over
-- and return another. All share the cursor of the first, the root, which drives
-- src/bind/listing.c.
--
-- Each listing has a primitive, `_pull`, which returns an item, or nil at the end, or nil and an
-- error.
-- SPDX-License-Identifier: MIT

local compat = require "avepoint.compat"
local core = require "avepoint.core"
local customer = require "avepoint.customer"
local lazy = require "avepoint.lazy"
local nearest = require "avepoint.nearest"
local problem = require "avepoint.problem"
local pump = require "avepoint.pump"
local reads = require "avepoint.reads"

local Listing = lazy.methods
local meta = { __name = "avepoint.listing" }

local listing = { methods = {} }

-- root --------------------------------------------------------------------------------------------

-- Where the user's functions are called: they hear of a page before a row of it is taken.
local function pull_notifying(self)
  local ready, err = pump.call(self, self._core.ready)
  if ready == nil then
    return nil, err
  end
  return pump.call(self, self._next)
end

--- Makes a listing, one value.
-- @param values its settings (reads.lua)
function listing.new(client, values)
  local state = core.state(client)
  reads.encode(values, state)
  local reader, wrong = core.listing(client, values)
  if core.is_error(wrong) then
    problem.raise(wrong, state)
  elseif not reader then
    reads.fail(values, wrong)
  end
  local self = setmetatable({
    _client = client,
    _state = state,
    _core = reader,
    _next = reader.next,
    _on_progress = values.on_progress,
    _bar = values.on_progress and pump.bars[values.on_progress],
    _keeps_bar = false, -- whether all rows go to a loop of ours
    _customers = values.customers, -- nil: rows of another list
    _any_field = not values.customers,
    _pages_reported = 0,
    _pull = (values.on_progress or state.on_event) and pull_notifying or pump.next,
  }, meta)
  self._root = self
  pump.add(self)
  return self
end

-- one item ----------------------------------------------------------------------------------------

-- Returns the value, or raises the error.
local function value_of(self, value, err)
  if value == nil and err ~= nil then
    problem.raise(err, self._root._state)
  end
  return value, err
end

local function cancel(self)
  pump.stop(self._root, self._root._core.cancel)
end

--- The next item, or nil at the end. Raises an error object.
function meta:__call()
  local item, err = self:_pull()
  if item == nil and err ~= nil then
    problem.raise(err, self._root._state)
  end
  return item
end

--- The next item, or nil at the end, or nil and an error object.
function Listing:next()
  local item, err = self:_pull()
  return item, err and problem.complete(err, self._root._state)
end

-- Leaving a loop cancels what is in flight; the listing can go on afterwards.
meta.__close = cancel

function meta:__tostring()
  local given, total, page, state = self._root._core:progress()
  local chained = self._root == self and "" or ", filtered"
  local of = total and (" of " .. total) or ""
  local rows = self._root._customers and "customers" or "rows"
  return ("avepoint.listing (%d%s %s given out, page %d, %s%s)"):format(given, of, rows,
    page, state, chained)
end

-- terminal ----------------------------------------------------------------------------------------

--- Calls f(item) for all that is left. No generic for: on 5.1 it cannot yield, and what is read to
-- the end needs no closing.
local function each(self, f)
  local item = self()
  while item ~= nil do
    f(item)
    item = self()
  end
end

-- The same with an f of ours, which prints nothing.
local function drain(self, f)
  self._root._keeps_bar = true
  each(self, f)
end

--- All that is left, as a list.
function Listing:collect()
  local list = {}
  drain(self, function(item)
    list[#list + 1] = item
  end)
  return list
end

--- The next item, or nil. Cancels what is in flight; the listing can go on.
function Listing:first()
  lazy.expect(self, 1)
  local item, err = self:_pull()
  cancel(self)
  lazy.expect(self, nil)
  return (value_of(self, item, err))
end

--- How many are left.
function Listing:count()
  local n = 0
  drain(self, function()
    n = n + 1
  end)
  return n
end

--- Calls f(item) for each.
function Listing:each(f)
  lazy.check_function(f, "each")
  each(self, f)
end

-- The value to group by, or nil if it is absent or cjson's null.
local function key_of(item, field)
  if type(item) ~= "table" or type(item[field]) == "userdata" then
    return nil
  end
  return item[field]
end

-- Calls add(result, key, item) for all that is left and returns the result; `absent` is the key of
-- what has no value, nil to leave it out. On customers as they come an unknown field is a typo;
-- what `map` returns may have any.
local function collect_by(self, field, name, absent, add)
  if type(field) ~= "string" then
    problem.misuse("listing:%s takes the name of a field", name)
  elseif not self._any_field then
    customer.check_field(field, "listing:" .. name)
  end
  local result = {}
  drain(self, function(item)
    local key = key_of(item, field)
    if key == nil then
      key = absent
    end
    if key ~= nil then
      add(result, key, item)
    end
  end)
  return result
end

--- Lists of items by the value of a field; those without it are under false.
function Listing:group_by(field)
  return collect_by(self, field, "group_by", false, function(groups, key, item)
    groups[key] = groups[key] or {}
    table.insert(groups[key], item)
  end)
end

--- Numbers of items by the value of a field; those without it are under false.
function Listing:count_by(field)
  return collect_by(self, field, "count_by", false, function(counts, key)
    counts[key] = (counts[key] or 0) + 1
  end)
end

--- The items by the value of a field; of several with the same value the last, those without it
-- left out.
function Listing:index_by(field)
  return collect_by(self, field, "index_by", nil, function(index, key, item)
    index[key] = item
  end)
end

--- Prints what is left as a table for reading.
-- @param file where to; nil: io.stdout
-- @param given options: `columns`
function Listing:show(file, given)
  local show = assert(compat.require "avepoint.show")
  local out = show.open(file, given, "listing:show")
  for _, field in ipairs(not self._any_field and out.wanted or {}) do
    customer.check_field(field, "listing:show")
  end
  show.list(out, self:collect())
end

--- Writes what is left to a file; see write.lua.
function Listing:write(...)
  return assert(compat.require "avepoint.write")(self, ...)
end

-- about the whole listing -------------------------------------------------------------------------

--- Iterates page by page: a list of customers, the page's metadata.
function Listing:pages()
  if self ~= self._root then
    problem.misuse "listing:pages works on an unfiltered listing only"
  end
  return function()
    local list, more = pump.call(self, self._core.ready) -- the user's functions hear of it first
    if list ~= nil then
      list, more = pump.call(self, self._core.page)
    end
    return value_of(self, list, more)
  end
end

--- The server's count of all customers, or nil if it gives none. Fetches the first page if need be
-- and keeps it.
function Listing:total()
  local root = self._root
  local total, err = pump.call(root, root._core.total)
  pump.notify(root)
  return (value_of(self, total, err))
end

--- Where this listing stands, as a string for the option `resume`; also after it was closed.
function Listing:position()
  return self._root._core:position()
end

--- What it has cost: requests, retries, pages, bytes, seconds, went_back, readings, missing; also
-- after it was closed.
function Listing:stats()
  return self._root._core:stats()
end

--- Ends the listing; asking for more afterwards raises `closed`.
function Listing:close()
  local root = self._root
  pump.stop(root, root._core.close)
end

-- wrong use ---------------------------------------------------------------------------------------

-- What people call these methods elsewhere.
local OTHER_NAMES = {
  all = "collect", to_list = "collect", tolist = "collect", list = "collect", totable = "collect",
  to_table = "collect", limit = "take", head = "take", top = "take", offset = "skip", drop = "skip",
  len = "count", length = "count", size = "count", filter_by = "where", find = "where",
  find_by = "where", select = "filter", foreach = "each", for_each = "each", transform = "map",
  grep = "search", contains = "search", group = "group_by", tally = "count_by", print = "show",
  display = "show", save = "write", export = "write", dump = "write", to_csv = "write",
  to_json = "write", cancel = "close", stop = "close", resume = "position", cursor = "position",
}

local function nearest_method(key)
  local names = {}
  for name in pairs(Listing) do
    names[#names + 1] = name
  end
  table.sort(names)
  return OTHER_NAMES[key:lower()] or nearest(key, names)
end

local function refuse()
  problem.misuse("a listing is read as it comes and is no list: listing:count() counts what is "
    .. "left, listing:collect() makes a list of it")
end

meta.__len, meta.__pairs, meta.__ipairs = refuse, refuse, refuse

function meta.__index(_, key)
  local method = listing.methods[key]
  if method ~= nil then
    return method
  elseif type(key) == "number" then
    refuse()
  elseif type(key) == "string" and key:sub(1, 1) ~= "_" then
    local near = nearest_method(key)
    problem.misuse("a listing has no method '%s'%s", key,
      near and (": did you mean listing:%s(...)?"):format(near) or "")
  end
end

-- A method that was called with a dot gets no listing. The checked methods have a table of their
-- own: if memory runs out here, this file is loaded again and must not wrap a method twice.
for name, method in pairs(Listing) do
  listing.methods[name] = function(self, ...)
    if getmetatable(self) ~= meta then
      problem.misuse("listing.%s: write it with a colon, listing:%s(...)", name, name)
    end
    return method(self, ...)
  end
end

return listing
