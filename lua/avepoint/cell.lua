--- Makes one clean line of text from any value, as tables for reading need it.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"
local customer = require "avepoint.customer"
local json = require "avepoint.json"

local cell = {}

local ABSENT = "-"
local LABELS = { "organization", "name", "Name", "id", "Id" } -- fields that stand for their table

--- Returns the items of a table whose keys are 1 to n, or that has none, in a list without a
-- metatable; nil for other tables.
function cell.items(value)
  local n, items = 0, {}
  for _ in next, value do
    n = n + 1
  end
  for i = 1, n do
    items[i] = rawget(value, i)
    if items[i] == nil then
      return nil
    end
  end
  return items
end

-- The JSON library's null has no text of its own; Neovim's has.
local function is_absent(value)
  local text = type(value) == "userdata" and tostring(value)
  return value == nil or text and (text:find "^userdata" or text == "vim.NIL")
end

--- Returns whether a table says itself what it is.
function cell.has_text(value)
  local meta = getmetatable(value)
  return type(meta) == "table" and rawget(meta, "__tostring") ~= nil
end

local function plain(value)
  local kind = type(value)
  if is_absent(value) then
    return ABSENT
  end
  if kind == "number" and value - value == 0 then
    return json.number(value) -- a float may be a large whole number
  end
  return (kind == "function" or kind == "thread") and kind or tostring(value)
end

-- Returns a few words for a value inside a table; never looks deeper.
local function label(value)
  if type(value) ~= "table" or cell.has_text(value) then
    return plain(value)
  end
  for _, field in ipairs(LABELS) do
    local name = rawget(value, field)
    if type(name) == "string" or type(name) == "number" then
      return tostring(name)
    end
  end
  return next(value) == nil and "{}" or "{...}"
end

--- Returns a table's keys: first those of a list that it has, in its order, then the rest sorted.
function cell.keys(value, first)
  local keys, rest, seen = {}, {}, {}
  for _, key in ipairs(first) do
    if rawget(value, key) ~= nil then
      keys[#keys + 1], seen[key] = key, true
    end
  end
  for key in next, value do
    if not seen[key] then
      rest[#rest + 1] = key
    end
  end
  table.sort(rest, json.comes_before)
  for _, key in ipairs(rest) do
    keys[#keys + 1] = key
  end
  return keys
end

-- Returns a table in short.
local function short(value)
  local known, parts = label(value), {}
  if known == "{}" then
    return ABSENT
  elseif known ~= "{...}" then
    return known
  end
  local is_list = cell.items(value) ~= nil
  for i, key in ipairs(cell.keys(value, {})) do
    local text = label(rawget(value, key))
    parts[i] = is_list and text or ("%s = %s"):format(label(key), text)
  end
  return table.concat(parts, ", ")
end

--- Returns the text of a field's value, "-" if it is absent. Statuses and modes are shown by name.
function cell.text(value, field)
  if field == "jobStatus" and value ~= nil then
    value = customer.status_names[customer.status_codes[value]] or value
  elseif field == "managementMode" and type(value) == "number" then
    value = customer.management_mode[value] or value
  end
  return core.clean(type(value) == "table" and short(value) or plain(value))
end

--- Returns a customer's tenants, a text each, with their ids.
function cell.tenants(c)
  local texts = {}
  customer.any_tenant(c, function(id, name)
    texts[#texts + 1] = core.clean(("%s (%s)"):format(plain(name), plain(id)))
  end)
  return texts
end

return cell
