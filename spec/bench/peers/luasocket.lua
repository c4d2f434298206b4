--- LuaSocket, LuaSec and cjson: a kept connection to each host, pages in turn. Prints how many
-- customers failed.
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"
local http = require "socket.http"
local ltn12 = require "ltn12"
local socket = require "socket"
local ssl = require "ssl"
local url = require "socket.url"

local env = os.getenv

-- A connection over TLS to the host of a URL, in the form that socket.http works with.
local function connect(address)
  local to = url.parse(address)
  local plain = assert(socket.connect(to.host, to.port or 443))
  plain:setoption("tcp-nodelay", true)
  local tls = assert(ssl.wrap(plain, { mode = "client", protocol = "any", options = "all",
    verify = "peer", cafile = env "AVEPOINT_CA_FILE" }))
  tls:sni(to.host)
  assert(tls:dohandshake())
  local connected = setmetatable({ connect = function() return 1 end }, {
    __index = function(_, name)
      return function(_, ...) return tls[name](tls, ...) end
    end,
  })
  return http.open(to.host, to.port, function() return connected end)
end

local function call(connection, method, address, headers, body)
  local to = url.parse(address)
  headers.host, headers.connection = to.authority, "keep-alive"
  headers["content-length"] = body and #body
  connection:sendrequestline(method, to.path .. (to.query and "?" .. to.query or ""))
  connection:sendheaders(headers)
  if body then
    connection:sendbody(headers, ltn12.source.string(body))
  end
  local status = connection:receivestatusline()
  assert(status == 200, status)
  local parts = {}
  connection:receivebody(connection:receiveheaders(), ltn12.sink.table(parts), ltn12.pump.step)
  return cjson.decode(table.concat(parts))
end

local form = ("grant_type=client_credentials&scope=elements.customers.read.all&client_id=%s"
  .. "&client_secret=%s"):format(url.escape(env "AVEPOINT_CLIENT_ID"),
  url.escape(env "AVEPOINT_CLIENT_SECRET"))
local token = call(connect(env "AVEPOINT_TOKEN_URL"), "POST", env "AVEPOINT_TOKEN_URL",
  { ["content-type"] = "application/x-www-form-urlencoded" }, form).access_token

local api = connect(env "AVEPOINT_BASE_URL")
local path = env "AVEPOINT_BASE_URL"
  .. "/partner/external/v3/general/customers?pageIndex=%d&pageSize=100"
local failed, page, total = 0, 1, 1
while (page - 1) * 100 < total do
  local answer = call(api, "GET", path:format(page), { authorization = "Bearer " .. token })
  for _, customer in ipairs(answer.data) do
    if customer.jobStatus == "Failed" then
      failed = failed + 1
    end
  end
  page, total = page + 1, answer.metadata.totalCount
end
print(failed)
