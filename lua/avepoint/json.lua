--- Finds the JSON library (lua-cjson, or Neovim's copy of it), which reads, and writes JSON: with
-- keys in order, empty lists as such and UTF-8 only, none of which the library does.
-- SPDX-License-Identifier: MIT

local compat = require "avepoint.compat"
local core = require "avepoint.core"
local problem = require "avepoint.problem"

local json = {}

--- Returns the library; raises if there is none.
function json.find()
  local cjson = compat.require "cjson"
  if type(cjson) == "table" then
    return cjson
  end
  local vim = rawget(_G, "vim")
  if type(vim) == "table" and vim.json then
    return vim.json
  end
  error("avepoint needs lua-cjson (Debian: lua-cjson; LuaRocks: lua-cjson)", 0)
end

--- Puts into a client's table: decode, null, and array_mt if the library marks arrays.
function json.open(state)
  local library = json.find()
  if library.new then -- an instance of our own: settings must not touch the host's
    library = library.new()
    for name, value in pairs { decode_invalid_numbers = false, decode_max_depth = core.json_depth,
      decode_array_with_array_mt = true } do
      if library[name] then
        library[name](value)
      end
    end
  end
  state.decode, state.null, state.array_mt = library.decode, library.null, library.array_mt
end

--- Returns the shortest text that reads back as the same number. JSON has no infinite numbers.
function json.number(n)
  if n - n ~= 0 then
    return "null"
  elseif n % 1 == 0 and n > -1e15 and n < 1e15 then
    return ("%d"):format(n)
  elseif math.type and math.type(n) == "integer" then
    return tostring(n)
  end
  for digits = 14, 16 do
    local text = ("%%.%dg"):format(digits):format(n)
    if tonumber(text) == n then
      return text
    end
  end
  return ("%.17g"):format(n)
end

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f",
  ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }
for code = 0, 31 do
  local char = string.char(code)
  ESCAPES[char] = ESCAPES[char] or ("\\u%04x"):format(code)
end

-- Returns what stands between the quotes. What is no UTF-8 becomes U+FFFD. Most texts are ASCII
-- without quote and backslash: those are found out first, letters soonest.
local function escaped(text)
  if text:find "[^]-~#-[ !]" then
    return (core.utf8(text):gsub('[%z\1-\31"\\]', ESCAPES))
  end
  return text
end

--- Returns whether the keys of a table are 1 to #table, and there is one.
function json.is_list(value)
  local n = 0
  if value[1] == nil then
    return false
  end
  for _ in next, value do
    n = n + 1
  end
  return n == #value
end

--- Orders keys of any types: numbers before texts, others by their names.
function json.comes_before(a, b)
  local kind = type(a)
  if kind ~= type(b) then
    return kind < type(b)
  elseif kind == "number" or kind == "string" then
    return a < b
  end
  return tostring(a) < tostring(b)
end

local NONE = {}

--- Returns the keys of a table in order. Raises a sentence for a key that is no text or number, or
-- for two that have the same text.
-- @param but table of keys to leave out
function json.keys(object, but)
  local keys, n, texts = NONE, 0, true
  for key in next, object do
    if not but[key] then
      if type(key) ~= "string" then
        texts = type(key) ~= "number" and error(("has a %s as a key"):format(type(key)), 0)
        if object[json.number(key)] ~= nil then
          error(("has the key %s as a number and as a text"):format(json.number(key)), 0)
        end
      end
      keys = n > 0 and keys or {}
      n = n + 1
      keys[n] = key
    end
  end
  if n > 1 then
    table.sort(keys, not texts and json.comes_before or nil)
  end
  return keys
end

-- What stands before a field's value.
local function head_of(key)
  return ('"%s":'):format(escaped(type(key) == "number" and json.number(key) or key))
end

local add

-- Appends fields. The first has `mark` before it, the others a comma. Returns the number of places
-- and what stands before a field behind these.
local function add_fields(out, n, object, keys, style, depth, mark)
  local heads = style.heads
  for i = 1, #keys do
    local key = keys[i]
    local value = object[key]
    if value ~= nil then
      out[n + 1], out[n + 2] = mark, heads and heads[key] or head_of(key)
      mark = ","
      if key == style.list and type(value) == "table" and next(value) == nil then
        n = n + 3
        out[n] = "[]"
      else
        n = add(out, n + 2, value, style, depth)
      end
    end
  end
  return n, mark
end

local function add_list(out, n, list, style, depth)
  local mark = "["
  for i = 1, #list do
    out[n + 1] = mark
    mark = ","
    n = add(out, n + 1, list[i], style, depth)
  end
  out[n + 1] = "]"
  return n + 1
end

local function add_object(out, n, object, style, depth)
  n = add_fields(out, n, object, json.keys(object, NONE), style, depth, "{")
  out[n + 1] = "}"
  return n + 1
end

local function add_table(out, n, value, style, depth)
  if depth > core.json_depth then
    error(("has tables nested in more than %d levels"):format(core.json_depth), 0)
  elseif next(value) == nil then
    local marked = style.array_mt and getmetatable(value) == style.array_mt
    out[n + 1] = marked and "[]" or style.empty or "{}"
    return n + 1
  elseif json.is_list(value) then
    return add_list(out, n, value, style, depth + 1)
  end
  return add_object(out, n, value, style, depth + 1)
end

-- Appends the text of a value to the first n places of `out`. Returns how many it has then.
function add(out, n, value, style, depth)
  local kind = type(value)
  if kind == "string" then
    out[n + 1], out[n + 2], out[n + 3] = '"', escaped(value), '"'
    return n + 3
  elseif kind == "table" then
    return add_table(out, n, value, style, depth)
  elseif kind == "number" then
    out[n + 1] = json.number(value)
  elseif kind == "boolean" then
    out[n + 1] = tostring(value)
  elseif value == style.null then
    out[n + 1] = "null"
  else
    error(("has a %s, which cannot be written"):format(kind), 0)
  end
  return n + 1
end

--- Returns the JSON text of a value, in every process the same: keys are in order, and numbers read
-- back as they are. Raises the end of a sentence for what JSON cannot hold.
-- @param style table: `null`, what is written as null; `array_mt`, the metatable of lists, or
-- nil; `empty`, the text of an empty table without it, nil for "{}". A client's table will do.
function json.text(value, style)
  local out = {}
  local n = add(out, 0, value, style, 0)
  return table.concat(out, "", 1, n)
end

--- Calls a function that raises the ends of sentences. Returns its text, or nil and what it raised.
-- Where memory ran out, raises the error object for that.
function json.attempt(f, ...)
  local ok, text = pcall(f, ...)
  if ok then
    return text
  elseif problem.is_memory(text) then
    error(core.memory_error, 0)
  end
  return nil, tostring(text)
end

--- Makes a function that returns the JSON text of a row, as json.text does.
-- @param style as there
-- @param first list of the fields that come first
-- @param only whether there are no others
-- @param list the field that is a list also if it is empty and has no mark
function json.rows(style, first, only, list)
  local out, heads = {}, {}
  for _, field in ipairs(first) do
    heads[field] = head_of(field)
  end
  style = { null = style.null, array_mt = style.array_mt, empty = style.empty, heads = heads,
    list = list }
  return function(row)
    if type(row) ~= "table" or json.is_list(row) then
      return json.text(row, style)
    end
    local n, mark = add_fields(out, 0, row, first, style, 1, "{")
    if not only then
      n, mark = add_fields(out, n, row, json.keys(row, heads), style, 1, mark)
    end
    out[n + 1] = mark == "{" and "{}" or "}"
    return table.concat(out, "", 1, n + 1)
  end
end

return json
