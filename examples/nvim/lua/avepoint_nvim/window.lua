--- The window: a frame with a line about the listing, the filter and the column heads; in it the
-- list, and for as long as the filter is typed, a line to type in.
--
-- What has arrived and what is shown are two things. `rows` has all that arrived, `next` is the
-- first that was not looked at yet; fill() looks at the following ones and appends those that the
-- filter lets through. A new filter starts again at the first row. That is done in turns of the
-- editor's loop of its own, each no longer than a few milliseconds.
-- SPDX-License-Identifier: MIT
-- luacheck: globals vim

local row = require "avepoint_nvim.row"

local api = vim.api
local loop = vim.uv or vim.loop
local Window = {}
Window.__index = Window

local window = {}

local TURN = 3e6 -- nanoseconds
local HEAD = 3 -- lines of the frame above the list
local LABEL = "Filter: "
local KEYS = "f filter  ^C stop  q close"

local names = api.nvim_create_namespace "avepoint"

local groups = {
  AvepointFailed = "ErrorMsg",
  AvepointAttention = "WarningMsg",
  AvepointError = "ErrorMsg",
  AvepointHead = "Title",
  AvepointKeys = "Comment",
}

-- buffers -----------------------------------------------------------------------------------------

local function new_buffer(filetype)
  local buffer = api.nvim_create_buf(false, true)
  vim.bo[buffer].bufhidden = "wipe"
  vim.bo[buffer].undolevels = -1
  vim.bo[buffer].filetype = filetype
  return buffer
end

local function write(buffer, first, last, lines)
  vim.bo[buffer].modifiable = true
  api.nvim_buf_set_lines(buffer, first, last, false, lines)
  vim.bo[buffer].modifiable = false
end

-- frame -------------------------------------------------------------------------------------------

