--- avepoint: lists the customers that a Microsoft 365 partner manages, through the AvePoint Graph
-- API. This file holds the module's public functions; the README describes them.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.load" -- first: the other modules need it
local client = require "avepoint.client"
local customer = require "avepoint.customer"
local log = require "avepoint.log"
local progress = require "avepoint.progress"
local show = require "avepoint.show"

---@type avepoint
local avepoint = {
  _VERSION = "avepoint " .. core.version,
  async = function(...)
    return require("avepoint.driver.uv").run(...)
  end,
  client = client.new,
  customers = client.customers,
  doctor = function(...)
    return require("avepoint.doctor").run(...)
  end,
  is_error = core.is_error,
  logger = log.new,
  job_status = customer.job_status,
  management_mode = customer.management_mode,
  progress = progress.new,
  show = show.value,
}

return avepoint
