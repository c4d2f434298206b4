-- Lists all customers as a table, counts them by status, and names those that need attention.
--
--     lua examples/customers.lua            credentials from the environment, see the README
--     make demo                             the same against an imitation of the service
--
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"

-- One pass over the list: what is needed of it is gathered on the way.
local function read()
  local customers, counts, attention = {}, {}, {}
  for customer in avepoint.customers { on_progress = avepoint.progress() } do
    local status = customer.jobStatus or "unknown"
    customers[#customers + 1] = customer
    counts[status] = (counts[status] or 0) + 1
    local code = customer.jobStatusCode
    if code ~= 0 and code ~= 1 then -- not N/A and not at work; unknown ones count
      attention[#attention + 1] = customer
    end
  end
  return customers, counts, attention
end

local ok, customers, counts, attention = pcall(read)
if not ok then
  io.stderr:write(tostring(customers), "\n")
  os.exit(1)
end

avepoint.show(customers)
print(("\n%d need attention:\n"):format(#attention))
avepoint.show(attention)
print(("\n%d customers, by status:\n"):format(#customers))
avepoint.show(counts)
print(("\n%d of them need attention."):format(#attention))
