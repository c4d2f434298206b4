--- Draws on a line of a terminal how far a listing is: avepoint.progress.
--
-- What is drawn ends with the cursor at the beginning of the line, so that anything that is printed
-- meanwhile begins there. A listing whose rows go to the user's loop clears the line before each,
-- since the loop may print, and draws when it waits.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"
local pump = require "avepoint.pump"
local terminal = require "avepoint.terminal"

local progress = {}

local PERIOD = 0.1 -- seconds from one drawing to the next at the least
local SHORTEST_PAUSE = 1 -- seconds; one that is told
local BAR_MIN, BAR_MAX = 10, 40 -- columns

local Bar = {}
Bar.__index = Bar

local function columns_of(file)
  return terminal.open(file, "avepoint.progress").columns
end

-- Returns seconds as 1:05 or 2:03:04.
local function clock(seconds)
  seconds = math.ceil(seconds)
  local hours, minutes = math.floor(seconds / 3600), math.floor(seconds % 3600 / 60)
  if hours > 0 then
    return ("%d:%02d:%02d"):format(hours, minutes, seconds % 60)
  end
  return ("%d:%02d"):format(minutes, seconds % 60)
end

local function amount(self)
  if not self.done then
    return ""
  elseif not self.total then
    return ("%d"):format(self.done)
  end
  return ("%d of %d"):format(self.done, self.total)
end

-- Counts only what came since the first call: a listing that resumes has some before.
local function speed(self, now)
  local rate = (self.done - self.done_first) / (now - self.begun)
  if not (rate > 0 and rate < math.huge) then
    return ""
  end
  local left = self.total and self.total > self.done and (self.total - self.done) / rate
  return ("  %.0f/s"):format(rate) .. (left and "  " .. clock(left) .. " left" or "")
end

-- Returns a bar that fits behind the text, "" if there is no room.
local function bar(self, room)
  local length = math.min(room - 4, BAR_MAX)
  if not self.total or self.total <= 0 or length < BAR_MIN then
    return ""
  end
  local full = math.floor(math.min(self.done / self.total, 1) * length)
  return ("  [%s%s]"):format(("#"):rep(full), ("-"):rep(length - full))
end

local function draw(self, text)
  self.file:write("\r", text, (" "):rep(self.drawn - #text), "\r")
  self.file:flush()
  self.drawn = #text
end

-- Not sooner than PERIOD after the last time.
local function draw_progress(self, now)
  if now < self.next then
    return
  end
  self.next = now + PERIOD
  local room = columns_of(self.file) - 1 -- in the last column some terminals wrap
  local text = amount(self) .. speed(self, now)
  draw(self, (text .. bar(self, room - #text)):sub(1, math.max(room, 0)))
end

--- Takes what on_progress is called with.
function Bar:note(done, total)
  local now = core.now()
  if not self.begun then
    self.begun, self.done_first = now, done
  end
  self.done, self.total, self.pause_ends = done, total, nil
  draw_progress(self, now)
end

local function draw_pause(self, seconds)
  local room = columns_of(self.file) - 1
  local at = os.date("%H:%M:%S", os.time() + math.ceil(seconds))
  local text = amount(self) .. (self.done and "  " or "") .. "waits until " .. at
  draw(self, text:sub(1, math.max(room, 0)))
end

--- Takes that the listing waits: draws what was hidden, and tells until when the client pauses,
-- once for each pause.
-- @param pause seconds until the pause's end, or nil
function Bar:note_wait(pause)
  local now = core.now()
  local pauses = pause and pause >= SHORTEST_PAUSE
  if pauses and (self.drawn == 0 or not self.pause_ends or now >= self.pause_ends) then
    self.pause_ends = now + pause
    draw_pause(self, pause)
  elseif not pauses and self.done and self.drawn == 0 then
    draw_progress(self, now)
  end
end

--- Clears the line until the listing waits again.
function Bar:hide()
  if self.drawn > 0 then
    draw(self, "")
  end
end

--- Clears the line. The next call begins anew.
function Bar:clear()
  self:hide()
  self.begun, self.done, self.total, self.next = nil, nil, nil, 0
end

--- Makes a function for the option on_progress.
-- @param file an open file; nil: io.stderr
function progress.new(file)
  file = file or io.stderr
  local on_screen = columns_of(file) and type(rawget(_G, "vim")) ~= "table" -- its screen is full
  local self = setmetatable({ file = file, drawn = 0, next = 0 }, Bar)
  local function on_progress(done, total)
    if on_screen then
      self:note(done, total)
    end
  end
  pump.bars[on_progress] = on_screen and self or nil
  return on_progress
end

return progress
