--- Compares fields of customers, or of other rows, with the wanted values: for where, in_country,
-- with_status, managed_by and with_tenant. Texts compare without ASCII case.
-- SPDX-License-Identifier: MIT

local customer = require "avepoint.customer"
local json = require "avepoint.json"
local problem = require "avepoint.problem"

local where = {}

local function lower(value)
  return type(value) == "string" and value:lower() or value
end

local status = { known = customer.known_status, of = customer.status_code }

-- Fields that are compared by their codes: `known` checks a wanted value and returns its code, `of`
-- returns a customer's code.
local coded = {
  jobStatus = status,
  jobStatusCode = status,
  managementMode = {
    known = customer.known_mode,
    of = function(c)
      return tonumber(c.managementMode)
    end,
  },
}

-- A value of any list's rows in the form in which values are compared: numbers come as texts too,
-- whole ones with all digits, others as short as they can be (0.1).
local function plain(value)
  if type(value) == "number" then
    return value % 1 == 0 and ("%.0f"):format(value + 0) or json.number(value) -- no -0
  end
  return type(value) == "boolean" and tostring(value) or lower(value)
end

-- Checks a wanted value and returns it in the form in which fields are compared.
local function wanted_value(field, value, what, any)
  if any then
    local wanted = plain(value)
    if type(wanted) ~= "string" then
      problem.misuse("%s: field '%s' is compared with texts, numbers and booleans, not %s", what,
        field, type(value))
    end
    return wanted
  elseif coded[field] then
    return coded[field].known(value, what)
  elseif type(value) ~= "string" or value == "" then
    problem.misuse("%s: field '%s' is compared with a text, not %s", what, field,
      type(value) == "string" and "an empty one" or type(value))
  end
  return value:lower()
end

-- The set of values wanted of a field.
local function wanted_set(field, given, what, any)
  local list = type(given) == "table" and given or { given }
  local set = {}
  local i, value = 1, rawget(list, 1) -- raw: a metatable may make a list without end
  while value ~= nil do
    set[wanted_value(field, value, what, any)] = true
    i, value = i + 1, rawget(list, i + 1)
  end
  if next(set) == nil then
    problem.misuse("%s: field '%s' has an empty list of values", what, field)
  end
  return set
end

local function test_for(field, given, what, any)
  if type(given) == "function" then
    return function(c)
      return given(c[field])
    end
  end
  local set = wanted_set(field, given, what, any)
  if field == "tenants" and not any then
    return function(c)
      return customer.any_tenant(c, function(id, name)
        return set[lower(id)] or set[lower(name)]
      end)
    end
  end
  local form = any and plain or lower
  local value_of = not any and coded[field] and coded[field].of or function(c)
    return form(c[field])
  end
  return function(c)
    return set[value_of(c)] or false
  end
end

--- Returns a function that tells whether a customer has the wanted fields. Texts compare without
-- ASCII case.
-- @param fields field = value, list of values (any of them), or function of the value
-- @param what the method's name, for messages
-- @param any whether the items are of any list, with any fields
function where.matcher(fields, what, any)
  if type(fields) ~= "table" then
    problem.misuse("%s takes a table of fields, not %s", what, type(fields))
  end
  local tests = {}
  for field, given in next, fields do -- raw, as options are read
    if not any then
      customer.check_field(field, what)
    elseif type(field) ~= "string" then
      problem.misuse("%s: fields have names: { name = value }", what)
    end
    tests[#tests + 1] = test_for(field, given, what, any)
  end
  if #tests == 1 then
    return tests[1]
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

-- Adds all texts of a value to a list.
local function add_words(words, value)
  if type(value) == "string" then
    words[#words + 1] = value
  elseif type(value) == "table" then
    for _, inner in pairs(value) do
      add_words(words, inner)
    end
  end
end

--- Returns every text of an item in lower case, a line each: a search looks there.
function where.words(item)
  local words = {}
  add_words(words, item)
  return table.concat(words, "\n"):lower()
end

return where
