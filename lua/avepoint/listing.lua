--- Makes listings: lazy, read once. A listing is a callable table; filters (lazy.lua) take one over
-- and return another. All share the cursor of the first, the root, which drives
-- src/bind/listing.c.
--
-- Each listing has a primitive, `_pull`, which returns an item, or nil at the end, or nil and an
-- error.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"
local customer = require "avepoint.customer"
local lazy = require "avepoint.lazy"
local nearest = require "avepoint.nearest"
local problem = require "avepoint.problem"
local pump = require "avepoint.pump"
local settings = require "avepoint.settings"
local show = require "avepoint.show"

local Listing = {}
local meta = { __name = "avepoint.listing" }

local listing = { methods = Listing }

-- root --------------------------------------------------------------------------------------------

local function pull(self)
  return pump.call(self, self._core.next)
end

-- Where the user's functions are called: they hear of a page before a row of it is taken.
local function pull_notifying(self)
  local ready, err = pump.call(self, self._core.ready)
  if ready == nil then
    return nil, err
  end
  return pull(self)
end

--- Makes the listing of a client's customers, one value.
-- @param values the listing's settings (settings.lua)
function listing.new(client, values)
  local state = core.state(client)
  values.body = values.customer_ids and state.encode { customerIds = values.customer_ids } or "{}"
  local reader, wrong = core.listing(client, values)
  if core.is_error(wrong) then
    problem.raise(wrong, state)
  elseif not reader then
    settings.fail_listing(wrong)
  end
  local self = setmetatable({
    _client = client,
    _state = state,
    _core = reader,
    _on_progress = values.on_progress,
    _pages_reported = 0,
    _pull = (values.on_progress or state.on_event) and pull_notifying or pull,
  }, meta)
  self._root = self
  return self
end

-- one item ----------------------------------------------------------------------------------------

local function raise(self, err)
  problem.raise(err, self._root._state)
end

local function cancel(self)
  pump.stop(self._root, self._root._core.cancel)
end

--- The next item, or nil at the end. Raises an error object.
function meta:__call()
  local item, err = self:_pull()
  if err ~= nil then
    raise(self, err)
  end
  return item
end

--- The next item, or nil at the end, or nil and an error object.
function Listing:next()
  lazy.check(self, "next")
  local item, err = self:_pull()
  return item, err and problem.complete(err, self._root._state)
end

-- Leaving a loop cancels what is in flight; the listing can go on afterwards.
meta.__close = cancel

function meta:__tostring()
  local given, total, page, state = self._root._core:progress()
  local chained = self._root == self and "" or ", filtered"
  local of = total and (" of " .. total) or ""
  return ("avepoint.listing (%d%s customers given out, page %d, %s%s)"):format(given, of, page,
    state, chained)
end

lazy.extend(Listing, meta)

-- terminal ----------------------------------------------------------------------------------------

-- Calls f for all that is left. No generic for: on 5.1 it cannot yield, and what is read to the end
-- needs no closing.
local function drain(self, name, f)
  lazy.check(self, name)
  local item = self()
  while item ~= nil do
    f(item)
    item = self()
  end
end

