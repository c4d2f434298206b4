-- The commands of the avepoint plugin. Nothing else is loaded until one of them is used.
-- SPDX-License-Identifier: MIT
-- luacheck: globals vim

if vim.g.loaded_avepoint then
  return
end
vim.g.loaded_avepoint = true

vim.api.nvim_create_user_command("AvepointCustomers", function(command)
  require("avepoint_nvim").open(command.args)
end, { nargs = "*", desc = "List the customers in a window; words filter them" })

vim.api.nvim_create_user_command("AvepointCancel", function()
  local plugin = package.loaded["avepoint_nvim"]
  if plugin then
    plugin.cancel()
  end
end, { desc = "Stop listing; the window keeps what has arrived" })
