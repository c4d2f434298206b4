--- Shows the doctor's report for `:checkhealth avepoint` in Neovim.
-- SPDX-License-Identifier: MIT
-- luacheck: read globals vim

local health = {}

-- Before 0.10, Neovim had only the older names.
local function reporters()
  local h = vim.health or require "health"
  return {
    start = h.start or h.report_start,
    ok = h.ok or h.report_ok,
    warning = h.warn or h.report_warn,
    error = h.error or h.report_error,
  }
end

--- Called by Neovim. Looks with the options that setup() was given, if it was called.
function health.check()
  local report = reporters()
  report.start "avepoint"
  local ok, doctor = pcall(require, "avepoint.doctor")
  if not ok then
    report.error("module: avepoint is not built for Neovim: run `make plugin` in its folder ("
      .. tostring(doctor):match "[^\n]*" .. ")")
    return
  end
  local nvim = package.loaded["avepoint.nvim"]
  for _, line in ipairs(doctor.examine(nvim and nvim.config.client)) do
    report[line.status](line.name .. ": " .. line.text)
  end
end

return health
