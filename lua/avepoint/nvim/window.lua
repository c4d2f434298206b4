--- The window: a frame with a line about the reading, the filter and the column heads; in it the
-- list, and while the filter is typed, a line to type in. A popup may stand in front of it.
--
-- What has arrived and what is shown are two things. `rows` has all that arrived, `next` is the
-- first that was not looked at yet; fill() looks at the following ones and appends to `shown` those
-- that the filter lets through. A new filter starts again at the first row. Each turn of the
-- editor's loop that does so takes a few milliseconds at most.
-- SPDX-License-Identifier: MIT
-- luacheck: globals vim

local row = require "avepoint.nvim.row"

local api = vim.api
local loop = vim.uv or vim.loop
local Window = {}
Window.__index = Window

local window = {}

local TURN = 3e6 -- nanoseconds
local HEAD = 3 -- lines of the frame above the list
local LABEL = "Filter: "
local KEYS = { "<CR> whole  f filter  ? keys  q close", "f filter  ? keys  q close", "? keys" }
local NONE = "No customers. The app registration's scope decides which ones the service lists."
local NONE_SHOWN = "No customer holds all words of the filter: f changes it."

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

--- Writes lines into a buffer that the user cannot change.
function window.write(buffer, first, last, lines)
  vim.bo[buffer].modifiable = true
  api.nvim_buf_set_lines(buffer, first, last, false, lines)
  vim.bo[buffer].modifiable = false
end

local function map(buffer, mode, key, action)
  vim.keymap.set(mode, key, action, { buffer = buffer, nowait = true, silent = true })
end

-- frame -------------------------------------------------------------------------------------------

