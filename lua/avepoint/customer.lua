--- Gives the names of a customer's fields, statuses and modes, and finds its tenants and texts.
-- Understands normalised customers and raw ones.
-- SPDX-License-Identifier: MIT

local nearest = require "avepoint.nearest"
local problem = require "avepoint.problem"

local customer = {}

--- The documented fields in order.
customer.order = { "id", "organization", "ownerEmail", "jobStatus", "jobStatusCode",
  "countryOrRegion", "managementMode", "tenants" }

--- The same, as a set.
customer.fields = {}
for _, field in ipairs(customer.order) do
  customer.fields[field] = true
end

--- Names of job statuses 0 to 6, in the spelling of the customers page.
customer.status_names = { [0] = "N/A", "Working", "Failed", "Waiting for Configuration",
  "Multiple Issues Found", "Finished with Exception", "No Backup Update" }

--- Code of a status in any of its forms: name in any case and either spelling, number, numeric
-- string; nil if it is unknown.
customer.status_codes = setmetatable({ ["no backup updates"] = 6 }, { -- the batch page's spelling
  __index = function(codes, status)
    return type(status) == "string" and rawget(codes, status:lower()) or nil
  end,
})

--- Code of each status name, and name of each code.
customer.job_status = {}
for code, name in pairs(customer.status_names) do
  customer.job_status[code] = name
  customer.job_status[name] = code
  for _, form in ipairs { code, tostring(code), name, name:lower() } do
    customer.status_codes[form] = code
  end
end

--- The same for management modes.
customer.management_mode = {
  [0] = "customer", [1] = "partner", [2] = "unconfigured",
  customer = 0, partner = 1, unconfigured = 2,
}

--- Raises unless `field` is a documented field.
-- @param what the method's name, for the message
function customer.check_field(field, what)
  if not customer.fields[field] then
    local near = type(field) == "string" and nearest(field, customer.order)
    problem.misuse("%s: unknown field '%s'%s", what, tostring(field),
      near and (" (did you mean '%s'?)"):format(near) or "")
  end
end

--- Returns the code of a customer's status, or nil if it is missing or unknown.
function customer.status_code(c)
  return customer.status_codes[c.jobStatus]
end

--- Returns the code of a status that a user gave: a name in any case and either spelling, or a
-- code. Raises if it is unknown: a typo must not silence an alarm.
function customer.known_status(value, what)
  local code = customer.status_codes[value]
  if not code then
    problem.misuse("%s: unknown job status %s (%s)", what, tostring(value),
      table.concat(customer.status_names, ", ", 0))
  end
  return code
end

--- Returns the code of a management mode that a user gave, by name or number; raises for others.
function customer.known_mode(value, what)
  local mode = customer.management_mode[type(value) == "string" and value:lower() or value]
  if not mode then
    problem.misuse("%s: unknown management mode %s (customer, partner, unconfigured)", what,
      tostring(value))
  end
  return type(mode) == "number" and mode or value
end

--- Calls f(id, name) for each tenant until it returns true; returns whether it did.
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

--- Returns every documented text of a customer in lower case, a line each: a search looks there.
function customer.words(c)
  local words = {}
  local function add(text)
    if type(text) == "string" then
      words[#words + 1] = text
    end
  end
  add(c.organization)
  add(c.ownerEmail)
  add(c.id)
  add(customer.status_names[customer.status_code(c)] or c.jobStatus)
  add(c.countryOrRegion)
  customer.any_tenant(c, function(id, name)
    add(id)
    add(name)
  end)
  return table.concat(words, "\n"):lower()
end

return customer
