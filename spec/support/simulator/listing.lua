-- The list of one scenario: which customer stands at which place, and the changes that happen to
-- it while clients read. As long as nothing changed, place and ordinal are the same number; the
-- first change writes the order down. Knows nothing of pages and requests.
-- SPDX-License-Identifier: MIT
local ffi = require "ffi"
local cjson = require "cjson"
local numbers = require "numbers"

ffi.cdef "void *memmove(void *to, const void *from, size_t size);"

local listing = {}
listing.__index = listing

-- items: list of JSON texts that take the place of the generated customers, or nil
local function new(count, items)
  return setmetatable({
    _count = items and #items or count,
    _items = items,
    _next = (items and #items or count) + 1, -- ordinal of the next customer to appear
    _order = nil, -- int32 array of ordinals, 0-based, once something changed
    _room = 0,
    _random = 20250919,
  }, listing)
end

function listing:count()
  return self._count
end

local function grow(self)
  if self._order and self._count < self._room then return end
  local room = self._count + math.max(64, math.floor(self._count / 4))
  local order = ffi.new("int32_t[?]", room)
  if self._order then
    ffi.copy(order, self._order, self._count * 4)
  else
    for i = 0, self._count - 1 do order[i] = i + 1 end
  end
  self._order, self._room = order, room
end

local function take_out(self, place)
  grow(self)
  local ordinal = self._order[place - 1]
  ffi.C.memmove(self._order + place - 1, self._order + place, (self._count - place) * 4)
  self._count = self._count - 1
  return ordinal
end

local function put_in(self, place, ordinal)
  grow(self)
  ffi.C.memmove(self._order + place, self._order + place - 1, (self._count - place + 1) * 4)
  self._order[place - 1] = ordinal
  self._count = self._count + 1
end

-- Fixed sequence: a test that fails must fail again.
local function place_of(self, place, most)
  if place == "random" then
    self._random = (self._random * 16807) % 2147483647
    return self._random % most + 1
  end
  return place
end

-- A place outside the list is nobody's: such a change does nothing.
function listing:remove(place)
  place = place_of(self, place, math.max(self._count, 1))
  if place >= 1 and place <= self._count then take_out(self, place) end
end

function listing:insert(place)
  place = place_of(self, place, self._count + 1)
  if place < 1 or place > self._count + 1 then return end
  put_in(self, place, self._next)
  self._next = self._next + 1
end

function listing:move(from, to)
  if from < 1 or from > self._count or to < 1 or to > self._count then return end
  put_in(self, to, take_out(self, from))
end

local function item_ordinals(self)
  if not self._ordinals then
    self._ordinals = {}
    for ordinal, text in ipairs(self._items) do
      local ok, item = pcall(cjson.decode, text)
      local id = ok and type(item) == "table" and (item.id or item.customerId)
      if type(id) == "string" then self._ordinals[id:lower()] = ordinal end
    end
  end
  return self._ordinals
end

local function ordinal_of(self, id)
  local ordinal = self._items and item_ordinals(self)[id:lower()] or numbers.ordinal_of(id)
  if not ordinal or ordinal < 1 or ordinal >= self._next then return nil end
  return ordinal
end

-- places(ids): ordered list of the places where the customers of these ids stand
function listing:places(ids)
  local wanted, found = {}, {}
  for _, id in ipairs(ids) do
    local ordinal = ordinal_of(self, id)
    if ordinal and not wanted[ordinal] then
      wanted[ordinal] = true
      if not self._order then found[#found + 1] = ordinal end
    end
  end
  if not self._order then
    table.sort(found)
  elseif next(wanted) then
    for i = 0, self._count - 1 do
      if wanted[self._order[i]] then found[#found + 1] = i + 1 end
    end
  end
  return found
end

function listing:remove_id(id)
  local place = self:places({ id })[1]
  if place then take_out(self, place) end
end

local function at(self, place)
  return self._order and self._order[place - 1] or place
end

-- find(id): the ordinal of the customer of this id, nil where it does not stand in the list
function listing:find(id)
  local place = self:places({ id })[1]
  return place and at(self, place)
end

-- json(place, generate): what stands at that place; items are sent as they were given, others as
-- generate(ordinal) writes them
function listing:json(place, generate)
  local ordinal = at(self, place)
  return self._items and self._items[ordinal] or generate(ordinal)
end

return { new = new }
