-- Makes the JSON text of what a customer has subscribed to from the customer's ordinal alone. All
-- values are texts, numbers too.
-- SPDX-License-Identifier: MIT
local customers = require "customers"
local mix = require("numbers").mix

local NAMES = {
  [0] = "Cloud Backup for Microsoft 365", "Cloud Backup for Google Workspace",
  "Cloud Backup for IaaS + PaaS - Unit", "Fly Migration to Google", "Cloud Governance",
}
local COUNTS = { [0] = 1, 2, 1, 0, 3, 1, 2 }

local JSON = '{"service":"%s","subscriptionModel":"User","purchasedUserSeats":"%d",'
  .. '"purchasedUnits":"N/A","microsoftLicenseAssigned":"%d","microsoftLicenseAvailable":"%d",'
  .. '"purchasedCapacity":"0/1 GB","protectedCapacity":"0 GB","storage":"Bring your own storage",'
  .. '"retention":"N/A","consumedStorage":"N/A","expirationDate":"20%02d-0%d-01T00:00:00Z",'
  .. '"change":"N/A","source":"AvePoint subscription","paymentType":"Prepaid",'
  .. '"subscriptionName":"N/A","package":"N/A","contractEndDate":"N/A"}'

local function product(ordinal, n)
  local seats = mix(ordinal, 200 + n) % 2 ^ 32 % 5000
  return JSON:format(NAMES[(ordinal + n) % 5], seats, math.floor(seats / 3), seats % 90,
    26 + ordinal % 4, 1 + (ordinal + n) % 9)
end

local M = {}

function M.json(ordinal)
  local products = {}
  for n = 1, COUNTS[ordinal % 7] do products[n] = product(ordinal, n) end
  local id, organization, email = customers.head(ordinal)
  return ('{"customerId":"%s","organization":"%s","customer":"%s","products":[%s]}'):format(id,
    organization, email, table.concat(products, ","))
end

return M