local function count_text(self)
  local text = self.total and ("%d of %d"):format(#self.rows, self.total) or tostring(#self.rows)
  if #self.words > 0 then
    text = ("%s, %d shown"):format(text, self.shown)
  end
  return text
end

local function show_status(self)
  if self.closed then
    return
  end
  local said = ("%s, %s"):format(count_text(self), self.state)
  local room = self.width - #said - #KEYS
  local status = room > 1 and said .. (" "):rep(room) .. KEYS or said
  write(self.frame, 0, -1, { status, LABEL .. self.filter, row.head(self.columns) })
  api.nvim_buf_clear_namespace(self.frame, names, 0, -1)
  api.nvim_buf_add_highlight(self.frame, names, "AvepointKeys", 0, #said, -1)
  if self.message then
    api.nvim_buf_add_highlight(self.frame, names, "AvepointError", 0, 0, #said)
  end
  api.nvim_buf_add_highlight(self.frame, names, "AvepointKeys", 1, 0, #LABEL)
  api.nvim_buf_add_highlight(self.frame, names, "AvepointHead", 2, 0, -1)
end

-- list --------------------------------------------------------------------------------------------

-- Writes these lines behind those that stand, and behind them, where all rows have been looked at,
-- the error.
local function append(self, lines, marks)
  local first = self.shown
  self.shown = first + #lines
  if self.message and self.next > #self.rows then
    lines[#lines + 1] = self.message
    marks[#marks + 1] = { #lines, "AvepointError", 0, -1 }
  end
  api.nvim_buf_clear_namespace(self.list, names, first, -1)
  write(self.list, first, -1, lines)
  for _, mark in ipairs(marks) do
    api.nvim_buf_add_highlight(self.list, names, mark[2], first + mark[1] - 1, mark[3], mark[4])
  end
end

local function is_shown(self, item)
  if #self.words == 0 then
    return true
  end
  item.text = item.text or row.text(item.customer)
  return row.matches(item.text, self.words)
end

-- Looks at rows for as long as a turn may take. Gives the lines of those that are shown, and what
-- is to be highlighted in them.
local function look_at_rows(self)
  local lines, marks, from = {}, {}, loop.hrtime()
  while self.next <= #self.rows and loop.hrtime() - from < TURN do
    local item = self.rows[self.next]
    self.next = self.next + 1
    if is_shown(self, item) then
      local line, group, first, last = row.line(item.customer, self.columns)
      lines[#lines + 1] = line
      if group then
        marks[#marks + 1] = { #lines, group, first, last }
      end
    end
  end
  return lines, marks
end

local function fill(self)
  if self.closed then
    return
  end
  append(self, look_at_rows(self))
  show_status(self)
  self.filling = self.next <= #self.rows
  if self.filling then
    vim.defer_fn(function()
      fill(self)
    end, 0)
  end
end

-- Looks at the rows that were not looked at yet, soon, unless that is under way.
local function go_on(self)
  if not self.filling then
    self.filling = true
    vim.defer_fn(function()
      fill(self)
    end, 0)
  end
end

local function start_again(self)
  self.next, self.shown = 1, 0
  go_on(self)
end

-- windows -----------------------------------------------------------------------------------------

-- Where frame and list stand: two configurations.
local function places(self)
  local lines, columns = vim.o.lines - vim.o.cmdheight, vim.o.columns
  local width = math.max(20, math.floor(columns * math.min(1, self.part_width)) - 2)
  local height = math.max(HEAD + 1, math.floor(lines * math.min(1, self.part_height)) - 2)
  local top = math.max(0, math.floor((lines - height - 2) / 2))
  local left = math.max(0, math.floor((columns - width - 2) / 2))
  self.width, self.columns = width, row.columns(width)
  self.prompt_place = { relative = "editor", style = "minimal", row = top + 2, height = 1,
    col = left + 1 + #LABEL, width = width - #LABEL, zindex = 52 }
  return {
    relative = "editor", style = "minimal", border = "rounded", focusable = false, zindex = 50,
    row = top, col = left, width = width, height = height,
  }, {
    relative = "editor", style = "minimal", zindex = 51,
    row = top + 1 + HEAD, col = left + 1, width = width, height = height - HEAD,
  }
end

local function resize(self)
  local frame, list = places(self)
  api.nvim_win_set_config(self.frame_window, frame)
  api.nvim_win_set_config(self.list_window, list)
  start_again(self)
end

-- prompt ------------------------------------------------------------------------------------------

local function close_window(id)
  if id and api.nvim_win_is_valid(id) then
    api.nvim_win_close(id, true)
  end
end

-- A line to type the filter in; the list follows each key.
local function type_filter(self)
  local buffer = new_buffer "avepoint-filter"
  api.nvim_buf_set_lines(buffer, 0, -1, false, { self.filter })
  local id = api.nvim_open_win(buffer, true, self.prompt_place)
  api.nvim_buf_attach(buffer, false, {
    on_lines = vim.schedule_wrap(function()
      if api.nvim_buf_is_valid(buffer) then
        self:set_filter(table.concat(api.nvim_buf_get_lines(buffer, 0, -1, false), " "))
      end
    end),
  })
  for _, key in ipairs { "<CR>", "<C-c>" } do
    vim.keymap.set("i", key, "<Esc>", { buffer = buffer })
  end
  api.nvim_create_autocmd({ "InsertLeave", "WinLeave" }, {
    buffer = buffer,
    once = true,
    callback = vim.schedule_wrap(function()
      close_window(id)
    end),
  })
  self.prompt = id
  vim.cmd "startinsert!"
end

local function set_keys(self, on_cancel)
  local function map(key, action)
    vim.keymap.set("n", key, action, { buffer = self.list, nowait = true, silent = true })
  end
  map("f", function()
    type_filter(self)
  end)
  for _, key in ipairs { "q", "<Esc>" } do
    map(key, function()
      self:close()
    end)
  end
  map("<C-c>", on_cancel)
end

local function set_autocommands(self)
  self.group = api.nvim_create_augroup("avepoint", { clear = true })
  api.nvim_create_autocmd("WinClosed", {
    group = self.group,
    pattern = tostring(self.list_window),
    callback = vim.schedule_wrap(function()
      self:close()
    end),
  })
  api.nvim_create_autocmd("VimResized", {
    group = self.group,
    callback = function()
      resize(self)
    end,
  })
end

-- what the plugin calls ---------------------------------------------------------------------------

--- Opens the window.
-- @param options filter; width and height, parts of the screen; on_cancel and on_close, functions
function window.open(options)
  for name, link in pairs(groups) do
    api.nvim_set_hl(0, name, { link = link, default = true })
  end
  local self = setmetatable({
    rows = {}, next = 1, shown = 0, filter = options.filter, words = row.words(options.filter),
    state = "listing...", on_close = options.on_close,
    part_width = options.width, part_height = options.height,
  }, Window)
  local frame, list = places(self)
  self.frame, self.list = new_buffer "avepoint-frame", new_buffer "avepoint"
  self.frame_window = api.nvim_open_win(self.frame, false, frame)
  self.list_window = api.nvim_open_win(self.list, true, list)
  vim.wo[self.list_window].cursorline = true
  vim.wo[self.list_window].wrap = true -- of the error: the others fit
  vim.wo[self.list_window].linebreak = true
  set_keys(self, options.on_cancel)
  set_autocommands(self)
  fill(self)
  return self
end

--- Adds customers that have arrived; total is the server's count, or nil.
function Window:add(customers, total)
  for _, customer in ipairs(customers) do
    self.rows[#self.rows + 1] = { customer = customer }
  end
  self.total, self.state = total, "listing..."
  go_on(self)
end

--- Shows only the customers that hold all words of the text, whatever their case.
function Window:set_filter(text)
  if text ~= self.filter and not self.closed then
    self.filter, self.words = text, row.words(text)
    start_again(self)
  end
end

--- Says what the listing is doing, until the next customers arrive.
function Window:note(text)
  self.state = text
  show_status(self)
end

--- Says how the listing ended.
function Window:finish(text)
  self.state = text
  show_status(self)
end

--- Says that the listing failed, and why, in one line behind the list.
function Window:fail(message)
  self.state, self.message = "failed, the last line says why", message
  go_on(self)
end

--- Closes the window, which cancels what is under way. May be called twice.
function Window:close()
  if self.closed then
    return
  end
  self.closed = true
  self.on_close()
  api.nvim_del_augroup_by_id(self.group)
  close_window(self.prompt)
  close_window(self.list_window)
  close_window(self.frame_window)
end

return window
