-- The journal of a scenario: one JSON line for each request, written before the last byte of the
-- answer leaves, so that a client which has the answer can read the line. Secrets and tokens are
-- never written, only the ordinal number of a token.
-- SPDX-License-Identifier: MIT
local cjson = require "cjson"
local faults = require "faults"

local directory

local M = {}

function M.configure(options)
  directory = options.dir .. "/journal/"
end

local function shown_headers()
  local headers = ngx.req.get_headers(0)
  if headers.authorization then headers.authorization = "***" end
  return headers
end

local function record(request, answer)
  ngx.update_time()
  return {
    time = request.time,
    answered = ngx.now(),
    method = request.method,
    path = request.path,
    args = request.args,
    query = request.query,
    http = ("%.1f"):format(ngx.req.http_version() or 1),
    connection = tonumber(ngx.var.connection),
    headers = shown_headers(),
    body = request.shown_body,
    token = request.token,
    issued = answer.issued,
    refused = request.refused,
    list = answer.list_request,
    created = answer.created,
    fault = answer.fault and faults.name(answer.fault),
    status = answer.fault and answer.fault.kind == "reset" and 0 or answer.status,
  }
end

function M.write(request, answer)
  local scene = request.scene
  if not scene or not scene.id or scene.journal == false then return end
  local file, problem = io.open(directory .. scene.id .. ".jsonl", "ab")
  if not file then
    ngx.log(ngx.ERR, "journal: ", problem)
    return
  end
  file:write(cjson.encode(record(request, answer)), "\n")
  file:close()
end

return M
