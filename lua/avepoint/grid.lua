--- Writes rows as a table whose columns stand under each other. On a terminal it fits: what is long
-- is cut, what finds no room is left out and named below.
-- SPDX-License-Identifier: MIT

local cell = require "avepoint.cell"
local core = require "avepoint.core"
local customer = require "avepoint.customer"
local nearest = require "avepoint.nearest"
local problem = require "avepoint.problem"
local terminal = require "avepoint.terminal"

local grid = {}

local GAP = 2 -- columns between two
local LEAST = 8 -- columns that a field of a narrow terminal keeps, if nothing else is known
local BOLD, DIM, RED, YELLOW = 1, 2, 31, 33

-- A customer's columns: the least that each keeps, and its worth: the one of least worth is left
-- out first.
local CUSTOMER = {
  { field = "organization", head = "ORGANIZATION", least = 16, worth = 6 },
  { field = "jobStatus", head = "STATUS", least = 21, worth = 5 },
  { field = "countryOrRegion", head = "COUNTRY", least = 8, worth = 2 },
  { field = "managementMode", head = "MANAGED BY", least = 10, worth = 1 },
  { field = "ownerEmail", head = "OWNER", least = 14, worth = 4 },
  { field = "tenants", head = "TENANTS", least = 12, worth = 3 },
}

local known = { id = { field = "id", head = "ID" },
  jobStatusCode = { field = "jobStatusCode", head = "STATUS CODE" } }
for _, column in ipairs(CUSTOMER) do
  known[column.field] = column
end

-- columns -----------------------------------------------------------------------------------------

-- Returns the fields that the rows have (false: tables), and whether the rows are customers.
local function fields_of(rows)
  local fields = {}
  for _, row in ipairs(rows) do
    for field, value in next, row do
      if fields[field] == nil then
        fields[field] = type(value) ~= "table"
      end
    end
  end
  return fields, fields.organization ~= nil and fields.jobStatus ~= nil and fields.tenants ~= nil
end

local function check_field(field, fields)
  if fields[field] == nil and not customer.fields[field] and next(fields) ~= nil then
    local names = {}
    for name in next, fields do
      names[#names + 1] = tostring(name)
    end
    table.sort(names)
    local near = nearest(field, names)
    problem.misuse("option 'columns': no row has a field '%s'%s", field,
      near and (" (did you mean '%s'?)"):format(near) or "")
  end
end

-- Returns the fields to show of rows that are no customers, or what else customers have: `id`,
-- plain values, then tables.
local function other_fields(fields, but)
  local plain, tables = {}, {}
  for _, field in ipairs(cell.keys(fields, { "id" })) do
    local list = fields[field] and plain or tables
    if not but[field] then
      list[#list + 1] = field
    end
  end
  for _, field in ipairs(tables) do
    plain[#plain + 1] = field
  end
  return plain
end

-- Returns the columns, each a table of its own.
local function columns_of(rows, wanted)
  local fields, are_customers = fields_of(rows)
  local order = wanted
  if wanted then
    for _, field in ipairs(wanted) do
      check_field(field, fields)
    end
  else
    order = other_fields(fields, are_customers and known or {})
    for i, column in ipairs(are_customers and CUSTOMER or {}) do
      table.insert(order, i, column.field)
    end
  end
  local columns = {}
  for i, field in ipairs(order) do
    local about = are_customers and known[field] or {}
    columns[i] = { field = field, head = about.head or cell.text(field), place = i,
      least = about.least or LEAST, worth = about.worth or -i }
  end
  return columns
end

-- room --------------------------------------------------------------------------------------------

local function needed(columns, measure)
  local total = GAP * (#columns - 1)
  for _, column in ipairs(columns) do
    total = total + column[measure]
  end
  return total
end

-- Removes the column of least worth from the list and returns it.
local function give_up(columns)
  local least = 1
  for i, column in ipairs(columns) do
    least = column.worth < columns[least].worth and i or least
  end
  return table.remove(columns, least)
end

-- Makes the columns fit into `room`: leaves out some, then narrows the widest. Returns those left
-- out.
local function fit(columns, room)
  local left_out = {}
  for _, column in ipairs(columns) do
    column.width = math.min(column.width, room)
    column.least = math.min(column.least, column.width)
  end
  while #columns > 1 and needed(columns, "least") > room do
    left_out[#left_out + 1] = give_up(columns)
  end
  while needed(columns, "width") > room do
    local widest
    for _, column in ipairs(columns) do
      if column.width > column.least and (not widest or column.width > widest.width) then
        widest = column
      end
    end
    widest.width = widest.width - 1
  end
  table.sort(left_out, function(a, b) return a.place < b.place end)
  return left_out
end

-- writing -----------------------------------------------------------------------------------------

-- Returns the texts of the rows, and sets the columns' widths to what these need.
local function texts_of(rows, columns)
  local texts = {}
  for _, column in ipairs(columns) do
    local width = core.fit(column.head)
    for r, row in ipairs(rows) do
      local text = cell.text(rawget(row, column.field), column.field)
      width = math.max(width, (core.fit(text)))
      texts[r] = texts[r] or {}
      texts[r][column.field] = text
    end
    column.width = width
  end
  return texts
end

-- The colour of a cell: what needs attention stands out, a status that nobody knows too.
local function colour_of(row, field)
  local code = customer.status_codes[rawget(row, "jobStatus")]
  if field ~= "jobStatus" or code == 0 or code == 1 then
    return nil
  end
  return code == 2 and RED or YELLOW
end

-- Writes a line of cells; text_of(column) and paint_of(column) tell of each.
local function write_line(out, columns, text_of, paint_of)
  local parts = {}
  for i, column in ipairs(columns) do
    local text, taken = terminal.cut(text_of(column), column.width)
    text = out:paint(text, paint_of(column))
    parts[i] = i < #columns and terminal.pad(text, taken, column.width) or text
  end
  out:line(table.concat(parts, (" "):rep(GAP)))
end

local function write_left_out(out, columns)
  local names = {}
  for i, column in ipairs(columns) do
    local field = cell.text(column.field)
    names[i] = column.head:lower() == field:lower() and column.head
      or ("%s (%s)"):format(column.head, field)
  end
  for _, line in ipairs(out:wrap("left out for lack of room: " .. table.concat(names, ", "), 0)) do
    out:line(out:paint(line, DIM))
  end
end

--- Writes rows, tables all of them.
-- @param wanted the fields to show, in order; nil: those that the rows have
function grid.write(out, rows, wanted)
  local columns = columns_of(rows, wanted)
  local texts = texts_of(rows, columns)
  local left_out = out.columns and fit(columns, out.columns) or {}
  write_line(out, columns, function(column) return column.head end, function() return BOLD end)
  for r, row in ipairs(rows) do
    write_line(out, columns, function(column) return texts[r][column.field] end,
      function(column) return colour_of(row, column.field) end)
  end
  if #left_out > 0 then
    write_left_out(out, left_out)
  end
end

return grid
