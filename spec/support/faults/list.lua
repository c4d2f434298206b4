--- The list that the fault matrix reads: 23 customers on five pages of five, as JSON text, and its
-- pages in all the ways in which they can be damaged.
-- SPDX-License-Identifier: MIT

local list = { total = 23, size = 5, pages = 5, token = "matrix-access-token-5fe1c0d2" }

--- The pages that a place of the matrix stands for; the token counts as page 1, since that is what
-- waits for it, and a renewal happens before page 3.
list.page_of = { token = 1, renewal = 3, first = 1, middle = 3, last = 5 }

list.ids = {}
for n = 1, list.total do
  list.ids[n] = ("%08x-5eed-4a00-8b00-%012x"):format(n * 2654435 % 2 ^ 32, n)
end

local FIELDS = { "id", "organization", "ownerEmail", "jobStatus", "countryOrRegion",
  "managementMode", "tenants" }

-- The JSON text of an object of these fields, in their order. `edit` and `also` as in list.row.
local function object(fields, texts, edit, also)
  edit = edit or {}
  local members = { also }
  for _, field in ipairs(fields) do
    local text = edit[field]
    if text == nil then text = texts[field] end
    if text then members[#members + 1] = ('"%s":%s'):format(field, text) end
  end
  return "{" .. table.concat(members, ",") .. "}"
end

--- The JSON text of the n-th customer. `edit` maps a field to another text, or false to leave it
-- out; `also` is put in front.
function list.row(n, edit, also)
  local texts = {
    id = ('"%s"'):format(list.ids[n]),
    organization = ('"Organization %d"'):format(n),
    ownerEmail = ('"owner%d@example.com"'):format(n),
    jobStatus = '"Working"',
    countryOrRegion = '"Japan"',
    managementMode = "1",
    tenants = ('[{"id":"t-%d","name":"Tenant %d"}]'):format(n, n),
  }
  return object(FIELDS, texts, edit, also)
end

--- The JSON texts of all customers.
function list.rows()
  local rows = {}
  for n = 1, list.total do rows[n] = list.row(n) end
  return rows
end

--- The JSON text of a page's metadata. `edit`, as above, of pageIndex, pageSize, totalCount.
function list.metadata(page, edit)
  local texts = { pageIndex = page, pageSize = list.size, totalCount = list.total }
  return object({ "pageIndex", "pageSize", "totalCount" }, texts, edit)
end

--- The JSON texts of a page's rows, in which `edit` is made to the second one.
function list.page_rows(page, edit, also)
  local rows = {}
  local first = (page - 1) * list.size + 1
  for n = first, math.min(first + list.size - 1, list.total) do
    local second = n == first + 1
    rows[#rows + 1] = list.row(n, second and edit or nil, second and also or nil)
  end
  return rows
end

--- A page's body. `damage` may have row (an edit of the second row), also (text in front of its
-- members), rows (another list of rows), data, metadata (texts; false: absent), meta (an edit).
function list.body(page, damage)
  damage = damage or {}
  local rows = damage.rows or list.page_rows(page, damage.row, damage.also)
  local data, metadata = damage.data, damage.metadata
  if data == nil then data = "[" .. table.concat(rows, ",") .. "]" end
  if metadata == nil then metadata = list.metadata(page, damage.meta) end
  local members = {}
  if data then members[#members + 1] = '"data":' .. data end
  if metadata then members[#members + 1] = '"metadata":' .. metadata end
  return "{" .. table.concat(members, ",") .. "}"
end

--- The body of a token reply, `edit` as above.
function list.token_body(edit)
  local texts = { access_token = ('"%s"'):format(list.token), expires_in = "3600",
    token_type = '"Bearer"', scope = '"elements.customers.read.all"' }
  return object({ "access_token", "expires_in", "token_type", "scope" }, texts, edit)
end

--- The good body for a place.
function list.good(place)
  if place == "token" or place == "renewal" then return list.token_body() end
  return list.body(list.page_of[place])
end

return list