--- All that is left, as a list.
function Listing:collect()
  local list = {}
  drain(self, "collect", function(item)
    list[#list + 1] = item
  end)
  return list
end

--- The next item, or nil. Cancels what is in flight; the listing can go on.
function Listing:first()
  lazy.check(self, "first")
  lazy.expect(self, 1)
  local item, err = self:_pull()
  cancel(self)
  lazy.expect(self, nil)
  if err ~= nil then
    raise(self, err)
  end
  return item
end

--- How many are left.
function Listing:count()
  local n = 0
  drain(self, "count", function()
    n = n + 1
  end)
  return n
end

--- Calls f(item) for each.
function Listing:each(f)
  lazy.check(self, "each")
  lazy.check_function(f, "each")
  drain(self, "each", f)
end

-- On customers as they come a field that is unknown is a typo; what `map` returns may have any.
local function check_field(self, field, name)
  lazy.check(self, name)
  if type(field) ~= "string" then
    problem.misuse("listing:%s takes the name of a field", name)
  elseif not self._mapped then
    customer.check_field(field, "listing:" .. name)
  end
end

-- The value to group by: false if it is absent or cjson's null.
local function key_of(item, field)
  local value
  if type(item) == "table" then
    value = item[field]
  end
  if value == nil or type(value) == "userdata" then
    return false
  end
  return value
end

--- Lists of items by the value of a field; those without it are under false.
function Listing:group_by(field)
  check_field(self, field, "group_by")
  local groups = {}
  drain(self, "group_by", function(item)
    local key = key_of(item, field)
    groups[key] = groups[key] or {}
    table.insert(groups[key], item)
  end)
  return groups
end

--- Numbers of items by the value of a field; those without it are under false.
function Listing:count_by(field)
  check_field(self, field, "count_by")
  local counts = {}
  drain(self, "count_by", function(item)
    local key = key_of(item, field)
    counts[key] = (counts[key] or 0) + 1
  end)
  return counts
end

--- The items by the value of a field; of several with the same value the last, those without it
-- left out.
function Listing:index_by(field)
  check_field(self, field, "index_by")
  local index = {}
  drain(self, "index_by", function(item)
    local key = key_of(item, field)
    if key ~= false then
      index[key] = item
    end
  end)
  return index
end

--- Prints what is left as a table for reading.
-- @param file where to; io.stdout if it is left out
function Listing:show(file)
  lazy.check(self, "show")
  show.list(self:collect(), file)
end

-- about the whole listing -------------------------------------------------------------------------

local function root_of(self, name)
  lazy.check(self, name)
  return self._root
end

--- Iterates page by page: a list of customers, the page's metadata.
function Listing:pages()
  if self ~= root_of(self, "pages") then
    problem.misuse "listing:pages works on an unfiltered listing only"
  end
  return function()
    local list, more = pump.call(self, self._core.ready) -- the user's functions hear of it first
    if list ~= nil then
      list, more = pump.call(self, self._core.page)
    end
    if list == nil and more ~= nil then
      raise(self, more)
    end
    return list, more
  end
end

--- The server's count of all customers, or nil if it gives none. Fetches the first page if need be
-- and keeps it.
function Listing:total()
  local root = root_of(self, "total")
  local total, err = pump.call(root, root._core.total)
  pump.notify(root)
  if err ~= nil then
    raise(self, err)
  end
  return total
end

--- Where this listing stands, as a string for the option `resume`; also after it was closed.
function Listing:position()
  return root_of(self, "position")._core:position()
end

--- What it has cost: requests, retries, pages, bytes, seconds, went_back, readings, missing; also
-- after it was closed.
function Listing:stats()
  return root_of(self, "stats")._core:stats()
end

--- Ends the listing; asking for more afterwards raises `closed`.
function Listing:close()
  local root = root_of(self, "close")
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
  display = "show", cancel = "close", stop = "close", resume = "position", cursor = "position",
}

local function nearest_method(key)
  local names = {}
  for name in pairs(Listing) do
    names[#names + 1] = name
  end
  table.sort(names)
  return OTHER_NAMES[key:lower()] or nearest(key, names)
end

local NOT_A_LIST = "a listing is read as it comes and is no list: listing:count() counts what is "
  .. "left, listing:collect() makes a list of it"

function meta.__index(_, key)
  local method = Listing[key]
  if method ~= nil then
    return method
  elseif type(key) == "number" then
    problem.misuse(NOT_A_LIST)
  elseif type(key) == "string" and key:sub(1, 1) ~= "_" then
    local near = nearest_method(key)
    problem.misuse("a listing has no method '%s'%s", key,
      near and (": did you mean listing:%s(...)?"):format(near) or "")
  end
end

local function refuse()
  problem.misuse(NOT_A_LIST)
end

meta.__len, meta.__pairs, meta.__ipairs = refuse, refuse, refuse

return listing