local function count_text(self)
  local text = ("%d customers"):format(#self.rows)
  if self.total then
    text = ("%d of %d customers"):format(#self.rows, self.total)
  end
  if #self.words > 0 then
    text = ("%s, %d shown"):format(text, #self.shown)
  end
  return text
end

-- The line of the frame about the reading, with those keys at its end that find room.
local function status_line(self)
  local said = ("%s, %s"):format(count_text(self), self.state)
  for _, keys in ipairs(KEYS) do
    local room = self.width - vim.fn.strdisplaywidth(said) - #keys
    if room > 1 then
      return said .. (" "):rep(room) .. keys, #said
    end
  end
  return said, #said
end

local function show_status(self)
  if self.closed then
    return
  end
  local line, said = status_line(self)
  window.write(self.frame, 0, -1, { line, LABEL .. self.filter, row.head(self.columns) })
  api.nvim_buf_clear_namespace(self.frame, names, 0, -1)
  api.nvim_buf_add_highlight(self.frame, names, "AvepointKeys", 0, said, -1)
  if self.group == "AvepointError" then
    api.nvim_buf_add_highlight(self.frame, names, "AvepointError", 0, 0, said)
  end
  api.nvim_buf_add_highlight(self.frame, names, "AvepointKeys", 1, 0, #LABEL)
  api.nvim_buf_add_highlight(self.frame, names, "AvepointHead", 2, 0, -1)
end

-- list --------------------------------------------------------------------------------------------

-- What stands behind the list once all rows have been looked at, and its highlight group: why the
-- reading failed, a warning, or why there is nothing.
local function last_line(self)
  if self.next <= #self.rows then
    return nil
  elseif not self.message and self.ended and #self.shown == 0 then
    return #self.rows == 0 and NONE or NONE_SHOWN, "AvepointKeys"
  end
  return self.message, self.group
end

-- Writes these lines behind those that stand.
local function append(self, customers, lines, marks)
  local first = #self.shown
  vim.list_extend(self.shown, customers)
  local last, group = last_line(self)
  if last then
    lines[#lines + 1] = last
    marks[#marks + 1] = { #lines, group, 0, -1 }
  end
  api.nvim_buf_clear_namespace(self.list, names, first, -1)
  window.write(self.list, first, -1, lines)
  for _, mark in ipairs(marks) do
    api.nvim_buf_add_highlight(self.list, names, mark[2], first + mark[1] - 1, mark[3], mark[4])
  end
end

local function is_shown(self, item)
  if #self.words == 0 then
    return true
  end
  item.searched = item.searched or row.searched(item.customer)
  return row.matches(item.searched, self.words)
end

-- Looks at rows for as long as a turn may take. Returns the customers that are shown, their lines,
-- and what is to be highlighted in these.
local function look_at_rows(self)
  local customers, lines, marks, from = {}, {}, {}, loop.hrtime()
  while self.next <= #self.rows and loop.hrtime() - from < TURN do
    local item = self.rows[self.next]
    self.next = self.next + 1
    if is_shown(self, item) then
      local line, group, first, last = row.line(item.customer, self.columns)
      customers[#customers + 1], lines[#lines + 1] = item.customer, line
      if group then
        marks[#marks + 1] = { #lines, group, first, last }
      end
    end
  end
  return customers, lines, marks
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
  self.next, self.shown = 1, {}
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

--- Opens a line to type the filter in; the list follows each key.
function Window:type_filter()
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
  map(buffer, "i", "<CR>", "<Esc>")
  map(buffer, "i", "<C-c>", "<Esc>")
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

-- popup -------------------------------------------------------------------------------------------

--- Shows lines in front of everything, until a key closes them.
function window.popup(lines, filetype)
  local buffer = new_buffer(filetype)
  window.write(buffer, 0, -1, lines)
  local most_columns, most_lines = vim.o.columns - 4, vim.o.lines - vim.o.cmdheight - 4
  local width, height = 1, 0
  for _, line in ipairs(lines) do
    width = math.max(width, math.min(most_columns, vim.fn.strdisplaywidth(line)))
  end
  for _, line in ipairs(lines) do
    height = height + math.max(1, math.ceil(vim.fn.strdisplaywidth(line) / width))
  end
  height = math.max(1, math.min(most_lines, height))
  local id = api.nvim_open_win(buffer, true, {
    relative = "editor", style = "minimal", border = "rounded", zindex = 60,
    row = math.max(0, math.floor((most_lines - height) / 2) + 1),
    col = math.max(0, math.floor((most_columns - width) / 2) + 1), width = width, height = height,
  })
  vim.wo[id].wrap = true
  local function close()
    close_window(id)
  end
  for _, key in ipairs { "q", "<Esc>", "<CR>", "<C-c>" } do
    map(buffer, "n", key, close)
  end
  api.nvim_create_autocmd({ "WinLeave", "VimResized" }, {
    buffer = buffer,
    once = true,
    callback = vim.schedule_wrap(close),
  })
end

-- the window --------------------------------------------------------------------------------------

local function set_autocommands(self)
  self.autocommands = api.nvim_create_augroup("avepoint", { clear = true })
  api.nvim_create_autocmd("WinClosed", {
    group = self.autocommands,
    pattern = tostring(self.list_window),
    callback = vim.schedule_wrap(function()
      self:close()
    end),
  })
  api.nvim_create_autocmd("VimResized", {
    group = self.autocommands,
    callback = function()
      resize(self)
    end,
  })
end

--- Opens the window.
-- @param options filter; width and height, parts of the screen; keys, a list of { keys, action };
-- on_close, a function
function window.open(options)
  for name, link in pairs(groups) do
    api.nvim_set_hl(0, name, { link = link, default = true })
  end
  local self = setmetatable({
    filter = options.filter, words = row.words(options.filter), on_close = options.on_close,
    part_width = options.width, part_height = options.height,
  }, Window)
  local frame, list = places(self)
  self.frame, self.list = new_buffer "avepoint-frame", new_buffer "avepoint"
  self.frame_window = api.nvim_open_win(self.frame, false, frame)
  self.list_window = api.nvim_open_win(self.list, true, list)
  vim.wo[self.frame_window].wrap = false
  vim.wo[self.list_window].cursorline = true
  vim.wo[self.list_window].wrap = true -- of the last line: the others fit
  vim.wo[self.list_window].linebreak = true
  for _, key in ipairs(options.keys) do
    for _, name in ipairs(key.keys) do
      map(self.list, "n", name, key.action)
    end
  end
  set_autocommands(self)
  self:clear()
  return self
end

--- Forgets all customers: the list is read anew.
function Window:clear()
  self.rows, self.total, self.ended, self.message, self.group = {}, nil, false, nil, nil
  self.state = "reading..."
  start_again(self)
  show_status(self)
end

--- Returns the customer under the cursor, or nil.
function Window:customer()
  return self.shown[api.nvim_win_get_cursor(self.list_window)[1]]
end

--- Adds customers that have arrived; total is the server's count, or nil; text says how it goes on.
function Window:add(customers, total, text)
  for _, customer in ipairs(customers) do
    self.rows[#self.rows + 1] = { customer = customer }
  end
  self.total, self.state = total, text
  go_on(self)
end

--- Shows only the customers that hold all words of the text, whatever their case.
function Window:set_filter(text)
  if text ~= self.filter then
    self.filter, self.words = text, row.words(text)
    start_again(self)
  end
end

--- Says how the reading goes on.
function Window:note(text)
  self.state = text
  show_status(self)
end

local function finish(self, text, message, group)
  self.ended, self.state, self.message, self.group = true, text, message, group
  go_on(self)
end

--- Says that all has been read, and a warning, if there is one, behind the list.
function Window:finish(text, warning)
  text = warning and text .. ", the last line has a warning" or text
  finish(self, text, warning, "AvepointAttention")
end

--- Says that the reading failed, and why, in one line behind the list.
function Window:fail(message)
  finish(self, "failed, the last line says why", message, "AvepointError")
end

--- Closes the window, which cancels what is under way. May be called twice.
function Window:close()
  if self.closed then
    return
  end
  self.closed = true
  self.on_close()
  api.nvim_del_augroup_by_id(self.autocommands)
  close_window(self.prompt)
  close_window(self.list_window)
  close_window(self.frame_window)
end

return window
