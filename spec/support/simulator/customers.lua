-- Makes the JSON text of a customer from its ordinal number alone, so that a list of a million
-- costs nothing until a page of it is asked for. Knows nothing of lists and pages.
-- SPDX-License-Identifier: MIT
local numbers = require "numbers"
local words = require "words"

local floor = math.floor
local mix, guid = numbers.mix, numbers.guid

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

-- head(ordinal): id, organization, e-mail address of the owner, country and the name in addresses
function M.head(ordinal)
  local name, country, slug = organization(ordinal)
  local owner = mix(ordinal, 5) % 2 ^ 32
  local email = words.given[owner % #words.given + 1] .. "."
    .. words.family[floor(owner / 64) % #words.family + 1] .. "@" .. slug .. ".example"
  return guid(ordinal, 0), name, email, country, slug
end

-- form: a key of status_forms; spelling: "customers_page" or "released", for names only
function M.json(ordinal, form, spelling)
  local id, name, email, country, slug = M.head(ordinal)
  return '{"id":"' .. id .. '","organization":"' .. name .. '","ownerEmail":"' .. email
    .. '","jobStatus":' .. status_text(ordinal, form, spelling) .. ',"countryOrRegion":"' .. country
    .. '","managementMode":' .. tostring(floor(ordinal * 7 / 4) % 3) .. ',"tenants":'
    .. tenants(ordinal, slug, form == "mixed") .. "}"
end

return M
