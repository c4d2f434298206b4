--- The customers in Neovim: a window that fills as they arrive, and the failed ones in the quickfix
-- list. This file makes the commands; nothing else of avepoint is loaded before one is used.
-- SPDX-License-Identifier: MIT
-- luacheck: read globals vim

local nvim = {}

--- What setup() was given, and the defaults.
nvim.config = { client = {}, listing = {}, width = 0.9, height = 0.8 }

local function actions()
  return require "avepoint.nvim.actions"
end

local function check(options)
  for name, value in pairs(options) do
    local wanted = type(nvim.config[name])
    if wanted == "nil" then
      error(("avepoint.nvim.setup: unknown option '%s' (known: client, listing, width, height)")
        :format(tostring(name)), 3)
    elseif type(value) ~= wanted then
      error(("avepoint.nvim.setup: option '%s' must be a %s"):format(name, wanted), 3)
    end
  end
end

--- Opens the window and reads the list. A window that is open already is closed.
-- @param filter text; only customers that hold all of its words are shown
function nvim.open(filter)
  actions().open(filter)
end

--- Puts the failed customers into the quickfix list.
function nvim.failed()
  actions().failed()
end

--- Stops reading, if the list is being read.
function nvim.cancel()
  if package.loaded["avepoint.nvim.actions"] then
    actions().cancel()
  end
end

local commands = {
  AvepointCustomers = { nvim.open, nargs = "*",
    desc = "List the customers in a window; words filter them" },
  AvepointFailed = { nvim.failed, desc = "Put the failed customers into the quickfix list" },
  AvepointCancel = { nvim.cancel, desc = "Stop reading; the window keeps what has arrived" },
}

--- Sets options and makes the commands; may be called again.
-- @param options client (options of avepoint.client; what is left out comes from the environment),
--   listing (options of client:customers), width and height (parts of the screen, 0 to 1)
function nvim.setup(options)
  check(options or {})
  for name, value in pairs(options or {}) do
    nvim.config[name] = value
  end
  if package.loaded["avepoint.nvim.actions"] then
    actions().forget_client()
  end
  for name, command in pairs(commands) do
    vim.api.nvim_create_user_command(name, function(given)
      command[1](given.args)
    end, { nargs = command.nargs or 0, bar = true, desc = command.desc })
  end
end

return nvim
