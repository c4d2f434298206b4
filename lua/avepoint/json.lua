--- Finds the JSON library: lua-cjson, or Neovim's copy of it.
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

return json
