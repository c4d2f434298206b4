--- Rows of the fault matrix: pages that are good each on its own, in a list that contradicts
-- itself.
-- SPDX-License-Identifier: MIT

local list = require "spec.support.faults.list"
local row = require "spec.support.faults.row"
local whole, fails = row.whole, row.fails

local rows = {}

local AGAIN = whole(2, { again = true, any_order = true, words = "whole, read again" })
local function drift(yields) return fails("drift", 1, { yields = yields, stays = true }) end

local function add(name, at, fields, once, spent)
  local new = { name = name, at = at, once = once, spent = spent, loose = true, uncounted = true }
  for field, value in pairs(fields) do new[field] = value end
  rows[#rows + 1] = new
end

-- One page that is another than it should be.
local function page(name, at, damage, once, spent)
  add(name, at, { fault = function(place)
    return { status = 200, body = list.body(list.page_of[place], damage) }
  end }, once, spent)
end

-- A list that is as it is.
local function lists(name, scenario, outcome)
  add(name, row.LIST, { scenario = scenario }, nil, outcome)
end

-- A list that is so once and then otherwise, or so for ever.
local function list_of_faults(name, make, once, spent)
  add(name, row.LIST, { scenario = function(times)
    local faults = make(times)
    for _, fault in ipairs(faults) do fault.on, fault.times = "page", times end
    return { faults = faults }
  end }, once, spent)
end

local function missing(n, ids)
  return whole(1, { missing = n, again = true, ids = ids, any_order = true })
end

local function without(from, to)
  local ids = {}
  for n, id in ipairs(list.ids) do
    if n < from or n > to then ids[#ids + 1] = id end
  end
  return ids
end

-- Totals above what is there: what is missing is said.
lists("a total of 1 too many", { total_add = 1 }, missing(1))
lists("a total of 2 too many", { total_add = 2 }, missing(2))
lists("a total of a page too many", { total_add = 5 }, missing(5))
lists("a total of 3 too many, 204 past the end", { total_add = 3, past_end = 204 }, missing(3))
lists("a total of a page too many, 204 past the end", { total_add = 5, past_end = 204 }, missing(5))
lists("a total of a page too many, 404 past the end", { total_add = 5, past_end = 404 }, missing(5))
lists("a total of a page too many, 400 past the end", { total_add = 5, past_end = 400 }, missing(5))
lists("a total of a thousand too many", { total_add = 1000 }, missing(1000))
lists("a total of a thousand too many, 404 past the end", { total_add = 1000, past_end = 404 },
  missing(1000))
lists("a total of nine quadrillions", { total = 9000000000000000 }, missing(8999999999999977))
lists("a total, but nobody there", { raw_items = {}, total = 23 }, missing(23, {}))

-- Totals below it: the full pages tell that there is more.
lists("a total of 1 too few", { total_add = -1 }, whole(1))
lists("a total of a page too few", { total_add = -5 }, whole(1))
lists("a total of 3", { total = 3 }, whole(1))
lists("a total of 0", { total = 0 }, whole(1))

-- No totals, and page sizes that are not those of the pages.
local TWICE = whole(1, { again = true, words = "whole, read twice" })
lists("no total", { no_total = true }, TWICE)
lists("no metadata", { metadata = false }, TWICE)
lists("no total, the last page full", { no_total = true, raw_items = { list.row(1), list.row(2),
  list.row(3), list.row(4), list.row(5) } }, whole(1, { ids = without(6, 23), again = true }))
lists("an empty list", { raw_items = {} }, whole(1, { ids = {} }))
lists("an empty list as 204", { raw_items = {}, empty_as_204 = true }, whole(1, { ids = {} }))
for _, size in ipairs { 1, 3, 50, 1000000 } do
  lists("a pageSize of " .. size .. " shown", { page_size_shown = size }, whole(1))
end
lists("pages cut to 2, and said so", { page_size_max = 2 }, whole(1))
lists("pages cut to 2 without a word", { page_size_max = 2, page_size_shown = 5 },
  whole(1, { again = true, any_order = true, words = "whole, read again" }))

-- Totals that move.
local function totals(step)
  return function()
    local faults = {}
    for n = 1, 80 do
      faults[n] = { page = n, status = 200, body = list.body(n, { rows = n > list.pages and {}
        or nil, meta = { totalCount = tostring(math.max(0, 23 + step * n)) } }) }
    end
    return faults
  end
end
list_of_faults("totals that grow for ever", totals(5), nil, drift(10))
list_of_faults("totals that grow by one a page", totals(1), nil, drift(10))
list_of_faults("totals that shrink", totals(-2), nil, drift(10))
lists("a list that grows for ever", { changes_every = { requests = 1, insert = 1 } },
  whole(1, { ids = "distinct", again = true }))
lists("a list that shrinks for ever", { changes_every = { requests = 1, remove = 1 } },
  whole(1, { ids = "distinct", again = true }))

-- One page that says another total, or none.
for place, yields in pairs { first = 10, middle = 15, last = 23 } do
  page("another total on one page, one more", { place }, { meta = { totalCount = "24" } }, AGAIN,
    drift(yields))
  page("another total on one page, one less", { place }, { meta = { totalCount = "22" } }, AGAIN,
    drift(yields))
end
page("totalCount is null", row.PAGES, { meta = { totalCount = "null" } }, AGAIN, AGAIN)
page("totalCount is absent", row.PAGES, { meta = { totalCount = false } }, AGAIN, AGAIN)
page("metadata is null", row.PAGES, { metadata = "null" }, AGAIN, AGAIN)
page("metadata is absent", row.PAGES, { metadata = false }, AGAIN, AGAIN)
page("metadata is an empty object", row.PAGES, { metadata = "{}" }, AGAIN, AGAIN)
page("another pageSize on one page", row.PAGES, { meta = { pageSize = "7" } }, AGAIN, AGAIN)

-- Pages with too few rows.
for place, range in pairs { first = { 1, 5 }, middle = { 11, 15 }, last = { 21, 23 } } do
  local gone = range[2] - range[1] + 1
  local ids = without(range[1], range[2])
  page("an empty page", { place }, { rows = {} }, AGAIN, missing(gone, ids))
  add("one row missing", { place }, { fault = { kind = "drop_rows", rows = 1 } }, AGAIN,
    missing(1, without(range[2], range[2])))
  page("data is an empty object", { place }, { data = "{}" }, AGAIN, missing(gone, ids))
  for _, status in ipairs(place ~= "first" and { 204, 400, 404 } or {}) do
    add("status " .. status, { place }, { fault = { status = status } }, AGAIN, missing(gone, ids))
  end
end
add("status 204", row.FIRST, { fault = { status = 204 } }, whole(1, { ids = {},
  words = "an empty list" }), whole(1, { ids = {}, words = "an empty list" }))

-- Pages that come again, or out of order.
list_of_faults("two pages exchanged", function()
  return { { page = 2, kind = "repeat_page", content = 4 },
    { page = 4, kind = "repeat_page", content = 2 } }
end, whole(1, { any_order = true }), whole(1, { any_order = true }))
list_of_faults("the last page exchanged", function()
  return { { page = 2, kind = "repeat_page", content = 5 },
    { page = 5, kind = "repeat_page", content = 2 } }
end, AGAIN, AGAIN)
list_of_faults("a page instead of the next", function()
  return { { page = 3, kind = "repeat_page", content = 2 } }
end, AGAIN, missing(5, without(11, 15)))
list_of_faults("the first page as the last", function()
  return { { page = 5, kind = "repeat_page", content = 1 } }
end, AGAIN, missing(3, without(21, 23)))
lists("the same page for ever", { faults = { { on = "page", kind = "repeat_page", content = 1,
  times = -1 } } }, fails("protocol", 1, { yields = 5, stays = true }))
lists("the same page for ever, no total", { no_total = true, faults = { { on = "page",
  kind = "repeat_page", content = 1, times = -1 } } }, whole(1, { ids = without(6, 23),
  again = true }))
add("two pages in turns for ever, no total", row.LIST, { scenario = function()
  local faults = {}
  for n = 1, 100 do
    faults[n] = { on = "page", page = n, kind = "repeat_page", content = n % 2 + 1, times = -1 }
  end
  return { no_total = true, faults = faults }
end }, nil, whole(1, { ids = without(11, 23), again = true, any_order = true }))
for n, delays in ipairs { { 0.06, 0.04, 0.02 }, { 0.02, 0.06, 0.04 } } do
  list_of_faults("answers that overtake each other (" .. n .. ")", function()
    local faults = {}
    for i, seconds in ipairs(delays) do
      faults[i] = { page = i + 1, kind = "wait", seconds = seconds }
    end
    return faults
  end, whole(1), whole(1))
end

-- Ids.
local function with_row(n, text)
  local texts = list.rows()
  texts[n] = text
  return { raw_items = texts }
end
lists("an id twice on one page", with_row(3, list.row(2)), missing(1, without(3, 3)))
lists("an id twice on two pages", with_row(13, list.row(2)), missing(1, without(13, 13)))
lists("an id twice, in capitals", with_row(13, list.row(2, { id = '"' .. list.ids[2]:upper()
  .. '"' })), missing(1, without(13, 13)))
page("a row too many", row.LATER, { rows = { list.row(1), list.row(2), list.row(3), list.row(4),
  list.row(5), list.row(6) } }, AGAIN)

return rows
