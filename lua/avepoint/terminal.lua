--- A file that text for people is written to: a terminal of so many columns, in colour or not, or
-- anything else. What cannot be written is an error.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"
local lazy = require "avepoint.lazy"
local problem = require "avepoint.problem"

local terminal = {}

local Terminal = {}
Terminal.__index = Terminal

local NARROWEST = 8 -- columns that text is wrapped to at least
local WIDEST = 1e6 -- columns that COLUMNS may say

-- Returns the columns of the terminal that the file is, or nil. COLUMNS counts over its own word.
local function columns_of(file)
  local columns = io.type(file) == "file" and core.terminal_columns(file) or 0
  if columns > 0 then
    local told = tonumber(os.getenv "COLUMNS" or "")
    return told and told >= 1 and math.floor(math.min(told, WIDEST)) or columns
  end
end

local function may_colour()
  local no, kind = os.getenv "NO_COLOR" or "", os.getenv "TERM" or ""
  return no == "" and kind ~= "" and kind ~= "dumb"
end

local function write_of(file)
  return file.write
end

--- Returns whether a value is an open file, or any object with a method `write`. A listing's writes
-- the listing.
function terminal.can_write(file)
  local ok, write = pcall(write_of, file)
  return ok and type(write) == "function" and not lazy.is_listing(file)
end

-- An object of the user's may return nothing at all.
local function outcome(ok, why)
  if not ok and why ~= nil then
    return nil, why
  end
  return true
end

--- Writes texts to a file. Returns true, or nil and why not.
function terminal.write(file, ...)
  return outcome(file:write(...))
end

--- Sees that all is written: a full disk may show only now. Returns true, or nil and why not.
function terminal.flush(file)
  if io.type(file) == "file" then
    return outcome(file:flush())
  end
  return true
end

--- Opens a file for what `what` writes, a function's name. Raises an argument error if it is none.
-- @param file an open file, or any object with a method `write`; nil: io.stdout
-- @return object with the fields `columns` (nil if it is no terminal) and `colours`
function terminal.open(file, what)
  if file == nil then
    file = io.stdout
  elseif io.type(file) == "closed file" then
    problem.misuse("%s: the file is closed", what)
  elseif not terminal.can_write(file) then
    problem.misuse("%s takes an open file or nothing, and options behind it", what)
  end
  local columns = columns_of(file)
  return setmetatable({ file = file, what = what, columns = columns,
    colours = columns and may_colour() }, Terminal)
end

local function check(self, ok, why)
  if not ok then
    problem.misuse("%s: not all could be written: %s", self.what, tostring(why))
  end
end

--- Writes a line.
function Terminal:line(text)
  check(self, terminal.write(self.file, text, "\n"))
end

--- Sees that all is written.
function Terminal:finish()
  check(self, terminal.flush(self.file))
end

--- Returns a text in a colour (a number of ANSI's), if there are colours.
function Terminal:paint(text, colour)
  return self.colours and colour and ("\27[%dm%s\27[0m"):format(colour, text) or text
end

--- Returns a clean text as a list of lines that fit behind `indent` columns of the terminal.
function Terminal:wrap(text, indent)
  local lines = {}
  local room = self.columns and math.max(self.columns - indent, NARROWEST) or math.huge
  local _, bytes = core.fit(text, math.min(room, #text))
  while bytes > 0 and bytes < #text do
    local at = text:find("^ ", bytes + 1) or text:sub(1, bytes):match "^.*() "
    lines[#lines + 1] = text:sub(1, at and at - 1 or bytes)
    text = text:sub((at or bytes) + 1)
    _, bytes = core.fit(text, room)
  end
  lines[#lines + 1] = text
  return lines
end

--- Returns a clean text cut to at most `most` columns, two dots for the rest, and its columns.
function terminal.cut(text, most)
  local columns, bytes = core.fit(text, most)
  if bytes == #text then
    return text, columns
  end
  local rest = (".."):sub(1, most)
  columns, bytes = core.fit(text, most - #rest)
  return text:sub(1, bytes) .. rest, columns + #rest
end

--- Returns a text of so many columns padded to `width`.
function terminal.pad(text, columns, width)
  return text .. (" "):rep(width - columns)
end

return terminal
