--- Finds the JSON library (lua-cjson, or Neovim's copy of it), and writes JSON whose keys are in
-- order.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"

local json = {}

--- Returns the library; raises if there is none.
function json.find()
  local ok, cjson = pcall(require, "cjson")
  if ok and type(cjson) == "table" then
    return cjson
  elseif cjson == "not enough memory" then -- that does not mean that there is none
    error(cjson, 0)
  end
  local vim = rawget(_G, "vim")
  if type(vim) == "table" and vim.json then
    return vim.json
  end
  error("avepoint needs lua-cjson (Debian: lua-cjson; LuaRocks: lua-cjson)", 0)
end

--- Puts into a client's table: decode, encode, and array_mt if the library marks arrays.
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
  state.decode, state.encode, state.array_mt = library.decode, library.encode, library.array_mt
end

--- Returns the shortest text that reads back as the same number. JSON has no infinite numbers.
function json.number(n)
  if n - n ~= 0 then
    return "null"
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

local function array_text(list, state)
  local texts = {}
  for i = 1, #list do
    texts[i] = json.text(list[i], state)
  end
  return "[" .. table.concat(texts, ",") .. "]"
end

local function object_text(object, state)
  local names, texts = {}, {}
  for name in pairs(object) do
    names[#names + 1] = tostring(name)
  end
  table.sort(names)
  for i, name in ipairs(names) do
    texts[i] = state.encode(name) .. ":" .. json.text(object[name], state)
  end
  return "{" .. table.concat(texts, ",") .. "}"
end

--- Returns the JSON text of a value, in every process the same: keys are in order, and numbers read
-- back as they are.
-- @param state the client's table
function json.text(value, state)
  local kind = type(value)
  if kind == "number" then
    return json.number(value)
  elseif kind == "userdata" then -- the library's null
    return "null"
  elseif kind ~= "table" then
    return state.encode(value)
  elseif value[1] ~= nil or state.array_mt and getmetatable(value) == state.array_mt then
    return array_text(value, state)
  end
  return object_text(value, state)
end

return json
