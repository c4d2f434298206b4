-- Makes the JSON text of a customer from its ordinal number alone, so that a list of a million
-- costs nothing until a page of it is asked for. The same number always gives the same customer,
-- and the number can be read back from the id. Knows nothing of lists and pages.
-- SPDX-License-Identifier: MIT
local bit = require "bit"
local ffi = require "ffi"
local words = require "words"

local band, bxor, lshift, rshift, tobit = bit.band, bit.bxor, bit.lshift, bit.rshift, bit.tobit
local floor = math.floor

-- Product of two 32-bit numbers modulo 2^32: in halves, since a double holds 53 bits only.
local function multiply(a, b)
  return tobit(lshift(tobit(rshift(a, 16) * band(b, 0xffff)), 16) + band(a, 0xffff) * (b % 2 ^ 32))
end

local SPREAD = 0x2C1B3C6D
local MASK = 0x51A7E0D3

-- Newton's iteration for the inverse of an odd number modulo 2^32: each step doubles the bits.
local function inverse(number)
  local x = number
  for _ = 1, 5 do x = multiply(x, tobit(2 - multiply(number, x))) end
  return x
end

local UNSPREAD = inverse(SPREAD)

local function mix(number, salt)
  local hash = tobit(number * 31 + salt)
  hash = multiply(bxor(hash, rshift(hash, 16)), 0x45D9F3B)
  hash = multiply(bxor(hash, rshift(hash, 15)), 0x297A2D39)
  return bxor(hash, rshift(hash, 16))
end

local HEX = ffi.new("uint8_t[16]", { ("0123456789abcdef"):byte(1, 16) })
local DASH, FOUR = ("-"):byte(), ("4"):byte()
local text36 = ffi.new "uint8_t[36]"

local function put_hex(at, digits, number)
  for i = at + digits - 1, at, -1 do
    text36[i] = HEX[band(number, 15)]
    number = rshift(number, 4)
  end
end

-- The form of a random GUID (version 4), written digit by digit since ids are most of the work of
-- a page. The first eight digits are a permutation of the ordinal.
local function guid(ordinal, salt)
  local middle, last = mix(ordinal, salt + 1), mix(ordinal, salt + 2)
  put_hex(0, 8, bxor(multiply(ordinal, SPREAD), tobit(MASK + salt * 65599)))
  put_hex(9, 4, middle)
  put_hex(15, 3, rshift(middle, 16))
  put_hex(19, 4, band(last, 0x3fff) + 0x8000) -- the variant
  put_hex(24, 4, rshift(last, 16))
  put_hex(28, 8, mix(ordinal, salt + 3))
  text36[8], text36[13], text36[14], text36[18], text36[23] = DASH, DASH, FOUR, DASH, DASH
  return ffi.string(text36, 36)
end

local STATUS = {
  customers_page = {
    [0] = "N/A", "Working", "Failed", "Waiting for Configuration", "Multiple Issues Found",
    "Finished with Exception", "No Backup Update",
  },
  released = {
    [0] = "N/A", "Working", "Failed", "Waiting for configuration", "Multiple issues found",
    "Finished with exception", "No backup updates",
  },
}

-- Twenty customers in a row hold every status; most of them are well, as in life.
local STATUS_CYCLE = { [0] = 1, 1, 2, 0, 1, 3, 1, 4, 1, 5, 1, 6, 1, 2, 1, 5, 0, 1, 3, 1 }

local STATUS_TEXT = {
  name = function(code, spelling) return '"' .. STATUS[spelling][code] .. '"' end,
  integer = function(code) return tostring(code) end,
  numeric = function(code) return '"' .. code .. '"' end,
  upper = function(code) return '"' .. STATUS.released[code]:upper() .. '"' end,
}

local MIXED = { [0] = "name", "integer", "numeric", "upper", "name", "integer", "numeric" }

local function status_text(ordinal, form, spelling)
  local code = STATUS_CYCLE[ordinal % 20]
  if form == "mixed" then
    form = MIXED[ordinal % 7]
    spelling = ordinal % 2 == 0 and "released" or "customers_page"
  end
  return STATUS_TEXT[form](code, spelling)
end

local NAMES = #words.first * #words.second * #words.sector * #words.legal
-- A prime that divides none of the counts walks through all combinations.
local STEP = 611953

local function pick(list, number)
  local entry = list[number % #list + 1]
  return entry[1], entry[2]
end

-- organization, country and the name of the organization in addresses
local function organization(ordinal)
  local number = ordinal * STEP % NAMES
  local first, first_slug = pick(words.first, number)
  number = floor(number / #words.first)
  local second, second_slug = pick(words.second, number)
  number = floor(number / #words.second)
  local sector = words.sector[number % #words.sector + 1]
  local legal = words.legal[floor(number / #words.sector) + 1]
  local country = legal[2][mix(ordinal, 6) % #legal[2] + 1]
  local name = first .. " " .. second .. " " .. sector .. " " .. legal[1]
  if ordinal >= NAMES then name = name .. " " .. ordinal end
  return name, country, first_slug .. second_slug
end

local TENANT_COUNT = { [0] = 1, 1, 0, 2, 1, 1, 3, 1, 2, 0, 1 }
local TENANT_NAME = { "", "-emea", "-archive" }

local function tenants(ordinal, slug, mixed)
  local id_key, name_key = '{"id":"', '","name":"'
  if mixed and ordinal % 5 == 0 then id_key, name_key = '{"Id":"', '","Name":"' end
  local text = "["
  for n = 1, TENANT_COUNT[ordinal % 11] do
    text = text .. (n > 1 and "," or "") .. id_key .. guid(ordinal, n * 7919) .. name_key
      .. slug .. TENANT_NAME[n] .. '"}'
  end
  return text .. "]"
end

local M = {}

M.status_forms = { name = true, integer = true, numeric = true, mixed = true }

function M.id(ordinal)
  return guid(ordinal, 0)
end

-- The ordinal a generated id stands for, nil for any other text.
function M.ordinal(id)
  local digits = id:lower():match("^(%x%x%x%x%x%x%x%x)%-")
  if not digits then return nil end
  local ordinal = multiply(bxor(tobit(tonumber(digits, 16)), MASK), UNSPREAD) % 2 ^ 32
  if guid(ordinal, 0) ~= id:lower() then return nil end
  return ordinal
end

-- form: a key of status_forms; spelling: "customers_page" or "released", for names only
function M.json(ordinal, form, spelling)
  local name, country, slug = organization(ordinal)
  local owner = mix(ordinal, 5) % 2 ^ 32
  return '{"id":"' .. guid(ordinal, 0) .. '","organization":"' .. name .. '","ownerEmail":"'
    .. words.given[owner % #words.given + 1] .. "."
    .. words.family[floor(owner / 64) % #words.family + 1] .. "@" .. slug .. '.example'
    .. '","jobStatus":' .. status_text(ordinal, form, spelling) .. ',"countryOrRegion":"' .. country
    .. '","managementMode":' .. tostring(floor(ordinal * 7 / 4) % 3) .. ',"tenants":'
    .. tenants(ordinal, slug, form == "mixed") .. "}"
end

return M
