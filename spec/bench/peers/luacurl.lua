--- Debian's lua-curl (a binding for Lua 5.1 and 5.2) and cjson: one handle, which keeps its
-- connections, pages in turn. Prints how many customers failed.
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"
local curl = require "curl"

local env = os.getenv

local parts
local handle = curl.easy_init()
handle:setopt(curl.OPT_CAINFO, env "AVEPOINT_CA_FILE")
handle:setopt(curl.OPT_ACCEPT_ENCODING, "")
handle:setopt(curl.OPT_FAILONERROR, 1)
handle:setopt(curl.OPT_WRITEFUNCTION, function(bytes)
  parts[#parts + 1] = bytes
  return #bytes
end)

local function fetch(url)
  parts = {}
  handle:setopt(curl.OPT_URL, url)
  assert(handle:perform())
  return cjson.decode(table.concat(parts))
end

handle:setopt(curl.OPT_POSTFIELDS, ("grant_type=client_credentials&client_id=%s&client_secret=%s"
  .. "&scope=elements.customers.read.all"):format(curl.escape(env "AVEPOINT_CLIENT_ID"),
  curl.escape(env "AVEPOINT_CLIENT_SECRET")))
local token = fetch(env "AVEPOINT_TOKEN_URL").access_token

handle:setopt(curl.OPT_HTTPGET, 1)
handle:setopt(curl.OPT_HTTPHEADER, { "Authorization: Bearer " .. token })
local path = env "AVEPOINT_BASE_URL"
  .. "/partner/external/v3/general/customers?pageIndex=%d&pageSize=100"
local failed, page, total = 0, 1, 1
while (page - 1) * 100 < total do
  local answer = fetch(path:format(page))
  for _, customer in ipairs(answer.data) do
    if customer.jobStatus == "Failed" then
      failed = failed + 1
    end
  end
  page, total = page + 1, answer.metadata.totalCount
end
print(failed)
