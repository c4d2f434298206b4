--- The copy of the customer list that all workers share, in an ngx.shared dictionary: rows as JSON
-- text in pieces of a page each (no large value has to find room in one stretch), and beside them
-- one small description that is replaced last, so that nobody sees half a list. Each worker keeps
-- the rows of the newest copy that it was asked for.
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"
local words = require("avepoint.customer").words -- what a search looks into

local Copy = {}
Copy.__index = Copy

--- Opens the dictionary of this name, which nginx.conf has to declare.
function Copy.open(name)
  local dictionary = ngx.shared[name]
  if not dictionary then
    error(('nginx.conf needs "lua_shared_dict %s 16m;"'):format(name), 0)
  end
  return setmetatable({ dictionary = dictionary, name = name }, Copy)
end

local function piece_key(version, n)
  return ("piece %d %d"):format(version, n)
end

-- Pieces of other versions: the one before, and what a worker that was killed has left.
local function sweep(dictionary, version)
  for _, key in ipairs(dictionary:get_keys(0)) do
    local of = key:match "^piece (%d+) "
    if of and tonumber(of) ~= version then
      dictionary:delete(key)
    end
  end
end

--- Puts a list there in place of the last one.
-- @param pieces texts, each some rows as JSON with line ends between them
-- @param about table: what to know of the list; kept with it
-- @return true, or nil and what is wrong; then the last list stays
function Copy:put(pieces, about)
  local dictionary = self.dictionary
  local version = dictionary:incr("version", 1, 0)
  local ok, err = true, nil
  for n = 1, #pieces do
    if ok then
      ok, err = dictionary:safe_set(piece_key(version, n), pieces[n])
    end
  end
  about.version, about.pieces = version, #pieces
  if ok then
    ok, err = dictionary:safe_set("about", cjson.encode(about))
  end
  local last = self:about()
  sweep(dictionary, last and last.version)
  if not ok then
    return nil, ("the list does not fit into lua_shared_dict %s twice (%s): make it larger")
      :format(self.name, err)
  end
  return true
end

--- What is known of the list: the table given to put, or nil while there is none.
function Copy:about()
  local text = self.dictionary:get "about"
  if text ~= self.about_text then
    self.about_text, self.about_table = text, text and cjson.decode(text)
  end
  return self.about_table
end

local function load(dictionary, about)
  local pieces = {}
  for n = 1, about.pieces do
    local piece = dictionary:get(piece_key(about.version, n))
    if not piece then
      return nil -- another list has come meanwhile
    end
    pieces[n] = piece
  end
  return pieces
end

--- The newest list: what is known of it, and its pieces. Nil while there is none.
function Copy:newest()
  local about = self:about()
  while about and (not self.pieces or self.version ~= about.version) do
    local pieces = load(self.dictionary, about)
    if pieces then
      self.version, self.pieces, self.rows = about.version, pieces, nil
    else
      local next_one = self:about()
      if next_one == about then
        return nil -- pieces were thrown out: the dictionary is too small
      end
      about = next_one
    end
  end
  return about, self.pieces
end

--- The rows of the newest list, each { text = JSON, customer = table, words = text }. Decoded when
-- they are first needed, a piece at a time: between two the worker serves others.
function Copy:decoded()
  local about, pieces = self:newest()
  if not about or self.rows then
    return about, self.rows
  end
  local rows = {}
  for _, piece in ipairs(pieces) do
    for text in piece:gmatch "[^\n]+" do
      local customer = cjson.decode(text)
      rows[#rows + 1] = { text = text, customer = customer, words = words(customer) }
    end
    ngx.sleep(0.001)
  end
  if pieces == self.pieces then
    self.rows = rows
  end
  return about, rows
end

return Copy
