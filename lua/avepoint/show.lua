--- Prints any value for people: customers, lists, listings and errors as tables, other tables as
-- keys and values, the rest as print does.
-- SPDX-License-Identifier: MIT

local cell = require "avepoint.cell"
local check = require "avepoint.check"
local core = require "avepoint.core"
local customer = require "avepoint.customer"
local grid = require "avepoint.grid"
local lazy = require "avepoint.lazy"
local options = require "avepoint.options"
local terminal = require "avepoint.terminal"

local show = {}

local BAR = 40 -- columns of the longest bar

local ERROR = { "kind", "message", "where", "status", "code", "retryable", "attempts",
  "retry_after", "page", "url", "request_id", "position", "body" }
local STATS = { "requests", "retries", "pages", "bytes", "seconds", "went_back", "readings",
  "missing" }

--- Opens a file to show something in, and checks the options. Raises an argument error.
-- @param what the function's name
function show.open(file, given, what)
  local out = terminal.open(file, what)
  out.wanted = check.read(given, { what = what, options = options.show, elsewhere = {} }).columns
  return out
end

-- Returns the width of the widest text and of each.
local function measure(texts)
  local widest, widths = 0, {}
  for i, text in ipairs(texts) do
    widths[i] = core.fit(text)
    widest = math.max(widest, widths[i])
  end
  return widest, widths
end

-- lists -------------------------------------------------------------------------------------------

local function are_tables(list)
  for _, item in ipairs(list) do
    if type(item) ~= "table" or cell.has_text(item) then
      return false
    end
  end
  return true
end

--- Writes a list and finishes: rows as a table, other items one a line. An empty one is named on a
-- terminal only: cron sends no mail about nothing.
function show.list(out, list)
  if #list == 0 then
    if out.columns then
      out:line "(none)"
    end
  elseif are_tables(list) then
    grid.write(out, list, out.wanted)
  else
    for _, item in ipairs(list) do
      out:line(cell.text(item))
    end
  end
  out:finish()
end

-- keys and values ---------------------------------------------------------------------------------

-- Writes texts under each other, behind a key that takes `indent` columns.
local function write_field(out, key, indent, texts)
  for _, text in ipairs(texts) do
    for _, line in ipairs(out:wrap(text, indent)) do
      out:line(key .. line)
      key = (" "):rep(indent)
    end
  end
end

local function write_fields(out, value, first)
  local keys = out.wanted or cell.keys(value, first)
  local names = {}
  for i, key in ipairs(keys) do
    names[i] = cell.text(key)
  end
  local widest, widths = measure(names)
  for i, key in ipairs(keys) do
    local texts = key == "tenants" and cell.tenants(value) or {}
    texts[1] = texts[1] or cell.text(rawget(value, key), key)
    write_field(out, terminal.pad(names[i], widths[i], widest + 2), widest + 2, texts)
  end
end

-- counts ------------------------------------------------------------------------------------------

-- Whether a table counts something: all values are whole numbers. What a listing has cost
-- (listing:stats) are numbers too, of different kinds.
local function is_counts(value)
  for _, n in next, value do
    if type(n) ~= "number" or n < 0 or n % 1 ~= 0 then
      return false
    end
  end
  return not (rawget(value, "requests") and rawget(value, "readings"))
end

-- Writes counts, the largest first; on a terminal with a bar each.
local function write_counts(out, counts)
  local keys, places = cell.keys(counts, {}), {}
  for i, key in ipairs(keys) do
    places[key] = i
  end
  table.sort(keys, function(a, b)
    local more = counts[a] - counts[b]
    return more > 0 or more == 0 and places[a] < places[b]
  end)
  local names, numbers = {}, {}
  for i, key in ipairs(keys) do
    names[i], numbers[i] = cell.text(key), ("%.0f"):format(counts[key])
  end
  local widest, most = measure(names), #numbers[1]
  if out.columns then
    widest = math.max(math.min(widest, out.columns - most - 2), 1)
  end
  local room = math.min(BAR, (out.columns or 0) - widest - most - 4)
  for i, key in ipairs(keys) do
    local name, taken = terminal.cut(names[i], widest)
    local length = room > 0 and math.ceil(counts[key] / math.max(counts[keys[1]], 1) * room) or 0
    out:line(terminal.pad(name, taken, widest) .. (" "):rep(2 + most - #numbers[i]) .. numbers[i]
      .. (length > 0 and "  " .. ("#"):rep(length) or ""))
  end
end

-- anything ----------------------------------------------------------------------------------------

local function write(out, value)
  if core.is_error(value) then
    write_fields(out, value, ERROR)
  elseif type(value) ~= "table" or cell.has_text(value) then
    out:line((tostring(value):gsub("[^\n]+", core.clean)))
  elseif is_counts(value) then
    write_counts(out, value)
  else
    write_fields(out, value, rawget(value, "readings") and STATS or customer.order)
  end
  out:finish()
end

--- Prints any value for people.
-- @param value the value; a listing is read to its end
-- @param file the file to write to, or an object with a method `write`; nil: io.stdout
-- @param given options: `columns`
function show.value(value, file, given)
  local out = show.open(file, given, "avepoint.show")
  local list
  if lazy.is_listing(value) then
    list = value:collect()
  elseif type(value) == "table" and not cell.has_text(value) then
    list = cell.items(value)
  end
  if list then
    show.list(out, list)
  else
    write(out, value)
  end
end

return show
