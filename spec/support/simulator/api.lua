-- The customers endpoints: the GET of the customers page, the released POST .../batch, and the
-- POST that would create a customer. Checks a request as the documents say and puts a page
-- together from the scenario's list.
-- SPDX-License-Identifier: MIT
local cjson = require "cjson"
local faults = require "faults"
local reply = require "reply"
local scenario = require "scenario"
local token = require "token"

local MOST_PAGES = 2147483647

local ENDPOINTS = {
  get = { page_size = 100, most = 1000, clamps = true, form = "name", spelling = "customers_page" },
  batch = { page_size = 50, most = 100, clamps = false, form = "integer", spelling = "released" },
}

local QUERY = { pageIndex = true, pageSize = true }

local function whole_number(value, default)
  if value == nil then return default end
  local number = type(value) == "string" and value:match("^%d+$") and tonumber(value)
  return number and number >= 1 and number <= MOST_PAGES and number or nil
end

-- page and size, or nil and the message of the 400
local function read_paging(request, endpoint)
  for name in pairs(request.args) do
    if not QUERY[name] then return nil, "Unknown parameter: " .. name end
  end
  local page = whole_number(request.args.pageIndex, 1)
  local size = whole_number(request.args.pageSize, endpoint.page_size)
  if not page then return nil, "pageIndex must be a positive integer." end
  if not size then return nil, "pageSize must be a positive integer." end
  local most = request.scene.page_size_max
  if size > (most or endpoint.most) then
    if not most and not endpoint.clamps then
      return nil, "pageSize must be at most " .. endpoint.most .. "."
    end
    size = most or endpoint.most
  end
  return page, size
end

-- customerIds of a batch body: false for all, a list, or nil where the body is wrong
local function read_ids(request)
  local type_sent = ngx.req.get_headers(0)["content-type"]
  local body = request.body
  if body == nil or body == "" then return false end
  if type(type_sent) ~= "string" or type_sent:lower():match("^[^; ]*") ~= "application/json" then
    return nil
  end
  local ok, fields = pcall(cjson.decode, body)
  if not ok or type(fields) ~= "table" or not body:find("^%s*{") then return nil end
  local ids = fields.customerIds
  if ids == nil or ids == cjson.null then return false end
  if type(ids) ~= "table" then return nil end
  for key, id in pairs(ids) do
    if type(key) ~= "number" or type(id) ~= "string" then return nil end
  end
  return #ids > 0 and ids
end

local function rows(scene, endpoint, places, first, last)
  local list, form = scene.list, scene.status_form or endpoint.form
  local texts = {}
  for n = first, last do
    texts[#texts + 1] = list:json(places and places[n] or n, form, endpoint.spelling)
  end
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

local function page_answer(request, endpoint, page, size, ids, fault)
  local scene = request.scene
  local number = scenario.count_list_request(scene)
  local places = ids and scene.list:places(ids) or nil
  local total = places and #places or scene.list:count()
  local from = fault and fault.kind == "repeat_page" and fault.content or page
  local first, last = (from - 1) * size + 1, math.min(from * size, total)
  local answer = first > total and past_the_end(scene, page, total)
  if fault and fault.kind == "drop_rows" then last = last - (fault.rows or 1) end
  if not answer then
    answer = reply.json(200, '{"data":[' .. rows(scene, endpoint, places, first, last) .. "]"
      .. metadata(scene, page, size, total) .. "}")
  end
  answer.list_request = number
  return answer
end

local function list_customers(request, name, ids)
  local endpoint, scene = ENDPOINTS[name], request.scene
  local page, size = read_paging(request, endpoint)
  if not page then return reply.problem(400, size) end
  local total = ids and #scene.list:places(ids) or scene.list:count()
  local fault = faults.pick(scene, name, page, math.max(1, math.ceil(total / size)))
  if fault and faults.replaces_answer(fault) then return faults.apply(fault) end
  return faults.apply(fault, page_answer(request, endpoint, page, size, ids, fault))
end

local M = {}

-- GET .../customers; the same path with POST onboards a customer, which no reader may ever do.
function M.customers(request)
  if request.method ~= "GET" and request.method ~= "POST" then
    return reply.problem(405, nil, { Allow = "GET, POST" })
  end
  local refused = token.admit(request)
  if refused then return refused end
  if request.method == "POST" then
    local answer = reply.json(201, '{"status":1}')
    answer.created = true
    return answer
  end
  if request.body then return reply.problem(400, "A GET request has no body.") end
  return list_customers(request, "get")
end

-- POST .../customers/batch
function M.batch(request)
  if request.method ~= "POST" then return reply.problem(405, nil, { Allow = "POST" }) end
  local refused = token.admit(request)
  if refused then return refused end
  local ids = read_ids(request)
  if ids == nil then return reply.problem(400, "The body is not the documented JSON object.") end
  return list_customers(request, "batch", ids)
end

return M
