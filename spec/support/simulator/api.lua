-- The customers endpoints: the GET of the customers page, the released POST .../batch, and the
-- POST that would create a customer.
-- SPDX-License-Identifier: MIT
local check = require "check"
local customers = require "customers"
local paging = require "paging"
local reply = require "reply"
local token = require "token"

local GET = { name = "get", page_size = 100, most = 1000, clamps = true }
local BATCH = { name = "batch", page_size = 50, most = 100 }

local SCOPE = "customers.read.all"

local function list_customers(request, read, ids, form, spelling)
  form = request.scene.status_form or form
  return paging.answer(request, read, paging.customers(request.scene, ids, function(ordinal)
    return customers.json(ordinal, form, spelling)
  end))
end

local M = {}

-- GET .../customers; the same path with POST onboards a customer, which no reader may ever do.
function M.customers(request)
  if request.method ~= "GET" and request.method ~= "POST" then
    return reply.problem(405, nil, { Allow = "GET, POST" })
  end
  local refused = token.admit(request, SCOPE)
  if refused then return refused end
  if request.method == "POST" then
    local answer = reply.json(201, '{"status":1}')
    answer.created = true
    return answer
  end
  if request.body then return reply.problem(400, "A GET request has no body.") end
  return list_customers(request, GET, false, "name", "customers_page")
end

-- POST .../customers/batch
function M.batch(request)
  if request.method ~= "POST" then return reply.problem(405, nil, { Allow = "POST" }) end
  local refused = token.admit(request, SCOPE)
  if refused then return refused end
  local fields = check.fields(request)
  local ids = fields and check.ids(fields.customerIds)
  if ids == nil then return reply.problem(400, "The body is not the documented JSON object.") end
  return list_customers(request, BATCH, ids, "integer", "released")
end

return M
