--- The pages for readers, for specs: their code blocks, headings and links.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local pages = {}

--- The names of all pages, README first.
function pages.all()
  local list = { "README.md", "CHANGELOG.md" }
  local pipe = io.popen(("cd %s && ls -d doc/*.md .github/*.md spec/support/simulator/*.md")
    :format(helper.top))
  for name in pipe:lines() do
    list[#list + 1] = name
  end
  pipe:close()
  return list
end

-- What GitHub and its like make of a heading for links.
local function anchor_of(heading)
  local text = heading:lower():gsub("%[(.-)%]%(.-%)", "%1")
  return (text:gsub("[^%w%s_\128-\255-]", ""):gsub(" ", "-"))
end

-- Adds the links of a line of text; what stands between backquotes is no link.
local function read_links(links, line)
  for target in line:gsub("`[^`]*`", ""):gmatch "%]%(([^%s)]+)%)" do
    links[#links + 1] = target
  end
end

--- Reads a page.
-- @return blocks, a list of { language, text, mark, heading, number }: `mark` is the comment on the
-- line before; the page's anchors, a set; its links, a list
function pages.read(name)
  local blocks, anchors, links = {}, {}, {}
  local heading, mark, block = nil, nil, nil
  for line in io.lines(helper.top .. "/" .. name) do
    local fence = line:match "^```(.*)$"
    if block and fence then
      blocks[#blocks + 1], block, mark = block, nil, nil
    elseif block then
      block.text = block.text .. line .. "\n"
    elseif fence then
      block = { language = fence, text = "", heading = heading, mark = mark, number = #blocks + 1 }
    elseif line:match "^#" then
      heading = line:match "^#+ (.*)$"
      local anchor, same = anchor_of(heading), 0
      while anchors[same == 0 and anchor or anchor .. "-" .. same] do
        same = same + 1
      end
      anchors[same == 0 and anchor or anchor .. "-" .. same] = true
    else
      mark = line:match "^<!%-%- (.*) %-%->$"
      read_links(links, line)
    end
  end
  assert(not block, name .. " has a block without an end")
  return blocks, anchors, links
end

--- The blocks of these pages in their order, each with its `page`. `fits(block)` picks.
function pages.blocks(names, fits)
  local list = {}
  for _, name in ipairs(names) do
    for _, block in ipairs((pages.read(name))) do
      block.page = name
      if fits(block) then
        list[#list + 1] = block
      end
    end
  end
  return list
end

return pages
