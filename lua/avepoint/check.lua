--- Checks what the user gave against a table of options.lua: names, types, ranges. Reads raw: what
-- a metatable adds is no option.
-- SPDX-License-Identifier: MIT

local nearest = require "avepoint.nearest"
local options = require "avepoint.options"

local check = {}

local LONGEST = 1e9 -- seconds

local rawlen = rawlen or function(t) -- Lua 5.1's # is raw
  return #t
end

-- What a value of each kind must be, and the Lua types that may be it.
local kinds = {
  text = { "a string that is not empty", "string" },
  ["text or function"] = { "a string that is not empty, or a function", "string", "function" },
  ["text or table"] = { "a name or a table", "string", "table" },
  ["function"] = { "a function", "function" },
  boolean = { "true or false", "boolean" },
  list = { "a list of strings", "table" },
  integer = { "a number", "number" },
  seconds = { "a number", "number" },
  wait = { "a number", "number" },
  word = {}, -- its own test tells all
  ["word or table"] = {},
}

local function has_type(kind, value)
  for i = 2, #kind do
    if type(value) == kind[i] then
      return true
    end
  end
  return #kind == 0
end

-- What is wrong with a string as a text, or nil.
local function wrong_text(value)
  if value == "" then
    return "an empty one"
  end
  return value:find("\0", 1, true) and "one with a zero byte" or nil
end

local function has_word(words, value)
  for _, word in ipairs(words) do
    if word == value then
      return true
    end
  end
  return false
end

-- Of each kind that has more to test than a type: function(option, value), which returns what is
-- wrong, or nil.
local tests = {}

function tests.integer(option, value)
  if value % 1 ~= 0 or not (value >= option.min and value <= option.max) then
    return ("must be a whole number from %d to %d"):format(option.min, option.max)
  end
end

function tests.seconds(_, value)
  if not (value > 0 and value <= LONGEST) then
    return "must be a number of seconds above 0"
  end
end

function tests.wait(_, value)
  if not (value >= 0 and value <= LONGEST) then
    return "must be a number of seconds, 0 or more"
  end
end

function tests.word(option, value)
  if not has_word(option.words, value) then
    return "must be one of: " .. table.concat(option.words, ", ")
  end
end

tests["word or table"] = function(option, value)
  if type(value) ~= "table" and not has_word(option.words, value) then
    return ("must be one of: %s, or a table"):format(table.concat(option.words, ", "))
  end
end

function tests.list(_, list)
  if rawlen(list) == 0 then
    return "must not be empty (leave it out to list all)"
  end
  for i = 1, rawlen(list) do
    local value = rawget(list, i)
    if type(value) ~= "string" or wrong_text(value) then
      return "must hold strings that are not empty"
    end
  end
end

--- Returns what is wrong with an option's value, as the end of a sentence, or nil.
local function wrong_value(option, value)
  local kind = kinds[option.kind]
  local got = not has_type(kind, value) and type(value)
    or kind[2] == "string" and type(value) == "string" and wrong_text(value)
  if got then
    return ("must be %s, not %s"):format(kind[1], got)
  end
  local test = tests[option.kind]
  return test and test(option, value) or option.wrong and option.wrong(value)
end

local function find(list, name)
  for _, option in ipairs(list) do
    if option.name == name then
      return option
    end
  end
end

-- The sentence about a name that is no option of this call.
local function unknown(name, call)
  if find(call.elsewhere, name) then
    return call.advice:format(name, name)
  end
  local names = {}
  for i, option in ipairs(call.options) do
    names[i] = option.name
  end
  local near = nearest(name, names)
  local hint = options.instead[name] and (" (write %s)"):format(options.instead[name])
    or near and (" (did you mean '%s'?)"):format(near) or ""
  return ("unknown option '%s'%s"):format(name, hint)
end

-- Lists are copied: what was checked is then what is used.
local function copied(option, value)
  if option.kind ~= "list" then
    return value
  end
  local list = {}
  for i = 1, rawlen(value) do
    list[i] = rawget(value, i)
  end
  return list
end

-- Returns the values by name, or nil and what is wrong.
local function read(given, call)
  if type(given) ~= "table" then
    return nil, "takes a table of options, not " .. type(given)
  end
  local values = {}
  for name, value in next, given do
    if type(name) ~= "string" then
      return nil, "options have names: { name = value }"
    end
    local option = find(call.options, name)
    local wrong = option and wrong_value(option, value)
    if not option then
      return nil, unknown(name, call)
    elseif wrong then
      return nil, ("option '%s' %s"):format(name, wrong)
    end
    values[name] = copied(option, value)
  end
  return values
end

--- Checks the options of a call and returns them in a table of their own.
-- @param given what the user gave
-- @param call table: `what`, the call's name in messages; `options`, a list of options.lua;
-- `elsewhere`, the list of another call; `advice`, what to say of its options (two %s: the name)
-- @param level of the caller
-- Raises an argument error.
function check.read(given, call, level)
  local values, wrong = read(given, call)
  if wrong then
    check.fail(call, wrong, level + 1)
  end
  return values
end

--- Raises an argument error of a call.
function check.fail(call, wrong, level)
  error(("%s: %s"):format(call.what, wrong), level + 1)
end

return check
