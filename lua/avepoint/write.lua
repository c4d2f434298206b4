--- Writes what is left of a listing to a file: listing:write.
--
-- Rows are written as they come. A path gets its new content at the end, all of it or none.
-- SPDX-License-Identifier: MIT

local check = require "avepoint.check"
local compat = require "avepoint.compat"
local core = require "avepoint.core"
local csv = require "avepoint.csv"
local customer = require "avepoint.customer"
local json = require "avepoint.json"
local nearest = require "avepoint.nearest"
local options = require "avepoint.options"
local problem = require "avepoint.problem"
local pump = require "avepoint.pump"
local terminal = require "avepoint.terminal"

local WRITE = { what = "listing:write", options = options.write, elsewhere = {} }
local FORMATS = { "csv", "json", "jsonl" }

-- formats -----------------------------------------------------------------------------------------

local Json = {}
Json.__index = Json

-- What stands before the first row, before each other, behind each, behind the last, and alone if
-- there are no rows.
local JSON = { first = "[\n", next = ",\n", behind = "", last = "\n]\n", none = "[]\n" }
local LINES = { first = "", next = "", behind = "\n", last = "", none = "" }

function Json:row(row)
  local before = self.rows == 0 and self.marks.first or self.marks.next
  self.rows = self.rows + 1
  return before .. self.text_of(row) .. self.marks.behind
end

function Json:finish()
  return self.rows == 0 and self.marks.none or self.marks.last
end

local function new_format(self, name, values)
  local state, fields = self._root._state, values.fields
  local style = { null = state.null, array_mt = state.array_mt,
    empty = state.array_mt and "{}" or "[]" }
  if name == "csv" then
    return csv.new(style, values, { customers = self._root._customers, mapped = self._mapped })
  end
  return setmetatable({ marks = name == "json" and JSON or LINES, rows = 0,
    text_of = json.rows(style, fields or customer.order, fields, "tenants") }, Json)
end

-- arguments ---------------------------------------------------------------------------------------

local function check_format(format)
  for _, name in ipairs(FORMATS) do
    if name == format then
      return
    end
  end
  local near = type(format) == "string" and nearest(format:lower(), FORMATS)
  check.fail(WRITE, ("the format is csv, json or jsonl, not %s%s"):format(tostring(format),
    near and (" (did you mean '%s'?)"):format(near) or ""))
end

local function read_options(self, format, given)
  local values = check.read(given, WRITE)
  for _, name in ipairs { "header", "bom" } do
    if values[name] ~= nil and format ~= "csv" then
      check.fail(WRITE, ("option '%s' is for the format csv"):format(name))
    end
  end
  check.fill_in_defaults(values, options.write)
  for _, field in ipairs(not self._any_field and values.fields or {}) do
    if format ~= "csv" or field ~= csv.IDS then
      customer.check_field(field, "listing:write")
    end
  end
  return values
end

-- targets -----------------------------------------------------------------------------------------

-- A file of the user's, with the methods of core.output.
local Opened = {}
Opened.__index = Opened

function Opened:write(text)
  return terminal.write(self.file, text)
end

function Opened:commit()
  return terminal.flush(self.file)
end

function Opened.discard() end

local function fail(target, why)
  check.fail(WRITE, type(target) == "string" and ("%s: %s"):format(target, tostring(why))
    or tostring(why))
end

local function open(target)
  if type(target) == "string" then
    if not check.is_text(target) then
      check.fail(WRITE, "a path is not empty and has no zero bytes")
    end
    local output, why = core.output(target)
    return output or fail(target, why)
  elseif io.type(target) == "closed file" then
    check.fail(WRITE, "the file is closed")
  elseif not terminal.can_write(target) then
    check.fail(WRITE, "takes a path or an open file, not " .. type(target))
  end
  return setmetatable({ file = target }, Opened)
end

-- writing -----------------------------------------------------------------------------------------

-- Writes all rows. Returns how many, and the listing's error if there is one.
local function write_rows(self, out, format, target)
  local function put(text)
    local ok, why = out:write(text)
    if not ok then
      fail(target, why)
    end
  end
  local n = 0
  self._root._keeps_bar = true
  local row, err = self:_pull()
  while row ~= nil do
    n = n + 1
    local text, why = json.attempt(format.row, format, row)
    if not text then
      fail(target, ("row %d %s"):format(n, why))
    end
    put(text)
    row, err = self:_pull()
  end
  if not err then
    put(format:finish())
    local ok, why = out:commit()
    if not ok then
      fail(target, why)
    end
  end
  return n, err
end

--- Writes what is left.
-- @param self a listing
-- @param target a path, or an open file: any object with a method `write`
-- @param format "csv", "json" or "jsonl"
-- @param given the user's options, or nil
-- @return how many rows
-- Raises an argument error, also if not all could be written, or the listing's error object.
return function(self, target, format, given)
  check_format(format)
  local writer = new_format(self, format, read_options(self, format, given))
  local out = open(target)
  local ok, n, err = compat.pcall(write_rows, self, out, writer, target)
  if ok and not err then
    return n
  end
  out:discard()
  pump.clear_bar(self._root)
  if not ok then
    error(n, 0)
  end
  problem.raise(err, self._root._state)
end
