--- Checks the options that a user gave to a call by the lists of options.lua: names, types and
-- ranges. Reads raw: what a metatable adds is no option.
-- SPDX-License-Identifier: MIT

local nearest = require "avepoint.nearest"
local problem = require "avepoint.problem"

local check = {}

local LONGEST = 1e9 -- seconds

local rawlen = rawget(_G, "rawlen") or function(t) -- Lua 5.1's # is raw
  return #t
end

--- Returns whether a string is not empty and has no zero bytes.
function check.is_text(value)
  return value ~= "" and not value:find("\0", 1, true)
end

local function is_list(list)
  for i = 1, rawlen(list) do
    local value = rawget(list, i)
    if type(value) ~= "string" or not check.is_text(value) then
      return false
    end
  end
  return rawlen(list) > 0
end

local function has_word(value, option)
  for _, word in ipairs(option.words) do
    if word == value then
      return true
    end
  end
  return false
end

local function is_whole(value, option)
  return value % 1 == 0 and value >= option.min and value <= option.max
end

local function is_above_0(value)
  return value > 0 and value <= LONGEST
end

local function is_0_or_more(value)
  return value >= 0 and value <= LONGEST
end

-- The kinds of value: the Lua type; a test of values of this type, if some are wrong; what a value
-- must be, with fields of the option in braces. A text's value is never told: it may be a secret.
local kinds = {
  text = { type = "string", test = check.is_text,
    must = "a string, not empty and without zero bytes" },
  word = { type = "string", test = has_word, must = "one of: {words}" },
  integer = { type = "number", test = is_whole, must = "a whole number from {min} to {max}" },
  seconds = { type = "number", test = is_above_0, must = "a number of seconds above 0" },
  wait = { type = "number", test = is_0_or_more, must = "a number of seconds, 0 or more" },
  list = { type = "table", test = is_list,
    must = "a list of strings, none empty, at least one (leave it out to list all)" },
  boolean = { type = "boolean", must = "true or false" },
  table = { type = "table", must = "a table" },
  ["function"] = { type = "function", must = "a function" },
}

-- Returns what is wrong with an option's value, as the end of a sentence, or nil.
local function wrong_value(option, value)
  local musts, got = {}, ", not " .. type(value)
  for name in (option.kind .. " or "):gmatch "(.-) or " do
    local kind = kinds[name]
    if type(value) == kind.type then
      if not kind.test or kind.test(value, option) then
        return option.wrong and option.wrong(value)
      end
      got = (name == "text" or kind.type == "table") and "" or (", not '%s'"):format(
        problem.words(tostring(value)) or "")
    end
    musts[#musts + 1] = kind.must
  end
  local must = table.concat(musts, ", or "):gsub("{(%a+)}", function(field)
    local detail = option[field]
    return type(detail) == "table" and table.concat(detail, ", ") or ("%d"):format(detail)
  end)
  return "must be " .. must .. got
end

-- Returns the sentence about a name that is no option of this call.
local function unknown(name, call)
  local instead = call.instead and call.instead[name]
  if not instead and call.elsewhere[name] then
    return call.advice:format(name, name)
  end
  local names = {}
  for i, option in ipairs(call.options) do
    names[i] = option.name
  end
  local near = nearest(name, names)
  local hint = instead and (" (write %s)"):format(instead)
    or near and (" (did you mean '%s'?)"):format(near) or ""
  return ("unknown option '%s'%s"):format(name, hint)
end

-- Copies a list, so that the user cannot change it after the check.
local function copied(list)
  local copy = {}
  for i = 1, rawlen(list) do
    copy[i] = rawget(list, i)
  end
  return copy
end

--- Checks the options of a call and returns them in a table of their own.
-- @param given what the user gave; nil: no options
-- @param call table: `what`, the call's name in messages; `options`, a list of options.lua;
-- `elsewhere`, the list of another call; `advice`, the message for its options (two %s: the name);
-- `instead`, what to write for a name that is no option here, or nil
-- Raises an argument error.
function check.read(given, call)
  if given ~= nil and type(given) ~= "table" then
    check.fail(call, "takes a table of options, not " .. type(given))
  end
  local values = {}
  for name, value in next, given or values do
    if type(name) ~= "string" then
      check.fail(call, "options have names: { name = value }")
    end
    local option = call.options[name] or check.fail(call, unknown(name, call))
    local wrong = wrong_value(option, value)
    if wrong then
      check.fail(call, ("option '%s' %s"):format(name, wrong))
    end
    values[name] = option.kind == "list" and copied(value) or value
  end
  return values
end

--- Sets the default of each option that is missing, but of those that have the field `but`.
function check.fill_in_defaults(values, list, but)
  for _, option in ipairs(list) do
    if values[option.name] == nil and not option[but] then
      values[option.name] = option.default
    end
  end
end

--- Raises an argument error of a call.
function check.fail(call, wrong)
  problem.misuse("%s: %s", call.what, wrong)
end

return check
