-- Puts a page together from whatever is listed, with what the scenario wants of pages. A read is
-- { name, page_size, most, clamps, is_steady }: its name for faults, the default and the greatest
-- page size, whether greater ones are clamped, and whether its list is not the scenario's.
-- SPDX-License-Identifier: MIT
local check = require "check"
local faults = require "faults"
local reply = require "reply"
local scenario = require "scenario"

local function rows(item, first, last)
  local texts = {}
  for n = first, last do texts[#texts + 1] = item(n) end
  return table.concat(texts, ",")
end

local function metadata(scene, page, size, total)
  if scene.metadata == false then return "" end
  local shown = scene.total or total + (scene.total_add or 0)
  return (',"metadata":{"pageIndex":%d,"pageSize":%d%s}'):format(page,
    scene.page_size_shown or size, scene.no_total and "" or (',"totalCount":%d'):format(shown))
end

local function past_the_end(scene, page, total)
  if total == 0 and page == 1 then return scene.empty_as_204 and reply.problem(204) or nil end
  local status = scene.past_end
  if status == nil or status == "empty" then return nil end
  return reply.problem(status)
end

local function page_answer(scene, read, view, page, size, fault)
  local number = not read.is_steady and scenario.count_list_request(scene) or nil
  local total, item = view()
  local from = fault and fault.kind == "repeat_page" and fault.content or page
  local first, last = (from - 1) * size + 1, math.min(from * size, total)
  local answer = first > total and past_the_end(scene, page, total)
  if fault and fault.kind == "drop_rows" then last = last - (fault.rows or 1) end
  if not answer then
    answer = reply.json(200, '{"data":[' .. rows(item, first, last) .. "]"
      .. metadata(scene, page, size, total) .. "}")
  end
  answer.list_request = number
  return answer
end

local M = {}

-- answer(request, read, view): view() gives how many items there are now, and a function that gives
-- the JSON of the n-th
function M.answer(request, read, view)
  local scene = request.scene
  local page, size = check.paging(request, read)
  if not page then return reply.problem(400, size) end
  local fault = faults.pick(scene, read.name, page, math.max(1, math.ceil(view() / size)))
  if fault and faults.replaces_answer(fault) then return faults.apply(fault) end
  return faults.apply(fault, page_answer(scene, read, view, page, size, fault))
end

-- customers(scene, ids, generate): the view of the scenario's list, of these ids or false for all,
-- with rows as generate(ordinal) writes them
function M.customers(scene, ids, generate)
  local list = scene.list
  return function()
    local places = ids and list:places(ids) or nil
    return places and #places or list:count(), function(n)
      return list:json(places and places[n] or n, generate)
    end
  end
end

return M
