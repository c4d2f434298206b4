--- Listings: lazy, read once. A listing is a callable table; filters (lazy.lua) take a listing over
-- and give another one. All share the cursor of the first, the root, which drives
-- src/bind/listing.c.
--
-- Each listing has a primitive, `_pull`, which gives an item, or nil at the end, or nil and an
-- error.
-- SPDX-License-Identifier: MIT

local compat = require "avepoint.compat"
local core = require "avepoint.core"
local driver = require "avepoint.driver"
local lazy = require "avepoint.lazy"
local problem = require "avepoint.problem"
local pump = require "avepoint.pump"
local show = require "avepoint.show"

local Listing = {}
local meta = { __index = Listing, __name = "avepoint.listing" }

local listing = {}

-- root --------------------------------------------------------------------------------------------

-- Which coroutine waits on which root: a second one must not mix in.
local waiters = setmetatable({}, { __mode = "kv" })

local function check_busy(self)
  local other = waiters[self]
  if other ~= nil and other ~= compat.running() and compat.is_alive(other) then
    problem.raise_here "this listing is busy: another coroutine waits on it"
  end
end

local function report_progress(self)
  local _, total, _, _, pages, received = self._core:progress()
  if pages ~= self._pages_reported then
    self._pages_reported = pages
    self._on_progress(received, total)
  end
end

-- Calls the user's on_event and on_progress, which may raise, or ask this very listing for more.
local function notify(self)
  pump.events(self._client, self._state)
  if self._on_progress then
    report_progress(self)
  end
end

local function leave(self, ok, ...)
  waiters[self] = nil
  if not ok then
    if ... == driver.CANCELLED or ... == driver.INTERRUPTED then
      self._core:cancel() -- the user has ended the wait: leave nothing in flight
    end
    error((...), 0)
  end
  return ...
end

-- Calls a method of the core, waiting as often as it asks for.
local function call(self, method)
  check_busy(self)
  pump.events(self._client, self._state)
  local value, more, word = method(self._core)
  if word == nil then
    if value == nil then
      notify(self)
    end
    return value, more
  end
  waiters[self] = compat.running()
  return leave(self, compat.pcall(pump.call, self._client, self._state, word, method, self._core,
    self._on_progress and function()
      report_progress(self)
    end))
end

-- Rows that the core has given out are held (`_held`, a list) while the user's functions run:
-- should one raise, they come first in the next call, whichever that is. A filter whose function
-- raises holds its row itself (lazy.lua), and is then the root's `_holder`.

-- The row of a filter that holds one, where the root is asked past that filter.
local function take_from_holder(self)
  local row = self._last
  self._holder._held, self._holder = nil, nil
  return row
end

local function pull_root(self)
  if self._holder then
    return take_from_holder(self)
  end
  local held = self._held
  local item, err
  if held then
    item = held[1]
  else
    item, err = call(self, self._next)
  end
  if self._notifies and item ~= nil then
    held = held or { item }
    self._held = held
    notify(self)
    if held[1] ~= item then -- it was asked for by a function of the user's
      return pull_root(self)
    end
  end
  if held then
    table.remove(held, 1)
    if held[1] == nil then
      self._held = nil
    end
  end
  self._last = item
  return item, err
end

--- Makes the listing of a client's customers, one value; see the README's table of listing options.
-- @param level of the caller, for argument errors
function listing.new(client, options, level)
  local reader = core.listing(client, options == nil and {} or options, level + 1)
  local on_progress = options and options.on_progress
  local state = core.state(client)
  local self = setmetatable({
    _client = client,
    _state = state,
    _core = reader,
    _next = reader.next,
    _pull = pull_root,
    _on_progress = on_progress,
    _notifies = (on_progress or state.on_event) ~= nil,
    _pages_reported = 0,
  }, meta)
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
  local item, err = self:_pull()
  if err ~= nil then
    complete(self, err)
  end
  return item, err
end

-- Leaving a loop cancels what is in flight; the listing can go on afterwards.
function meta:__close()
  self._root._core:cancel()
  driver.wake(self._root._client)
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
local function drain(self, f)
  local item = self()
  while item ~= nil do
    f(item)
    item = self()
  end
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
  self._root._core:cancel()
  driver.wake(self._root._client)
  lazy.expect(self, nil)
  if err ~= nil then
    raise(self, err)
  end
  return item
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
  drain(self, f)
end

local function check_field(field, what)
  if type(field) ~= "string" then
    error(("listing:%s takes the name of a field"):format(what), 3)
  end
end

-- The value to group by: false where it is absent or cjson's null.
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
  check_field(field, "group_by")
  local groups = {}
  drain(self, function(item)
    local key = key_of(item, field)
    groups[key] = groups[key] or {}
    table.insert(groups[key], item)
  end)
  return groups
end

--- Numbers of items by the value of a field; those without it are under false.
function Listing:count_by(field)
  check_field(field, "count_by")
  local counts = {}
  drain(self, function(item)
    local key = key_of(item, field)
    counts[key] = (counts[key] or 0) + 1
  end)
  return counts
end

--- The items by the value of a field; of several with the same value the last, those without it
-- left out.
function Listing:index_by(field)
  check_field(field, "index_by")
  local index = {}
  drain(self, function(item)
    local key = key_of(item, field)
    if key ~= false then
      index[key] = item
    end
  end)
  return index
end

--- Prints what is left as a table for reading.
-- @param file where to; io.stdout where it is left out
function Listing:show(file)
  show.list(self:collect(), file)
end

-- about the whole listing -------------------------------------------------------------------------

--- Iterates page by page: a list of customers, the page's metadata.
function Listing:pages()
  if self ~= self._root then
    error("listing:pages works on an unfiltered listing only", 2)
  end
  local function next_page()
    if self._holder then
      self._held = { take_from_holder(self) }
    end
    local list, more = self._held
    if list then
      more = self._core:metadata()
    else
      list, more = call(self, self._core.page)
    end
    if list == nil and more ~= nil then
      raise(self, more)
    end
    if self._notifies and list then
      self._held = list
      notify(self)
      if list[1] == nil then -- all of it was asked for by a function of the user's
        return next_page()
      end
    end
    self._held = nil
    return list, more
  end
  if compat.is_54 then
    return next_page, nil, nil, self
  end
  return next_page
end

--- The server's count of all customers, or nil where it gives none. Fetches the first page if need
-- be and keeps it.
function Listing:total()
  local root = self._root
  local total, err = call(root, root._core.total)
  if err ~= nil then
    raise(self, err)
  end
  notify(root)
  return total
end

--- Where this listing stands, as a string for the option `resume`.
function Listing:position()
  local root = self._root
  return root._core:position((root._held and #root._held or 0) + (root._holder and 1 or 0))
end

--- What it has cost: requests, retries, pages, bytes, seconds, sweeps, missing.
function Listing:stats()
  return self._root._core:stats()
end

--- Ends the listing; using it afterwards raises `closed`.
function Listing:close()
  self._root._core:close()
  driver.wake(self._root._client)
end

return listing
