--- Makes the settings of what a client reads: its customers, any other list, or one object. Only
-- this file knows the customers' paths. src/bind/listing_new.c and src/bind/object.c read the
-- result.
-- SPDX-License-Identifier: MIT

local check = require "avepoint.check"
local core = require "avepoint.core"
local json = require "avepoint.json"
local options = require "avepoint.options"

local reads = {}

local CUSTOMERS = "partner/external/v3/general/customers"
local BATCH_SIZE_MAX = 100 -- customers a page of the batch endpoint

local LONGEST = 16384 -- bytes of a path or a query

local ADVICE = "option '%s' is the client's: avepoint.client { %s = ... }"
local LISTING = { what = "client:customers", options = options.listing, elsewhere = options.client,
  advice = ADVICE .. ":customers()",
  instead = { max_items = "client:customers():take(n)", limit = "client:customers():take(n)" } }
local LIST = { what = "client:list", options = options.list, elsewhere = options.client,
  advice = ADVICE, instead = { max_items = "client:list(path):take(n)",
    limit = "client:list(path):take(n)", customer_ids = "body = { customerIds = { ... } }",
    endpoint = "method = \"POST\" for paths that end in /batch" } }
local GET = { what = "client:get", options = options.get, elsewhere = options.client,
  advice = ADVICE }

local function read_listing(given, call)
  local values = check.read(given, call)
  if values.resume and values.first_page then
    check.fail(call, "options 'resume' and 'first_page' exclude each other")
  end
  check.fill_in_defaults(values, call.options, values.resume and "resumed")
  values.call = call
  return values
end

--- Makes the settings of a listing of customers; those that it leaves out are the client's.
-- @param given the user's options, or nil
-- Raises an argument error for wrong options.
function reads.customers(given)
  local values = read_listing(given, LISTING)
  values.get_path, values.batch_path = CUSTOMERS, CUSTOMERS .. "/batch"
  values.batch_size_max = BATCH_SIZE_MAX
  values.items, values.metadata, values.id, values.customers = "data", "metadata", "id", true
  values.body = { customerIds = values.customer_ids }
  return values
end

local function check_path(path, posted, call)
  local wrong = (type(path) ~= "string" or not check.is_text(path))
    and "must be a string, not empty and without zero bytes"
    or #path > LONGEST and "is too long" or core.check_path(path, posted)
  if wrong then
    check.fail(call, "the path " .. wrong)
  end
end

-- Percent-encodes all but RFC 3986's unreserved characters.
local function escape(text)
  return (text:gsub("[^A-Za-z0-9._~-]", function(char)
    return ("%%%02X"):format(char:byte())
  end))
end

-- An empty list is refused: without the parameter the service would send all.
local function add_parameter(parts, name, value, call)
  local kind = type(value)
  if kind == "string" or kind == "boolean" or kind == "number" and value - value == 0 then
    local text = kind == "number" and json.number(value) or tostring(value)
    parts[#parts + 1] = escape(name) .. "=" .. escape(text)
  else
    check.fail(call, ("the query's '%s' must be a string, a number, a boolean, or a list of these, "
      .. "not empty"):format(name))
  end
end

-- Returns the query as text, or nil if it is empty. Reads raw, as options are read. Names are in
-- order: positions know the list by it.
local function query_text(query, call)
  local names, parts = {}, {}
  for name in next, query or names do
    if type(name) ~= "string" then
      check.fail(call, "the query has names: { name = value }")
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = rawget(query, name)
    local list = type(value) == "table" and json.is_list(value) and value or { value }
    for i = 1, #list do
      add_parameter(parts, name, list[i], call)
    end
  end
  local text = table.concat(parts, "&")
  if #text > LONGEST then
    check.fail(call, "the query is too long")
  end
  return text ~= "" and text or nil
end

local function refuse_paging(query)
  for name in next, query or {} do
    if name == "pageIndex" or name == "pageSize" then
      check.fail(LIST, ("the query's '%s' is set by the listing: write %s"):format(name,
        name == "pageSize" and "page_size = n" or "first_page = n"))
    end
  end
end

--- Makes the settings of a listing of any list that is paged by pageIndex and pageSize.
-- @param path below base_url
-- @param given the user's options, or nil
-- Raises an argument error for a path that is none, and for wrong options.
function reads.list(path, given)
  local values = read_listing(given, LIST)
  local posted = values.method == "POST"
  check_path(path, posted, LIST)
  if values.body and not posted then
    check.fail(LIST, "option 'body' needs method = \"POST\"")
  elseif values.id == false then
    if given.drift and given.drift ~= "ignore" then
      check.fail(LIST, "id = false needs drift = \"ignore\": without an id no change can be seen")
    end
    values.id, values.drift = nil, "ignore"
  end
  refuse_paging(values.query)
  values.query = query_text(values.query, LIST)
  values.endpoint = posted and "batch" or "get"
  values[posted and "batch_path" or "get_path"] = path
  values.body = posted and (values.body or {}) or nil
  values.identity = ("%s %s?%s "):format(values.method, path:gsub("^/", ""), values.query or "")
  return values
end

--- Makes the settings of the read of one object.
-- @param path below base_url
-- @param query parameters by name, or nil
-- @param given the user's options, or nil
-- Raises an argument error for a path that is none, and for wrong options.
function reads.object(path, query, given)
  local values = check.read(given, GET)
  check_path(path, false, GET)
  if query ~= nil and type(query) ~= "table" then
    check.fail(GET, "the query must be a table, not " .. type(query))
  end
  values.path, values.query = path, query_text(query, GET)
  return values
end

--- Turns the body into the text that is sent.
-- @param values settings of a list
-- @param state the client's table
-- Raises an argument error for a table that is no JSON.
function reads.encode(values, state)
  if type(values.body) == "table" then
    local text, why = json.attempt(json.text, values.body, state)
    if not text then
      check.fail(values.call, "option 'body' cannot be JSON: it " .. why)
    end
    values.body = text
  end
  values.identity = values.identity and values.identity .. (values.body or "")
end

--- Raises an argument error about a listing.
function reads.fail(values, wrong)
  check.fail(values.call, wrong)
end

return reads
