--- What the commands and the window's keys do. The list is read in a task, so that the editor never
-- waits; window.lua shows it.
-- SPDX-License-Identifier: MIT
-- luacheck: globals vim

local config = require("avepoint.nvim").config

local api = vim.api
local loop = vim.uv or vim.loop
local actions = {}

local FAILED = 2 -- status code

local client -- made when it is first needed, and kept: it holds the token and the connections
local window -- the one on the screen

-- The reading under way, or the last one: `customers` that have arrived, `total`, `task`,
-- `state` ("reading", "done", "cancelled", "failed"), `after` (called once it is done).
-- `watcher` is told how it goes: the window or, without one, `echo`.
local reading

local function notify(text, level)
  vim.notify("avepoint: " .. text, vim.log.levels[level or "INFO"])
end

-- Tells on the command line how a reading goes.
local echo = {}

function echo.note(_, text)
  api.nvim_echo({ { "avepoint: " .. text } }, false, {})
end

function echo:add(_, total, text)
  self:note(("%d of %s customers, %s"):format(#reading.customers, total or "?", text))
end

echo.finish = echo.note

function echo.fail(_, text)
  notify(text, "ERROR")
end

-- reading -----------------------------------------------------------------------------------------

-- What the reading is doing. Pages may still come in while a later one has to wait.
local function progress_of(this)
  local left = this.wait_ends and this.wait_ends - loop.hrtime() / 1e9 or 0
  return left > 0 and ("waiting %d s before the next try (%s)"):format(math.ceil(left), this.reason)
    or "reading..."
end

-- Passes on what a person should know: how long the service makes us wait, and warnings.
local function on_event(event)
  if event.event == "wait" and reading then
    reading.wait_ends = loop.hrtime() / 1e9 + event.wait
    reading.reason = event.reason
    reading.watcher:note(progress_of(reading))
  elseif event.event == "warning" and reading then
    reading.warning = event.message
  end
  if config.client.on_event then
    config.client.on_event(event)
  end
end

-- One line for a person, whatever was raised.
local function message_of(err)
  local text = type(err) == "table" and err.message or tostring(err)
  if text:find("module 'avepoint.core'", 1, true) then
    return "avepoint is not built for Neovim: run `make plugin` in its folder"
  end
  return (text:gsub("%s*\n.*", ""))
end

-- The body of the task. Whatever it raises ends up before the user: no credentials, for example.
local function read_pages(this)
  client = client or require("avepoint").client(
    vim.tbl_extend("force", config.client, { on_event = on_event }))
  local listing = client:customers(config.listing)
  for customers in listing:pages() do
    vim.list_extend(this.customers, customers)
    this.total = listing:total()
    if reading == this then
      this.watcher:add(customers, this.total, progress_of(this))
    end
  end
  return listing:stats().seconds
end

local function fail(this, err)
  this.state = "failed"
  this.watcher:fail(message_of(err))
end

local function finish(this, err, seconds)
  if reading ~= this then
    return -- another has begun
  elseif err == nil then
    this.state = "done"
    this.watcher:finish(("done in %.1f s"):format(seconds), this.warning)
    if this.after then
      this.after(this)
    end
  elseif err == require("avepoint.driver").CANCELLED then
    this.state = "cancelled"
    this.watcher:note "cancelled"
  else
    fail(this, err)
  end
end

-- Begins to read the list anew. What waits for the end of a reading that is given up waits for that
-- of this one.
local function read(watcher)
  local this = { customers = {}, watcher = watcher, state = "reading" }
  if reading and reading.state == "reading" then
    this.after = reading.after
    actions.cancel()
  end
  reading = this
  local ok, avepoint = pcall(require, "avepoint")
  if not ok then
    fail(this, avepoint)
    return
  end
  this.task = avepoint.async(function()
    return read_pages(this)
  end, function(...)
    finish(this, ...)
  end)
end

--- Stops reading, if the list is being read.
function actions.cancel()
  if reading and reading.state == "reading" then
    reading.state = "cancelled"
    reading.task:cancel()
  end
end

--- Closes the client: the next reading makes one of the options that then hold.
function actions.forget_client()
  if client then
    client:close()
    client = nil
  end
end

-- one customer ------------------------------------------------------------------------------------

-- All of a customer, a line a field.
local function lines_of(customer)
  local parts = {}
  require("avepoint").show(customer, { write = function(_, ...)
    vim.list_extend(parts, { ... })
    return true
  end })
  return vim.split(vim.trim(table.concat(parts)), "\n")
end

local function copy(customer, text)
  vim.fn.setreg(vim.v.register, text)
  notify("copied " .. require("avepoint.cell").text(customer.organization))
end

-- Calls f with the customer under the cursor, if there is one.
local function with_customer(f)
  return function()
    local customer = window:customer()
    if customer then
      f(customer)
    end
  end
end

-- the window --------------------------------------------------------------------------------------

local keys

local function show_keys()
  local lines = {}
  for i, key in ipairs(keys) do
    lines[i] = ("%-9s  %s"):format(table.concat(key.keys, " "), key.text)
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "All other keys are Neovim's own. More: :help avepoint"
  require("avepoint.nvim.window").popup(lines, "avepoint-keys")
end

keys = {
  { keys = { "<CR>" }, text = "show the customer whole", action = with_customer(function(customer)
    require("avepoint.nvim.window").popup(lines_of(customer), "avepoint-customer")
  end) },
  { keys = { "y" }, text = "copy the customer whole", action = with_customer(function(customer)
    copy(customer, lines_of(customer))
  end) },
  { keys = { "Y" }, text = "copy the customer's id", action = with_customer(function(customer)
    copy(customer, tostring(customer.id))
  end) },
  { keys = { "f" }, text = "filter: only customers that hold all words stay", action = function()
    window:type_filter()
  end },
  { keys = { "r" }, text = "read the list anew", action = function()
    window:clear()
    read(window)
  end },
  { keys = { "<C-c>" }, text = "stop reading", action = actions.cancel },
  { keys = { "?" }, text = "show these keys", action = show_keys },
  { keys = { "q", "<Esc>" }, text = "close the window", action = function()
    window:close()
  end },
}

--- Opens the window and reads the list. A window that is open already is closed.
-- @param filter text; only customers that hold all of its words are shown
function actions.open(filter)
  if window then
    window:close()
  end
  window = require("avepoint.nvim.window").open {
    filter = filter or "", width = config.width, height = config.height, keys = keys,
    on_close = function()
      actions.cancel()
      window = nil
    end,
  }
  read(window)
end

-- quickfix ----------------------------------------------------------------------------------------

-- The buffer that the quickfix list's entries lie in: each failed customer whole, one behind the
-- other.
local function failed_buffer()
  local buffer = vim.fn.bufadd "avepoint://failed"
  vim.bo[buffer].buftype = "nofile"
  vim.bo[buffer].bufhidden = "hide"
  vim.bo[buffer].swapfile = false
  vim.fn.bufload(buffer)
  return buffer
end

local function put_into_quickfix(done)
  local status_code, text = require("avepoint.customer").status_code, require("avepoint.cell").text
  local buffer, lines, items = failed_buffer(), {}, {}
  for _, customer in ipairs(done.customers) do
    if status_code(customer) == FAILED then
      items[#items + 1] = { bufnr = buffer, lnum = #lines + 1, text = ("%s, %s, %s"):format(
        text(customer.organization), text(customer.countryOrRegion), text(customer.ownerEmail)) }
      vim.list_extend(lines, lines_of(customer))
      lines[#lines + 1] = ""
    end
  end
  require("avepoint.nvim.window").write(buffer, 0, -1, lines)
  local title = ("%d of %d customers failed"):format(#items, #done.customers)
  vim.fn.setqflist({}, " ", { items = items, title = title })
  if window then
    window:close()
  end
  vim.cmd(#items > 0 and "botright copen" or "cclose")
  notify(done.warning or title, done.warning and "WARN")
end

--- Puts the failed customers into the quickfix list. Takes those of the window, once all have
-- arrived; without a window reads the list.
function actions.failed()
  local under_way = reading and reading.state == "reading"
  if window and reading.state == "done" then
    put_into_quickfix(reading)
    return
  elseif not under_way then
    if window then
      window:clear()
    end
    read(window or echo)
  end
  reading.after = put_into_quickfix
end

return actions
