--- avepoint: lists the customers that a Microsoft 365 partner manages, through the AvePoint Graph
-- API. This file holds the module's public functions; doc/reference.md describes them.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.load" -- first: the other modules need it
local client = require "avepoint.client"
local compat = require "avepoint.compat"
local customer = require "avepoint.customer"
local log = require "avepoint.log"

-- Returns a function of a module that is loaded when it is first called: few programs need these.
local function of(name, field)
  return function(...)
    return assert(compat.require(name))[field](...)
  end
end

---@type avepoint
local avepoint = {
  _VERSION = "avepoint " .. core.version,
  async = of("avepoint.driver.uv", "run"),
  client = client.new,
  customers = client.customers,
  doctor = of("avepoint.doctor", "run"),
  is_error = core.is_error,
  logger = log.new,
  job_status = customer.job_status,
  management_mode = customer.management_mode,
  progress = of("avepoint.progress", "new"),
  show = of("avepoint.show", "value"),
}

return avepoint
