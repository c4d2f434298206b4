--- The test behind listing:where: fields against values, lists of values, or functions.
-- SPDX-License-Identifier: MIT

local customer = require "avepoint.customer"

local where = {}

-- How a wanted value of each field is checked and brought into one form. No tail calls here: they
-- would take a level away from the error's place.
local function wanted_value(field, value, what, level)
  if field == "jobStatus" or field == "jobStatusCode" then
    local code = customer.known_status(value, what, level + 1)
    return code
  elseif field == "managementMode" then
    local mode = customer.known_mode(value, what, level + 1)
    return mode
  elseif type(value) ~= "string" or value == "" then
    error(("%s: field '%s' is compared with a text, not %s"):format(what, field,
      type(value) == "string" and "an empty one" or type(value)), level + 1)
  end
  return value
end

-- The set of values wanted of a field.
local function wanted_set(field, given, what, level)
  local list = type(given) == "table" and given or { given }
  local set = {}
  for _, value in ipairs(list) do
    set[wanted_value(field, value, what, level + 1)] = true
  end
  if next(set) == nil then
    error(("%s: field '%s' has an empty list of values"):format(what, field), level + 1)
  end
  return set
end

local function test_for(field, given, what, level)
  if type(given) == "function" then
    return function(c)
      return given(c[field])
    end
  end
  local set = wanted_set(field, given, what, level + 1)
  if field == "jobStatus" or field == "jobStatusCode" then
    return function(c)
      return set[customer.status_code(c)] or false
    end
  elseif field == "managementMode" then
    return function(c)
      return set[tonumber(c.managementMode)] or false
    end
  elseif field == "tenants" then
    return function(c)
      return customer.any_tenant(c, function(id, name)
        return set[id] or set[name]
      end)
    end
  end
  return function(c)
    return set[c[field]] or false
  end
end

--- Gives a function that tells whether a customer has the wanted fields.
-- @param fields field = value, list of values (any of them), or function of the value
-- @param what the method's name in messages
-- @param level whose line argument errors carry
function where.matcher(fields, what, level)
  if type(fields) ~= "table" then
    error(("%s takes a table of fields, not %s"):format(what, type(fields)), level + 1)
  end
  local tests = {}
  for field, given in pairs(fields) do
    if not customer.fields[field] then
      error(("%s: unknown field '%s'"):format(what, tostring(field)), level + 1)
    end
    tests[#tests + 1] = test_for(field, given, what, level + 1)
  end
  return function(c)
    for i = 1, #tests do
      if not tests[i](c) then
        return false
      end
    end
    return true
  end
end

return where
