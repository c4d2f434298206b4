--- Customers: the names of statuses and modes, and how filters look at a customer. Understands
-- normalised customers and raw ones.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"

local customer = {}

--- The documented fields, which `where` accepts.
customer.fields = {
  id = true,
  organization = true,
  ownerEmail = true,
  jobStatus = true,
  jobStatusCode = true,
  countryOrRegion = true,
  managementMode = true,
  tenants = true,
}

--- Code of each status name, and name of each code.
customer.job_status = {}
for code, name in pairs(core.status_names) do
  customer.job_status[code] = name
  customer.job_status[name] = code
end

--- The same for management modes.
customer.management_mode = {
  [0] = "customer",
  [1] = "partner",
  [2] = "unconfigured",
  customer = 0,
  partner = 1,
  unconfigured = 2,
}

--- The code of a customer's status, or nil where it is missing or nobody knows it.
function customer.status_code(c)
  return core.status_code(c.jobStatus)
end

--- The code of a status given by a user: a name in any case and either spelling, or a code.
-- Raises for one nobody knows: a typo must not silence an alarm.
function customer.known_status(value, what, level)
  local code = core.status_code(value)
  if not code then
    local names = {}
    for known = 0, #core.status_names do
      names[#names + 1] = core.status_names[known]
    end
    error(("%s: unknown job status %s (%s)"):format(what, tostring(value),
      table.concat(names, ", ")), level + 1)
  end
  return code
end

--- The code of a management mode given by a user, by name or number; raises for others.
function customer.known_mode(value, what, level)
  local mode = customer.management_mode[value]
  if type(mode) == "string" then
    mode = value
  end
  if type(value) == "table" or mode == nil then
    error(("%s: unknown management mode %s (customer, partner, unconfigured)"):format(what,
      tostring(value)), level + 1)
  end
  return mode
end

--- Calls f(id, name) for each tenant until it gives true; gives whether it did.
function customer.any_tenant(c, f)
  if type(c.tenants) ~= "table" then
    return false
  end
  for _, tenant in ipairs(c.tenants) do
    if type(tenant) == "table" and f(tenant.id or tenant.Id, tenant.name or tenant.Name) then
      return true
    end
  end
  return false
end

--- Whether a tenant has this id or name.
function customer.has_tenant(c, wanted)
  return customer.any_tenant(c, function(id, name)
    return id == wanted or name == wanted
  end)
end

--- Whether one of the texts of a customer contains `text` (plain, in lower case).
function customer.contains(c, text)
  local function holds(value)
    return type(value) == "string" and value:lower():find(text, 1, true) ~= nil
  end
  return holds(c.organization) or holds(c.ownerEmail) or holds(c.id)
    or customer.any_tenant(c, function(id, name)
      return holds(id) or holds(name)
    end)
end

return customer
