-- Neovim before 0.8 looks at Ctrl-C only where vim.wait's time is over (neovim#19217): one wait for
-- a slow page of up to thirty seconds could not be interrupted.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

describe("#hosts Ctrl-C in Neovim's main context", function()
  it("ends the wait at once", function()
    local base, token = helper.urls(helper.scenario { customers = 30, latency = 20 })
    local lines = hosts.nvim(([[
      local client = require("avepoint").client { base_url = %q, token_url = %q, ca_file = %q,
        client_id = %q, client_secret = %q }
      local loop = vim.uv or vim.loop
      local timer = loop.new_timer()
      timer:start(500, 0, function() vim.api.nvim_input "<C-c>" end)
      local begun = loop.hrtime()
      local ok, err = pcall(client.customers(client).first, client:customers())
      finish(tostring(ok), tostring(err), (loop.hrtime() - begun) / 1e9)
    ]]):format(base, token, helper.ca_file, helper.client_id, helper.client_secret))
    assert.same({ "false", "avepoint: interrupted" }, { lines[1], lines[2] })
    assert.is_true(tonumber(lines[3]) < 5, lines[3] .. " seconds")
  end)
end)
