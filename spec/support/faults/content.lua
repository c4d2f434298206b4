--- Rows of the fault matrix: replies of status 200 whose contents are not what was promised.
-- SPDX-License-Identifier: MIT

local list = require "spec.support.faults.list"
local row = require "spec.support.faults.row"
local whole, fails = row.whole, row.fails

local rows = {}

local WRONG = fails("protocol", 1, { status = 200 })
local DEEP = fails("limit", 1, { status = 200 })
local FINE = whole(1)

local function add(name, at, fault, once, spent, more)
  local new = { name = name, at = at, fault = fault, once = once, spent = spent or once }
  for field, value in pairs(more or {}) do new[field] = value end
  if new.once == FINE and new.spent == FINE then new.endless = true end
  rows[#rows + 1] = new
end

-- The whole body by a function of the good one.
local function body(name, at, make, outcome, more)
  add(name, at, function(place)
    return { status = 200, body = make(list.good(place), place) }
  end, outcome, outcome, more)
end

-- A page with one damage; see list.body.
local function page(name, damage, once, spent, more)
  add(name, more and more.at or row.PAGES, function(place)
    return { status = 200, body = list.body(list.page_of[place], damage) }
  end, once, spent, more)
end

local function token(name, edit, outcome)
  add(name, row.TOKENS, function() return { status = 200, body = list.token_body(edit) } end,
    outcome)
end

-- No JSON at all, or too much of it.
add("empty body", row.ALL, { kind = "empty" }, WRONG)
add("HTML", row.ALL, { kind = "html" }, WRONG)
add("truncated JSON", row.ALL, { kind = "truncated_json" }, WRONG)
add("JSON nested 100000 deep", row.ALL, { kind = "deep_json" }, DEEP)
add("compressed body, one to a billion", row.ALL, { kind = "bomb" }, fails("limit", 1), nil,
  { client = { max_body = 1000000 } })
body("blanks", row.ALL, function() return " \r\n\t " end, WRONG)
body("cut after the first byte", row.ALL, function() return "{" end, WRONG)
body("cut before the last byte", row.ALL, function(good) return good:sub(1, -2) end, WRONG)
body("JSON and more of it", row.ALL, function(good) return good .. good end, WRONG)
body("JSON and a comment", row.ALL, function(good) return good .. " // end" end, WRONG)
body("JSON and a NUL", row.ALL, function(good) return good .. "\0" end, FINE)
body("JSON and blanks", row.ALL, function(good) return "\r\n " .. good .. "\r\n\r\n" end, FINE)
body("a byte order mark first", row.ALL, function(good) return "\239\187\191" .. good end, WRONG)
body("UTF-16", row.ALL, function(good) return (good:gsub(".", "%0\0")) end, WRONG)
body("XML", row.ALL, function() return "<?xml version='1.0'?><data/>" end, WRONG)
body("an unfinished text", row.ALL, function() return '{"data":"' end, WRONG)
body("single quotes", row.ALL, function(good) return (good:gsub('"', "'")) end, WRONG)
body("a bad escape", row.ALL, function(good) return (good:gsub('":"', '":"\\q')) end, WRONG)
body("half a surrogate", row.ALL, function(good) return (good:gsub('":"', '":"\\ud800')) end,
  WRONG)
body("control characters in texts", row.PAGES, function(good)
  return (good:gsub('n":"', 'n":"\1'))
end, FINE)
body("nested 65 deep", row.ALL, function() return ("["):rep(65) .. ("]"):rep(65) end, DEEP)
body("opened 100000 deep, not closed", row.ALL, function() return ('{"a":'):rep(100000) end, DEEP)
for _, text in ipairs { "null", "5", '"text"', "true", "[]", "{}", "[{}]", "nil", "undefined" } do
  body("the body is " .. text, row.ALL, function() return text end, WRONG)
end

-- Fields that no one documented, at any depth that is allowed, and what looks like damage only.
page("invalid UTF-8", { row = { organization = '"\255\254\192\175"' } }, FINE)
page("an unknown field", { also = '"unknown":{"a":[1,{"b":null}]}' }, FINE)
page("a field nested 50 deep", { also = '"deep":' .. ("["):rep(50) .. ("]"):rep(50) }, FINE)
page("a field nested 100 deep", { also = '"deep":' .. ("["):rep(100) .. ("]"):rep(100) }, DEEP)
page("a text of 100 KB", { row = { organization = '"' .. ("x"):rep(100000) .. '"' } }, FINE)
page("a NUL in a text", { row = { organization = '"a\\u0000b"' } }, FINE)
add("duplicate keys in the envelope", row.PAGES, { kind = "duplicate_keys" }, FINE)
page("duplicate keys in an item", { also = '"id":"another","tenants":5' }, FINE)
page("numbers out of range", { row = { managementMode = "1e400" } }, WRONG)
page("a number with 400 digits", { row = { managementMode = ("9"):rep(400) } }, WRONG)
page("NaN", { row = { managementMode = "NaN" } }, WRONG)
page("Infinity", { row = { managementMode = "-Infinity" } }, WRONG)
page("a hexadecimal number", { row = { managementMode = "0x10" } }, WRONG)
page("a number beyond 2^53", { row = { managementMode = "9007199254740993" } }, FINE)
page("a negative zero", { row = { managementMode = "-0" } }, FINE)

-- Wrong types in every field.
local TYPES = { { "a number", "5" }, { "a fraction", "1.5" }, { "text", '"text"' },
  { "empty text", '""' }, { "true", "true" }, { "null", "null" }, { "a list", "[1]" },
  { "an empty list", "[]" }, { "an object", '{"a":1}' }, { "an empty object", "{}" } }

local function add_wrong_fields()
  for _, field in ipairs { "organization", "ownerEmail", "jobStatus", "countryOrRegion",
    "managementMode", "tenants" } do
    for _, kind in ipairs(TYPES) do
      page(field .. " is " .. kind[1], { row = { [field] = kind[2] } }, FINE)
    end
    page(field .. " is absent", { row = { [field] = false } }, FINE)
  end
  for _, kind in ipairs(TYPES) do
    page("a tenant is " .. kind[1], { row = { tenants = "[" .. kind[2] .. "]" } }, FINE)
    page("a tenant's id is " .. kind[1], { row = { tenants = ('[{"id":%s}]'):format(kind[2]) } },
      FINE)
    if kind[1] ~= "text" then
      local number = tonumber(kind[2]) ~= nil -- other lists may have such ids
      page("id is " .. kind[1], { row = { id = kind[2] } }, WRONG, nil,
        number and { only = "customers" })
    end
  end
  page("id is absent", { row = { id = false } }, WRONG)
end
add_wrong_fields()

local function with_item(text)
  return function(place)
    local texts = list.page_rows(list.page_of[place])
    texts[2] = text
    return { status = 200, body = list.body(list.page_of[place], { rows = texts }) }
  end
end
for _, kind in ipairs(TYPES) do
  add("an item is " .. kind[1], row.PAGES, with_item(kind[2]), WRONG)
end

local function add_wrong_envelopes()
  for _, kind in ipairs(TYPES) do
    if not kind[1]:find "empty" then
      page("data is " .. kind[1], { data = kind[2] }, WRONG)
    end
    if not kind[1]:find "object" and kind[1] ~= "null" and not kind[1]:find "list" then
      page("metadata is " .. kind[1], { metadata = kind[2] }, WRONG)
    end
    page("pageIndex is " .. kind[1], { meta = { pageIndex = kind[2] } }, FINE)
  end
end
add_wrong_envelopes()

page("data is absent", { data = false }, WRONG)
page("metadata is a list", { metadata = "[1]" }, WRONG)
page("pageIndex is absent", { meta = { pageIndex = false } }, FINE)

-- Counts: only whole numbers that can be.
local NO_COUNTS = { "-1", "1.5", '"text"', '""', "true", "[]", "[1]", "{}", '{"a":1}', "1e300",
  "9007199254740994", "-9007199254740994", "1e400", '"1e999"', '" "', '"-5"' }
for _, text in ipairs(NO_COUNTS) do
  page("totalCount is " .. text, { meta = { totalCount = text } }, WRONG)
  page("pageSize is " .. text, { meta = { pageSize = text } }, WRONG)
end
page("pageSize is 0", { meta = { pageSize = "0" } }, WRONG)
page("totalCount is a text of digits", { meta = { totalCount = '"23"' } }, FINE)
page("totalCount is 2.3e1", { meta = { totalCount = "2.3e1" } }, FINE)
page("pageSize is a text of digits", { meta = { pageSize = '"5"' } }, FINE)
page("pageSize is absent", { meta = { pageSize = false } }, FINE, nil, { at = row.LATER })
page("pageSize is absent", { meta = { pageSize = false } }, whole(2, { again = true }), nil,
  { at = row.FIRST, loose = true })

-- The token's reply.
local function add_token_replies()
  token("no access_token", { access_token = false }, WRONG)
  for _, kind in ipairs(TYPES) do
    if kind[1] ~= "text" then
      token("access_token is " .. kind[1], { access_token = kind[2] }, WRONG)
    end
    if kind[1] ~= "a number" and kind[1] ~= "a fraction" and kind[1] ~= "null" then
      token("expires_in is " .. kind[1], { expires_in = kind[2] }, WRONG)
    end
    token("scope is " .. kind[1], { scope = kind[2] }, FINE)
  end
  for _, text in ipairs { '"a\\r\\nX-Injected: 1"', '"a\\u0000b"', '"a b"', '"\\u00e9"' } do
    token("access_token is " .. text, { access_token = text }, WRONG)
  end
  for _, text in ipairs { "0", "-1", "-3600", "1e400", "NaN", '"-5"', '"soon"', "-1e300" } do
    token("expires_in is " .. text, { expires_in = text }, WRONG)
  end
  token("expires_in is absent", { expires_in = false }, FINE)
  token("expires_in is null", { expires_in = "null" }, FINE)
  token("expires_in is a text of digits", { expires_in = '"3600"' }, FINE)
  token("expires_in is 1e300", { expires_in = "1e300" }, FINE)
  token("duplicate keys in the token reply", { token_type = '"Bearer","access_token":"'
    .. list.token .. '"' }, FINE)
end
add_token_replies()

-- Compression that is none.
for _, encoding in ipairs { "gzip", "deflate" } do
  add("not " .. encoding .. ", though said to be", row.ALL, function(place)
    return { status = 200, body = list.good(place), headers = { ["Content-Encoding"] = encoding } }
  end, whole(2), fails("protocol", 3))
end
add("an unknown Content-Encoding", row.ALL, function(place)
  return { status = 200, body = list.good(place), headers = { ["Content-Encoding"] = "x-none" } }
end, whole(2), fails("protocol", 3))
add("over max_body", row.PAGES, function(place)
  return { status = 200, body = list.body(list.page_of[place], { also = '"x":"' .. ("x"):rep(20000)
    .. '"' }) }
end, fails("limit", 1), nil, { client = { max_body = 10000 } })

return rows
