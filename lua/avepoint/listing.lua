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
local driver = require "avepoint.driver"
local lazy = require "avepoint.lazy"
local nearest = require "avepoint.nearest"
local problem = require "avepoint.problem"
local pump = require "avepoint.pump"
local settings = require "avepoint.settings"
local show = require "avepoint.show"
local store = require "avepoint.store"

local Listing = {}
local meta = { __name = "avepoint.listing" }

local listing = { methods = Listing }

-- root --------------------------------------------------------------------------------------------

local MEMORY = "not enough memory" -- Lua's own message

local function is_busy(self)
  local other = pump.waiting[self]
  return other ~= nil and other ~= compat.running() and compat.is_alive(other)
end

-- A second coroutine must not mix in where one waits. One that was dropped in its wait waits no
-- more, but only the collector knows of it.
local function check_busy(self)
  if is_busy(self) then
    collectgarbage()
    if is_busy(self) then
      problem.misuse "this listing is busy: another coroutine waits on it"
    end
  end
end

local function report_progress(self)
  local _, total, _, _, pages, received = self._core:progress()
  if pages ~= self._pages_reported then
    self._pages_reported = pages
    self._on_progress(received, total)
  end
end

-- Calls the user's on_event and on_progress, which may raise, or ask this very listing for more: so
-- no row has been taken yet.
local function notify(self)
  pump.events(self._client, self._state)
  if self._on_progress then
    report_progress(self)
  end
end

-- Leaves nothing in flight; the listing can go on.
local function cancel(self)
  self._core:cancel()
  driver.wake(self._client)
  store.leave(self._client, self._state)
end

-- What was raised while we waited, as the error to return; raises what is not ours.
local function error_of_wait(self, err)
  if err == MEMORY or core.is_error(err) and err.kind == "memory" then
    return core.memory_error
  elseif err == driver.CANCELLED or err == driver.INTERRUPTED then
    cancel(self) -- the user has ended the wait
  else
    driver.wake(self._client) -- what failed here, others may be waiting for
  end
  error(err, 0)
end

-- Calls a method of the core, waiting as often as it asks for. Once it has given a row, nothing on
-- the row's way to the user may need memory: no table grows, no function takes `...`.
local function call(self, method)
  check_busy(self)
  pump.events(self._client, self._state)
  local value, more, word = method(self._core)
  if word ~= nil then
    local ok
    ok, value, more = compat.pcall(pump.call, self, word, method)
    pump.waiting[self] = nil
    if not ok then
      return nil, error_of_wait(self, value)
    end
  elseif value == nil then
    pump.last_events(self._client, self._state)
  end
  return value, more
end

local function pull_root(self)
  return call(self, self._next)
end

-- With functions of the user's to be told of the page that holds the row.
local function pull_notifying(self)
  local ready, err = call(self, self._core.ready)
  notify(self)
  if ready == nil then
    return nil, err
  end
  return pull_root(self)
end

--- Makes the listing of a client's customers, one value.
-- @param values the listing's settings (settings.lua)
function listing.new(client, values)
  local state = core.state(client)
  values.body = values.customer_ids and state.encode { customerIds = values.customer_ids } or "{}"
  local reader, wrong = core.listing(client, values)
  if core.is_error(wrong) then
    problem.raise(wrong)
  elseif not reader then
    settings.fail_listing(wrong)
  end
  local on_progress = values.on_progress
  local self = setmetatable({
    _client = client,
    _state = state,
    _core = reader,
    _next = reader.next,
    _on_progress = on_progress,
    _on_turn = on_progress and report_progress,
    _notifies = (on_progress or state.on_event) ~= nil,
    _pages_reported = 0,
  }, meta)
  self._pull = self._notifies and pull_notifying or pull_root
  self._root = self
  return self
end

-- errors ------------------------------------------------------------------------------------------

local function complete(self, err)
  return problem.complete(err, self._root._state)
end

local function raise(self, err)
  complete(self, err)
  problem.log(err)
  error(err, 0)
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
  if err ~= nil then
    complete(self, err)
  end
  return item, err
end

-- Leaving a loop cancels what is in flight; the listing can go on afterwards.
function meta:__close()
  cancel(self._root)
end

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
  cancel(self._root)
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
    local list, more = true, nil
    if self._notifies then
      list, more = call(self, self._core.ready)
      notify(self)
    end
    if list ~= nil then
      list, more = call(self, self._core.page)
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
  local total, err = call(root, root._core.total)
  if err ~= nil then
    raise(self, err)
  end
  notify(root)
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
  root._core:close()
  driver.wake(root._client)
  store.leave(root._client, root._state)
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
