--- A window that fills with the customers as they arrive. This file reads the list, in a task of
-- its own so that the editor never waits; window.lua shows it.
-- SPDX-License-Identifier: MIT
-- luacheck: read globals vim

local plugin = {}

local config = { client = {}, listing = {}, width = 0.9, height = 0.8 }
local client -- made when it is first needed, and kept: it holds the token and the connections
local window, task -- those of the listing on the screen

--- Sets options; may be called again. All have defaults.
-- @param options client (options of avepoint.client; what is left out comes from the environment),
--   listing (options of client:customers), width and height (parts of the screen, 0 to 1)
function plugin.setup(options)
  for name, value in pairs(options or {}) do
    if config[name] == nil then
      error(("avepoint_nvim.setup: unknown option '%s'"):format(tostring(name)), 2)
    elseif type(value) ~= type(config[name]) then
      error(("avepoint_nvim.setup: option '%s' must be a %s"):format(name, type(config[name])), 2)
    end
  end
  for name, value in pairs(options or {}) do
    config[name] = value
  end
  if client then
    client:close()
    client = nil
  end
end

-- While the service makes us wait, the window says for how long.
local function on_event(event)
  if event.event == "wait" and window then
    window:note(("waiting %d s: %s"):format(math.ceil(event.wait or 0), event.reason or "asked to"))
  end
  if config.client.on_event then
    config.client.on_event(event)
  end
end

local function make_client()
  local options = vim.tbl_extend("force", config.client, { on_event = on_event })
  return require("avepoint").client(options)
end

-- The body of the task. Whatever it raises ends up in the window: no credentials, for example.
local function list(into)
  client = client or make_client()
  local listing = client:customers(config.listing)
  for customers in listing:pages() do
    into:add(customers, listing:total())
  end
  return listing:stats().seconds
end

-- One line for a person, whatever was raised.
local function message_of(err)
  local text = tostring(err)
  if text:find("module 'avepoint", 1, true) then
    return "avepoint is not built for Neovim: run `make LUA=luajit plugin` in its folder"
  end
  return (text:gsub("%s*\n.*", ""))
end

local function show_end(of, err, seconds)
  if err == nil then
    of:finish(("done in %.1f s"):format(seconds))
  elseif err == require("avepoint.driver.uv").cancelled then
    of:finish "cancelled"
  else
    of:fail(message_of(err))
  end
end

--- Stops the listing, if one is under way.
function plugin.cancel()
  if task then
    task:cancel()
  end
end

--- Opens the window and starts listing. A window that is open already is closed.
-- @param filter text; only customers that hold all of its words are shown
-- @return the window
function plugin.open(filter)
  if window then
    window:close()
  end
  local opened = require("avepoint_nvim.window").open {
    filter = filter or "",
    width = config.width,
    height = config.height,
    on_cancel = plugin.cancel,
    on_close = plugin.cancel,
  }
  window = opened
  local ok, uv = pcall(require, "avepoint.driver.uv")
  if not ok then
    opened:fail(message_of(uv))
    return opened
  end
  task = uv.run(function()
    return list(opened)
  end, function(err, seconds)
    show_end(opened, err, seconds)
  end)
  return opened
end

return plugin
