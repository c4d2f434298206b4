-- Takes a request apart, finds its scenario and the handler of its path, and sees to it that the
-- journal is written before the answer goes out. A path may begin with /~ID/, which selects the
-- scenario; behind that the service is the same.
-- SPDX-License-Identifier: MIT
local api = require "api"
local journal = require "journal"
local reads = require "reads"
local reply = require "reply"
local scenario = require "scenario"
local token = require "token"
local wire = require "wire"

local CUSTOMERS = "/partner/external/v3/general/customers"

local ROUTES = {
  ["/connect/token"] = { name = "token", handle = token.answer },
  [CUSTOMERS] = { name = "get", handle = api.customers },
  [CUSTOMERS .. "/batch"] = { name = "batch", handle = api.batch },
  [CUSTOMERS .. "/services/batch"] = { name = "services", handle = reads.services },
}

-- Behind the id of a customer.
local CUSTOMER_ROUTES = {
  ["/avpt-products/jobs/batch"] = { name = "jobs", handle = reads.jobs },
  ["/cloud-backup-m365/overview"] = { name = "overview", handle = reads.overview },
}

-- The route of a path and, in some, the id of a customer.
local function find_route(path)
  if ROUTES[path] then return ROUTES[path] end
  if path:sub(1, #CUSTOMERS) ~= CUSTOMERS then return nil end
  local id, rest = path:match("^/([^/]+)(/.*)$", #CUSTOMERS + 1)
  return CUSTOMER_ROUTES[rest], id
end

local function read_body()
  -- On HTTP/2 nginx's Lua refuses to read a body without an announced length.
  if not pcall(ngx.req.read_body) then return nil end
  return ngx.req.get_body_data()
end

-- The path is taken as it was sent: what nginx would repair is a client's mistake.
local function new_request()
  local whole = ngx.var.request_uri
  local path = whole:match("^[^?]*")
  local id, rest = path:match("^/~([%w_.-]+)(/.*)$")
  local request = {
    time = ngx.now(),
    method = ngx.req.get_method(),
    path = rest or path,
    id = id,
    query = whole:match("%?(.*)$") or "",
    args = ngx.req.get_uri_args(100),
    body = read_body(),
  }
  if request.method == "POST" then request.shown_body = request.body end
  return request
end

local function pause(scene, route)
  local seconds = scene.latency
  if route and route.name == "token" then seconds = scene.token_latency end
  if seconds and seconds > 0 then ngx.sleep(seconds) end
end

-- A limit of requests a second, without a burst: what comes too early is refused.
local function refusal(scene, route)
  local rate = scene.rate
  if not rate or route.name == "token" then return nil end
  local now = ngx.now()
  if now < (scene.next_place or 0) then
    return reply.problem(rate.status or 429, nil, { ["Retry-After"] = rate.retry_after })
  end
  scene.next_place = now + 1 / rate.per_second
  return nil
end

local function answer_to(request)
  local scene, problem = scenario.find(request.id)
  if not scene then return reply.text(500, problem) end
  request.scene = scene
  local route, customer_id = find_route(request.path)
  pause(scene, route)
  if not route then return reply.problem(404) end
  local closed = scene.endpoints and scene.endpoints[route.name]
  -- Closing the GET must not hide a POST that goes astray to its path.
  if closed and not (route.name == "get" and request.method == "POST") then
    return reply.problem(closed)
  end
  return refusal(scene, route) or route.handle(request, customer_id)
end

local M = {}

function M.configure(options)
  scenario.configure(options)
  journal.configure(options)
end

function M.handle()
  local request = new_request()
  local answer = answer_to(request)
  if request.scene and request.scene.compress == false then answer.plain = true end
  journal.write(request, answer)
  wire.deliver(answer, answer.fault)
end

return M
