-- Checks what a request to the API holds, as the documents have it: the paging in its query and
-- the JSON of its body.
-- SPDX-License-Identifier: MIT
local cjson = require "cjson"

local MOST_PAGES = 2147483647

local QUERY = { pageIndex = true, pageSize = true }

local M = {}

local function whole_number(value, default)
  if value == nil then return default end
  local number = type(value) == "string" and value:match("^%d+$") and tonumber(value)
  return number and number >= 1 and number <= MOST_PAGES and number or nil
end

-- paging(request, read): page and size, or nil and the message of the 400
function M.paging(request, read)
  for name in pairs(request.args) do
    if not QUERY[name] then return nil, "Unknown parameter: " .. name end
  end
  local page = whole_number(request.args.pageIndex, 1)
  local size = whole_number(request.args.pageSize, read.page_size)
  if not page then return nil, "pageIndex must be a positive integer." end
  if not size then return nil, "pageSize must be a positive integer." end
  local most = request.scene.page_size_max
  if size > (most or read.most) then
    if not most and not read.clamps then
      return nil, "pageSize must be at most " .. read.most .. "."
    end
    size = most or read.most
  end
  return page, size
end

-- fields(request): the members of the body, none where it is empty, nil where it is no JSON object
function M.fields(request)
  local type_sent = ngx.req.get_headers(0)["content-type"]
  local body = request.body
  if body == nil or body == "" then return {} end
  if type(type_sent) ~= "string" or type_sent:lower():match("^[^; ]*") ~= "application/json" then
    return nil
  end
  local ok, fields = pcall(cjson.decode, body)
  return ok and body:find("^%s*{") and fields or nil
end

-- ids(value): a member that lists ids: false for all, a list, or nil where it is wrong
function M.ids(value)
  if value == nil or value == cjson.null then return false end
  if type(value) ~= "table" then return nil end
  for key, id in pairs(value) do
    if type(key) ~= "number" or type(id) ~= "string" then return nil end
  end
  return #value > 0 and value
end

-- code(value): a member that holds a code: false for all, the number, or nil where it is wrong
function M.code(value)
  if value == nil or value == cjson.null then return false end
  return type(value) == "number" and value or nil
end

return M
