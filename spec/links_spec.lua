-- The links of all pages for readers lead to files and headings that are there.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local pages = dofile(helper.top .. "/spec/support/pages.lua")

-- The path that a link of a page leads to, relative to the checkout.
local function resolve(page, link)
  local parts = {}
  for part in ((page:match "^(.*/)" or "") .. link):gmatch "[^/]+" do
    if part == ".." then
      assert(table.remove(parts), "leaves the checkout")
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return table.concat(parts, "/")
end

local function exists(path)
  return os.execute(("test -e '%s/%s'"):format(helper.top, path)) -- a folder counts too
end

local function is_there(path)
  local said = exists(path)
  return said == true or said == 0
end

-- What is wrong with a link, or nil.
local function wrong(page, link)
  local path, anchor = link:match "^([^#]*)#?(.*)$"
  path = path == "" and page or resolve(page, path)
  if not is_there(path) then
    return link .. ": no such file"
  elseif anchor ~= "" and not select(2, pages.read(path))[anchor] then
    return link .. ": no such heading"
  end
end

describe("the links of", function()
  for _, page in ipairs(pages.all()) do
    it(page .. " lead somewhere", function()
      local _, _, links = pages.read(page)
      local found = {}
      for _, link in ipairs(links) do
        if not link:find "^%a+:" then
          found[#found + 1] = wrong(page, link)
        end
      end
      assert.same({}, found)
    end)
  end

  it("the README reach every page of doc/", function()
    local _, _, links = pages.read "README.md"
    local linked = {}
    for _, link in ipairs(links) do
      linked[link] = true
    end
    for _, page in ipairs(pages.all()) do
      if page:find "^doc/" then
        assert.is_true(linked[page], page .. " is not in the README's index")
      end
    end
  end)
end)
