--- lua-cjson alone: decodes pages that lie in files and counts the customers that failed.
--
--     decode.lua FOLDER PAGES
--
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"

local failed = 0
for page = 1, arg[2] do
  local file = assert(io.open(("%s/page-%d.json"):format(arg[1], page), "rb"))
  local answer = cjson.decode(file:read "*a")
  file:close()
  for _, customer in ipairs(answer.data) do
    if customer.jobStatus == "Failed" then
      failed = failed + 1
    end
  end
end
print(failed)
