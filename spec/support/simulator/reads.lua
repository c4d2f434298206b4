-- Three more reads of the API: the services of all customers, and of one customer the jobs and the
-- overview of its backups. The services move with the scenario's list, one row a customer; jobs
-- and overview follow from the customer alone.
-- SPDX-License-Identifier: MIT
local check = require "check"
local jobs = require "jobs"
local overview = require "overview"
local paging = require "paging"
local reply = require "reply"
local services = require "services"
local token = require "token"

local SERVICES = { name = "services", page_size = 50, most = 100 }
local JOBS = { name = "jobs", page_size = 50, most = 100, is_steady = true }
local OVERVIEW = { name = "overview", page_size = 50, most = 100, is_steady = true }

local WRONG_BODY = "The body is not the documented JSON object."

-- The refusing answer, or nil and the ordinal of the customer, if one is named.
local function admit(request, method, scope, customer_id)
  if request.method ~= method then return reply.problem(405, nil, { Allow = method }) end
  local refused = token.admit(request, scope)
  if refused then return refused end
  local ordinal = customer_id and request.scene.list:find(customer_id)
  if customer_id and not ordinal then return reply.problem(404) end
  return nil, ordinal
end

local M = {}

-- POST .../customers/services/batch
function M.services(request)
  local refused = admit(request, "POST", "license.read.all")
  if refused then return refused end
  local fields = check.fields(request)
  local ids = fields and check.ids(fields.customerIds)
  if ids == nil then return reply.problem(400, WRONG_BODY) end
  return paging.answer(request, SERVICES, paging.customers(request.scene, ids, services.json))
end

-- POST .../customers/{customerId}/avpt-products/jobs/batch
function M.jobs(request, customer_id)
  local refused, ordinal = admit(request, "POST", "jobs.read.all", customer_id)
  if refused then return refused end
  local fields = check.fields(request)
  local kind = fields and check.code(fields.jobType)
  local module = fields and check.code(fields.jobModule)
  if kind == nil or module == nil then return reply.problem(400, WRONG_BODY) end
  local found = jobs.numbers(ordinal, request.scene.jobs, kind, module)
  local today = jobs.midnight(request.scene.now or ngx.time())
  return paging.answer(request, JOBS, function()
    return #found, function(n) return jobs.json(ordinal, found[n], today) end
  end)
end

-- GET .../customers/{customerId}/cloud-backup-m365/overview
function M.overview(request, customer_id)
  local refused, ordinal = admit(request, "GET", "cbprotected.read.all", customer_id)
  if refused then return refused end
  if request.body then return reply.problem(400, "A GET request has no body.") end
  return paging.answer(request, OVERVIEW, function()
    return overview.count(ordinal), function(n) return overview.json(ordinal, n) end
  end)
end

return M
