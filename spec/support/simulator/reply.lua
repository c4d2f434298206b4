-- Answers as plain tables: status, body, headers, type. Nothing is sent here; service.lua hands
-- the table to wire.lua once it is complete. The shape of errors is the fullest that AvePoint
-- documents for a sibling API.
-- SPDX-License-Identifier: MIT
local cjson = require "cjson"

local REASONS = {
  [400] = "The request parameters are invalid.",
  [401] = "The access token is missing, invalid or expired.",
  [403] = "The application has no permission to call this API.",
  [404] = "The resource does not exist.",
  [405] = "The method is not allowed here.",
  [429] = "Too many requests, try again later.",
  [500] = "An internal error occurred.",
  [503] = "The service is under maintenance or overloaded.",
}

local M = {}

-- One id a request, in the look of the service's own ("0HNEVHLNSPSEJ:00000010").
function M.request_id()
  local ctx = ngx.ctx
  if not ctx.request_id then
    ctx.request_id = ("0HN%010X:%08X"):format(ngx.var.connection, ngx.var.connection_requests)
  end
  return ctx.request_id
end

function M.json(status, body, headers)
  return { status = status, body = body, headers = headers or {}, type = "application/json" }
end

function M.text(status, body)
  return { status = status, body = body .. "\n", headers = {}, type = "text/plain" }
end

-- problem(status, message or nil, headers or nil)
function M.problem(status, message, headers)
  local bare = status < 200 or status == 204 or status == 304
  return M.json(status, not bare and cjson.encode {
    statusCode = status,
    message = message or REASONS[status] or "Status " .. status .. ".",
    requestId = M.request_id(),
  } or nil, headers)
end

-- "date:+30" stands for the HTTP date half a minute from now.
local function header_value(value)
  local offset = type(value) == "string" and value:match("^date:([+-]%d+)$")
  if not offset then return value end
  return ngx.http_time(ngx.time() + tonumber(offset))
end

-- The answer that a fault of a scenario describes.
function M.from_fault(fault)
  local status = fault.status or 200
  local answer = status >= 400 and M.problem(status) or M.json(status, nil)
  for name, value in pairs(fault.headers or {}) do
    answer.headers[name] = header_value(value)
  end
  if fault.body then answer.body = fault.body end
  return answer
end

return M
