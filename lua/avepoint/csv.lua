--- Writes rows as CSV (RFC 4180).
--
-- Texts that a spreadsheet would take for a formula get an apostrophe in front. Tenants are two
-- columns: their names, and their ids. Other tables are JSON.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"
local customer = require "avepoint.customer"
local json = require "avepoint.json"

--- `IDS`: the column of the tenants' ids.
local csv = { IDS = "tenantIds" }

local IDS = csv.IDS
local OTHER = "otherFields" -- the column of fields that have none

local FORMULA = {} -- the bytes that begin one
for byte in ("=+-@\t\r"):gmatch "." do
  FORMULA[byte:byte()] = "^"
end
FORMULA[239] = "^\239\188[\157\139\141\160]" -- the same signs in the width of Chinese ones

-- cells -------------------------------------------------------------------------------------------

local function quoted(text)
  if text:find '[",\r\n]' then
    return '"' .. text:gsub('"', '""') .. '"'
  end
  return text
end

-- Most texts are ASCII without quote and comma: those are found out first.
local function text_cell(text)
  local formula = FORMULA[text:byte() or ""]
  if formula and text:find(formula) then
    text = "'" .. text
  end
  return text:find "[^--~#-+ !]" and quoted(core.utf8(text)) or text
end

local function cell(value, style)
  local kind = type(value)
  if kind == "string" then
    return text_cell(value)
  elseif kind == "number" then
    return value - value == 0 and json.number(value) or ""
  elseif value == nil or value == style.null then
    return ""
  end
  return quoted(json.text(value, style))
end

-- Returns a field of all tenants, `; ` between them; nil if they are no list of tenants.
local function tenants_cell(row, field, raw_field)
  local texts, list = {}, row.tenants
  for i = 1, type(list) == "table" and #list or 0 do
    local tenant = list[i]
    local value = type(tenant) == "table" and (tenant[field] or tenant[raw_field] or "")
    if type(value) ~= "string" then
      return nil
    end
    texts[i] = value
  end
  return texts[1] and text_cell(table.concat(texts, "; "))
end

-- The cells of these columns, if the row has no field of this name but for tenants.
local special = {
  tenants = function(row, style)
    local value = row.tenants
    if type(value) == "table" and next(value) == nil then
      return ""
    end
    return tenants_cell(row, "name", "Name") or cell(value, style)
  end,
  [IDS] = function(row, style)
    return row[IDS] == nil and tenants_cell(row, "id", "Id") or cell(row[IDS], style)
  end,
}

-- columns -----------------------------------------------------------------------------------------

-- Returns the columns for rows like the first: the documented fields in their order, then its other
-- fields in theirs.
-- @param all whether there is a column for documented fields that the row lacks
local function columns_of(first, all)
  local columns, documented = {}, {}
  for _, field in ipairs(customer.order) do
    documented[field] = true
    if all or first[field] ~= nil then
      columns[#columns + 1] = field
      if field == "tenants" then
        documented[IDS] = true
        columns[#columns + 1] = IDS
      end
    end
  end
  for _, key in ipairs(json.keys(first, documented)) do
    columns[#columns + 1] = key
  end
  return columns
end

-- Returns the fields of a row that have no column, or nil.
local function fields_left(row, has_column)
  local left
  for key, value in next, row do
    if not has_column[key] then
      left = left or {}
      left[key] = value
    end
  end
  return left
end

-- The cell of the fields without a column; raises a sentence if there is no column for those
-- either.
local function other_cell(self, row)
  local left = fields_left(row, self.has_column)
  if not left then
    return ""
  elseif not self.others then
    error(("has a field '%s' that the first row has not: name all columns in options.fields")
      :format(tostring(next(left))), 0)
  end
  return quoted(json.text(left, self.style))
end

-- rows --------------------------------------------------------------------------------------------

local Csv = {}
Csv.__index = Csv

local function line(cells)
  local text = table.concat(cells, ",")
  return (text == "" and '""' or text) .. "\r\n" -- a line without a character is no row
end

-- Fixes the columns. Returns what stands before the rows.
local function begin(self, first)
  self.columns = self.columns or columns_of(first, self.others and self.customers)
  self.has_column = {}
  local names = {}
  for i, column in ipairs(self.columns) do
    self.has_column[column] = true
    names[i] = cell(column, self.style)
  end
  if self.others and not self.picked then
    names[#names + 1] = OTHER
  end
  self.begun = true
  return (self.bom and "\239\187\191" or "") .. (self.header and #names > 0 and line(names) or "")
end

--- Makes a writer of CSV.
-- @param style of the JSON in cells
-- @param options `fields`, `header`, `bom`
-- @param about `customers`, whether the rows are customers; `mapped`, whether the user made them
function csv.new(style, options, about)
  return setmetatable({ style = style, columns = options.fields, picked = options.fields ~= nil,
    header = options.header, bom = options.bom, customers = about.customers,
    others = not about.mapped, cells = {} }, Csv)
end

--- Returns the text of a row, with the header before the first. Raises a sentence for what has no
-- text.
function Csv:row(row)
  if type(row) ~= "table" then
    row = { value = row }
  end
  local before = self.begun and "" or begin(self, row)
  local cells, style = self.cells, self.style
  for i, column in ipairs(self.columns) do
    local of = special[column]
    if of then
      cells[i] = of(row, style)
    else
      cells[i] = cell(row[column], style)
    end
  end
  if not self.picked then
    local other = other_cell(self, row)
    cells[#self.columns + 1] = self.others and other or nil
  end
  return before .. line(cells)
end

--- Returns what stands behind the rows.
function Csv:finish()
  if self.begun then
    return ""
  end
  return begin(self, {})
end

return csv
