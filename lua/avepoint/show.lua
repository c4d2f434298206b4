--- Prints customers, lists, listings and errors as aligned text for people.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"
local customer = require "avepoint.customer"

local show = {}

local WIDEST = 40 -- most columns of a terminal that one field takes

-- Field, head, and the least columns of a narrow terminal that the field keeps.
local columns = {
  { "organization", "ORGANIZATION", 20 },
  { "jobStatus", "STATUS", 25 },
  { "countryOrRegion", "COUNTRY", 12 },
  { "managementMode", "MANAGED BY", 12 },
  { "ownerEmail", "OWNER", 16 },
  { "tenants", "TENANTS", 12 },
}

local CHARACTER = "[%z\1-\127\192-\255][\128-\191]*" -- one of UTF-8

-- Returns the columns that a character takes on a terminal: East Asian ones and emoji take two. The
-- first bytes tell; that is exact enough for a table.
local function columns_of(char)
  local first, second = char:byte(1, 2)
  if first >= 0xe3 and first <= 0xed or first >= 0xf0 then
    return 2
  elseif first == 0xef and (second == 0xbc or second == 0xbd) then
    return 2
  end
  return 1
end

local function width(text)
  local total = 0
  for char in text:gmatch(CHARACTER) do
    total = total + columns_of(char)
  end
  return total
end

-- Cuts a UTF-8 text to at most `most` columns; two dots stand for the rest.
local function cut(text, most)
  if width(text) <= most then
    return text
  end
  local kept, used = {}, 0
  for char in text:gmatch(CHARACTER) do
    used = used + columns_of(char)
    if used > most - 2 then
      break
    end
    kept[#kept + 1] = char
  end
  return table.concat(kept) .. ".."
end

-- Returns a text as one line of printable text: a name from the server must not move the cursor.
local function clean(text)
  return (text:gsub("[%z\1-\31\127]", " "):gsub("\194[\128-\159]", " "))
end

local function tenants_text(tenants)
  local names = {}
  for _, tenant in ipairs(tenants) do
    if type(tenant) == "table" then
      names[#names + 1] = tostring(tenant.name or tenant.Name or tenant.id or tenant.Id)
    end
  end
  return table.concat(names, ", ")
end

local function cell(item, field)
  local value = item[field]
  if value == nil or type(value) == "userdata" then
    return "-"
  elseif field == "managementMode" then
    return customer.management_mode[value] or tostring(value)
  elseif type(value) == "table" then
    return #value == 0 and "-" or clean(tenants_text(value))
  end
  return clean(tostring(value))
end

local function rows_of(list, most)
  local rows, widths = {}, {}
  for i, column in ipairs(columns) do
    widths[i] = #column[2]
  end
  for r, item in ipairs(list) do
    local row = {}
    for i, column in ipairs(columns) do
      row[i] = cut(cell(item, column[1]), most)
      widths[i] = math.max(widths[i], width(row[i]))
    end
    rows[r] = row
  end
  return rows, widths
end

-- Makes the columns fit into a terminal of COLUMNS columns, an environment variable: cuts the
-- widest and, if that is not enough, leaves out the last.
local function fit(widths)
  local room = tonumber(os.getenv "COLUMNS" or "")
  while room and #widths > 1 do
    local total, widest = 2 * (#widths - 1), nil
    for i, taken in ipairs(widths) do
      total = total + taken
      if taken > columns[i][3] and (not widest or taken > widths[widest]) then
        widest = i
      end
    end
    if total <= room then
      return
    elseif widest then
      widths[widest] = widths[widest] - 1
    else
      widths[#widths] = nil
    end
  end
end

local function write_row(file, row, widths)
  local parts = {}
  for i, columns_taken in ipairs(widths) do
    local text = cut(row[i], columns_taken)
    parts[i] = i == #widths and text or text .. (" "):rep(columns_taken - width(text))
  end
  file:write(table.concat(parts, "  "), "\n")
end

--- Writes a list of customers as a table. Writes items that are not tables one a line.
-- @param list the customers
-- @param file the file to write to; default: io.stdout
function show.list(list, file)
  file = file or io.stdout
  if type(list[1]) ~= "table" then
    for _, item in ipairs(list) do
      file:write(clean(tostring(item)), "\n")
    end
    return
  end
  local on_screen = file == io.stdout -- elsewhere nothing is cut
  local rows, widths = rows_of(list, on_screen and WIDEST or math.huge)
  if on_screen then
    fit(widths)
  end
  local head = {}
  for i, column in ipairs(columns) do
    head[i] = column[2]
  end
  write_row(file, head, widths)
  for _, row in ipairs(rows) do
    write_row(file, row, widths)
  end
end

local function write_fields(file, value, order)
  local widest = 0
  for _, field in ipairs(order) do
    if value[field] ~= nil then
      widest = math.max(widest, #field)
    end
  end
  for _, field in ipairs(order) do
    local v = value[field]
    if v ~= nil then
      local text = type(v) == "table" and tenants_text(v) or tostring(v)
      file:write(field, (" "):rep(widest - #field), "  ", clean(text), "\n")
    end
  end
end

local customer_order = { "id", "organization", "ownerEmail", "jobStatus", "jobStatusCode",
  "countryOrRegion", "managementMode", "tenants" }
local error_order = { "kind", "message", "where", "status", "code", "retryable", "attempts",
  "retry_after", "page", "url", "request_id", "position", "body" }

--- Prints a customer, a list, a listing or an error for people, other values as print does.
-- @param value the value; a listing is read to its end
-- @param file the file to write to; default: io.stdout
function show.value(value, file)
  file = file or io.stdout
  if core.is_error(value) then
    write_fields(file, value, error_order)
  elseif type(value) == "table" and type(value.show) == "function" then
    value:show(file)
  elseif type(value) == "table" and value.id ~= nil then
    write_fields(file, value, customer_order)
  elseif type(value) == "table" and (value[1] ~= nil or next(value) == nil) then
    show.list(value, file)
  else
    file:write(tostring(value), "\n")
  end
end

return show
