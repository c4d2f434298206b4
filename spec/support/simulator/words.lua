-- Words from which the generated customers are put together. Their counts multiply to more than
-- a million different organizations. A pair gives a name and its spelling in an address; what
-- stands here goes into JSON strings as it is, escapes included.
-- SPDX-License-Identifier: MIT
local function words(text)
  local list = {}
  for word in text:gmatch("%S+") do list[#list + 1] = word end
  return list
end

local function spelled(list, others)
  local found = {}
  for _, word in ipairs(list) do found[#found + 1] = { word, word:lower() } end
  for _, pair in ipairs(others) do found[#found + 1] = pair end
  return found
end

local M = {}

M.first = spelled(words [[
  Alder Amber Apex Arctic Ashford Atlas Aurora Azure Bayside Beacon Birch Blue Bright Cedar
  Clear Coastal Copper Crescent Crystal Delta Eastern Echo Ember Evergreen Falcon Fern Golden
  Granite Green Hazel High Iron Ivory Jade Juniper Keystone Laurel Liberty Lunar Maple Meridian
  Metro Mint Noble Northern Olive Orchid Pacific Pearl Pioneer Prairie Quartz Rowan Royal
  Saffron Silver Solar Southern Sterling Summit Swift Timber Union Velvet White Willow
]], {
  { "Grün", "gruen" }, { "Älv", "aelv" }, { "São Luís", "saoluis" }, { "Østre", "oestre" },
  { "Łąka", "laka" }, { "Ñandú", "nandu" }, { "日の出", "hinode" }, { "O'Hara", "ohara" },
})

M.second = spelled(words [[
  Anchor Arch Bay Bridge Brook Canyon Castle Cliff Cove Creek Crest Dale Field Forge Forest
  Gate Glen Grove Harbor Haven Heights Hill Island Junction Knoll Lake Landing Lantern Lodge
  Meadow Mill Mountain Oak Orchard Park Path Peak Pine Point Pond Port Ridge River Road Rock
  Sail Shore Spring Square Station Stone Stream Tower Trail Vale Valley View Well Wharf Wood
]], { { "Caf\\u00e9", "cafe" } })

M.sector = {
  "Accounting", "Advisory", "Architects", "Bakery", "Biotech", "Capital", "Consulting", "Dental",
  "Design", "Education", "Electric", "Energy", "Engineering", "Farms", "Finance", "Foods & Drinks",
  "Freight", "Health", "Hotels", "Insurance", "Law", "Logistics", "Marine", "Media", "Motors",
  "Pharma", "Properties", "Robotics", "Software", "Textiles", "Travel",
}

-- The legal form goes with the country.
M.legal = {
  { "Inc.", { "United States", "Canada", "Philippines" } },
  { "Ltd", { "United Kingdom", "Ireland", "New Zealand", "India" } },
  { "LLC", { "United States", "United Arab Emirates", "Afghanistan" } },
  { "GmbH", { "Germany", "Austria", "Switzerland" } },
  { "B.V.", { "Netherlands" } },
  { "S.A.", { "Spain", "Belgium", "Brazil", "Argentina" } },
  { "SAS", { "France", "Colombia" } },
  { "S.p.A.", { "Italy" } },
  { "AB", { "Sweden", "Finland" } },
  { "A/S", { "Denmark", "Norway" } },
  { "Pty Ltd", { "Australia", "South Africa" } },
  { "K.K.", { "Japan" } },
  { "Sp. z o.o.", { "Poland" } },
  { "Pte. Ltd.", { "Singapore", "Malaysia" } },
}

M.given = words [[
  ada ben clara david elena felix grace hugo ines jonas karin leo mara nils olga paul rita
  samir tara umar vera walter yuki zoe amir bianca carlos dana emil fatima
]]

M.family = words [[
  adler bauer costa dubois eriksen fischer garcia huang ivanov jensen kowalski larsen meyer
  novak okafor patel quinn rossi santos tanaka usman vogel weber yilmaz zhang brown clark
  davies evans ferrari green
]]

return M
