-- Makes the JSON text of a row of a customer's overview of Cloud Backup for Microsoft 365, one a
-- module. No field tells rows apart; some customers have none.
-- SPDX-License-Identifier: MIT
local customers = require "customers"
local mix = require("numbers").mix

local MODULES = {
  "Exchange Online", "SharePoint Online", "OneDrive", "Microsoft 365 Group", "Microsoft Teams",
}

local M = {}

function M.count(ordinal)
  return ordinal % 4 == 0 and 0 or #MODULES
end

local JSON = '{"customerId":"%s","customer":"%s","serviceType":"Cloud Backup for Microsoft 365",'
  .. '"serviceModule":"%s","totalScannedObjects":%d,"totalProtectedObjects":%d,'
  .. '"dataSizeStoredInAvePoint":"%d GB","dataSizeStoredInBYOS":"N/A"}'

function M.json(ordinal, n)
  local id, _, email = customers.head(ordinal)
  local scanned = mix(ordinal, 300 + n) % 2 ^ 32 % 900
  return JSON:format(id, email, MODULES[n], scanned, scanned - scanned % 7, scanned / 8)
end

return M
