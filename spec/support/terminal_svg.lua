--- Draws what a terminal showed as SVG: text with colours on stdin, as `tmux capture-pane -e` gives
-- it, SVG on stdout.
-- usage: terminal_svg.lua COLUMNS LABEL <text >picture     (with the module on the paths)
-- SPDX-License-Identifier: MIT

require "avepoint"
local fit = require("avepoint.core").fit -- returns a text's width first

local CELL, LINE, SIZE, MARGIN = 8, 18, 13, 14
local GROUND, INK = "#0d1117", "#e6edf3"
local COLOURS = { [0] = "#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf",
  "#b1bac4", "#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd",
  "#ffffff" }

-- One of a terminal's 256 colours.
local function indexed(n)
  if n < 16 then
    return COLOURS[n]
  elseif n >= 232 then
    local grey = 8 + (n - 232) * 10
    return ("#%02x%02x%02x"):format(grey, grey, grey)
  end
  local function part(step)
    local level = math.floor((n - 16) / step) % 6
    return level == 0 and 0 or 55 + level * 40
  end
  return ("#%02x%02x%02x"):format(part(36), part(6), part(1))
end

-- Reads the colour behind 38 or 48 in a list of numbers; returns it and the place of its last one.
local function extended(numbers, i)
  if numbers[i + 1] == 5 then
    return indexed(numbers[i + 2]), i + 2
  end
  return ("#%02x%02x%02x"):format(numbers[i + 2], numbers[i + 3], numbers[i + 4]), i + 4
end

local set = {} -- what a number of a terminal's sequence does to the pen
set[0] = function(pen) pen.ink, pen.ground, pen.bold, pen.reverse = nil, nil, nil, nil end
set[1] = function(pen) pen.bold = true end
set[7] = function(pen) pen.reverse = true end
set[22] = function(pen) pen.bold = nil end
set[27] = function(pen) pen.reverse = nil end
set[39] = function(pen) pen.ink = nil end
set[49] = function(pen) pen.ground = nil end
for i = 0, 7 do
  set[30 + i] = function(pen) pen.ink = COLOURS[i] end
  set[40 + i] = function(pen) pen.ground = COLOURS[i] end
  set[90 + i] = function(pen) pen.ink = COLOURS[8 + i] end
  set[100 + i] = function(pen) pen.ground = COLOURS[8 + i] end
end

local function apply(pen, sequence)
  local numbers, i = {}, 1
  for number in sequence:gsub("^$", "0"):gmatch "%d+" do
    numbers[#numbers + 1] = tonumber(number)
  end
  while i <= #numbers do
    local n = numbers[i]
    if n == 38 or n == 48 then
      local colour
      colour, i = extended(numbers, i)
      pen[n == 38 and "ink" or "ground"] = colour
    elseif set[n] then
      set[n](pen)
    end
    i = i + 1
  end
end

local ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }

-- The colours of a text, and of what lies under it.
local function colours_of(pen)
  local ink, ground = pen.ink or INK, pen.ground or GROUND
  if pen.reverse then
    ink, ground = ground, ink
  end
  return ink, ground
end

-- Draws a piece of a line in one style. Its width is stated, since fonts differ.
local function draw(out, pen, text, column, row)
  local cells = fit(text)
  local x, y = MARGIN + column * CELL, MARGIN + row * LINE
  local ink = colours_of(pen)
  if text:find "[^ ]" then
    out[#out + 1] = ('<text x="%d" y="%d" textLength="%d" fill="%s"%s>%s</text>'):format(x,
      y + SIZE, cells * CELL, ink, pen.bold and ' class="bold"' or "",
      (text:gsub("[&<>]", ESCAPES)))
  end
  return column + cells
end

-- Draws a text word by word, so that columns stay where they are whatever font there is.
local function draw_words(out, pen, text, column, row)
  local _, ground = colours_of(pen)
  if text ~= "" and ground ~= GROUND then
    out[#out + 1] = ('<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>'):format(MARGIN
      + column * CELL, MARGIN + row * LINE, fit(text) * CELL, LINE, ground)
  end
  for blanks, word in text:gmatch "( *)([^ ]*)" do
    column = blanks ~= "" and draw(out, pen, blanks, column, row) or column
    column = word ~= "" and draw(out, pen, word, column, row) or column
  end
  return column
end

local columns, label = tonumber(arg[1]), arg[2]
local body, pen, row = {}, {}, 0
for line in io.lines() do
  local column, place = 0, 1
  while place <= #line do
    local from, to, sequence = line:find("\27%[([%d;:]*)m", place)
    column = draw_words(body, pen, line:sub(place, (from or 0) - 1), column, row)
    if from then
      apply(pen, sequence)
    end
    place = (to or #line) + 1
  end
  row = row + 1
end

local width, height = columns * CELL + 2 * MARGIN, row * LINE + 2 * MARGIN
io.write(([[
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">
<style>
text { font: %dpx ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre }
.bold { font-weight: bold }
rect { shape-rendering: crispEdges }
</style>
<rect width="%d" height="%d" rx="8" fill="%s"/>
%s
</svg>
]]):format(width, height, label, SIZE, width, height, GROUND, table.concat(body, "\n")))
