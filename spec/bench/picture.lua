--- Draws what was found as SVG: for each of some cases a bar for each contender. Readable on light
-- and on dark grounds.
-- SPDX-License-Identifier: MIT

local stats = require "stats"

local CASES = { "far", "slow_50", "three_hundred_thousand" }
local WIDTH, LEFT, RIGHT, LINE, HEAD = 760, 250, 90, 24, 44

local STYLE = [[
<style>
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 14px }
  .ours { fill: #0969da } .peer { fill: #afb8c1 } .floor { fill: #d8dee4 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .ours { fill: #4493f8 } .peer { fill: #656d76 } .floor { fill: #3d444d }
  }
</style>]]

local ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }

local function text(class, x, y, anchor, words)
  return ('<text class="%s" x="%d" y="%d" text-anchor="%s">%s</text>'):format(class, x, y, anchor,
    (words:gsub("[&<>]", ESCAPES)))
end

local function class_of(name)
  if name:find "^floor" then
    return "floor"
  end
  return name:find "^ours" and "ours" or "peer"
end

-- The bars of a case, from y downwards. Adds to `parts`; returns where the next case begins.
local function draw(parts, case, y)
  local bars, longest = {}, 0
  for _, one in ipairs(case.results) do
    local wall = not one.failed and stats.of(one.wall)
    if wall and one.name ~= "stall" then
      bars[#bars + 1] = { name = one.name, title = one.title, seconds = wall.median }
      longest = math.max(longest, wall.median)
    end
  end
  table.sort(bars, function(a, b) return a.seconds < b.seconds end)
  parts[#parts + 1] = text("title", 0, y + 26, "start", case.title .. " (seconds)")
  for i, bar in ipairs(bars) do
    local top = y + HEAD + (i - 1) * LINE
    local width = math.max(1, bar.seconds / longest * (WIDTH - LEFT - RIGHT))
    parts[#parts + 1] = text("name", LEFT - 10, top + 13, "end", bar.title)
    parts[#parts + 1] = ('<rect class="%s" x="%d" y="%d" width="%.1f" height="18" rx="2"/>'):format(
      class_of(bar.name), LEFT, top, width)
    parts[#parts + 1] = text("value", math.floor(LEFT + width + 8), top + 13, "start",
      ("%.2f"):format(bar.seconds))
  end
  return y + HEAD + #bars * LINE
end

--- The text of the picture.
return function(found)
  local parts, y = { STYLE }, 0
  for _, name in ipairs(CASES) do
    for _, case in ipairs(found.cases) do
      if case.name == name then
        y = draw(parts, case, y)
      end
    end
  end
  return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" '
    .. 'aria-label="Seconds that each client takes">\n%s\n</svg>\n'):format(WIDTH, y + 10,
    table.concat(parts, "\n"))
end
