--- A customer as a line of the window: its columns, and the text that a filter looks into.
-- SPDX-License-Identifier: MIT
-- luacheck: read globals vim

local row = {}

local GAP = "  "

-- Field, head, columns of the screen. The first takes what is left; from the right, those are left
-- out for which there is no room.
local fields = {
  { "organization", "ORGANIZATION", 24 },
  { "jobStatus", "STATUS", 25 },
  { "countryOrRegion", "COUNTRY", 14 },
  { "ownerEmail", "OWNER", 32 },
  { "tenants", "TENANTS", 24 },
}

local FAILED, IDLE, WORKING = 2, 0, 1 -- status codes

--- The columns for a window of that width: a list of { field, head, width }.
function row.columns(width)
  local columns, left = {}, width
  for i, field in ipairs(fields) do
    local needed = field[3] + (i > 1 and #GAP or 0)
    if i > 1 and needed > left then
      break
    end
    columns[i] = { field[1], field[2], field[3] }
    left = left - needed
  end
  columns[1][3] = math.max(1, columns[1][3] + left)
  return columns
end

-- The text of a field in one line that cannot disturb the screen. The module is loaded at the first
-- customer: the window opens, and can say why, where it is not built.
local function text_of(customer, field)
  local text = require("avepoint.cell").text(customer[field], field)
  return text == "" and "-" or text
end

-- The text in exactly so many columns of the screen; two dots stand for what is cut off.
local function fit(text, width)
  local ascii = not text:find "[\128-\255]"
  local taken = ascii and #text or vim.fn.strdisplaywidth(text)
  if taken <= width then
    return text .. (" "):rep(width - taken)
  elseif ascii then
    return text:sub(1, width - 2) .. ".."
  end
  text = vim.fn.printf("%." .. math.max(0, width - 2) .. "S", text) .. ".."
  return text .. (" "):rep(width - vim.fn.strdisplaywidth(text))
end

--- The line of column heads.
function row.head(columns)
  local parts = {}
  for i, column in ipairs(columns) do
    parts[i] = fit(column[2], column[3])
  end
  return table.concat(parts, GAP)
end

-- Failed ones, and those of every other status that is neither idle nor at work: unknown ones too.
local function group_of(customer)
  local code = require("avepoint.customer").status_code(customer)
  if code == FAILED then
    return "AvepointFailed"
  elseif code ~= IDLE and code ~= WORKING then
    return "AvepointAttention"
  end
  return nil
end

--- A customer's line.
-- @return the line; the highlight group of its status, or nil; the bytes that this covers, from, to
function row.line(customer, columns)
  local parts, from, to = {}, 0, 0
  for i, column in ipairs(columns) do
    local text = fit(text_of(customer, column[1]), column[3])
    parts[i] = text
    if i == 1 then
      from = #text + #GAP
    elseif i == 2 then
      to = from + #text:gsub(" +$", "")
    end
  end
  return table.concat(parts, GAP), group_of(customer), from, to
end

--- The text that filters look into, in lower case: as listing:search does.
function row.searched(customer)
  return require("avepoint.customer").words(customer)
end

--- A filter's words.
function row.words(filter)
  local words = {}
  for word in filter:lower():gmatch "%S+" do
    words[#words + 1] = word
  end
  return words
end

--- Whether the text holds all the words.
function row.matches(text, words)
  for _, word in ipairs(words) do
    if not text:find(word, 1, true) then
      return false
    end
  end
  return true
end

return row
