--- The ready-made logger: writes events as lines to stderr, or to nginx's error log. The variable
-- AVEPOINT_LOG switches it on. It writes only the fields in `order`; events hold no header and no
-- secret in the first place.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"
local json = require "avepoint.json"
local problem = require "avepoint.problem"

local log = {}

--- The levels; a higher one shows more events.
log.levels = { warn = 1, info = 2, debug = 3 }

local level_of = {
  warning = 1, retry = 1, wait = 1,
  token = 2, page = 2,
  request = 3, response = 3,
}

local order = { "method", "url", "status", "page", "attempt", "reading", "count", "total", "bytes",
  "seconds", "reason", "wait", "lifetime", "message" }

--- Returns an event as one line: its name, then name=value for each field it has.
function log.line(event)
  local parts = { "avepoint " .. event.event }
  for _, field in ipairs(order) do
    local value = event[field]
    if value ~= nil then
      local text = type(value) == "number" and ("%.10g"):format(value) or tostring(value)
      text = core.clean(text)
      parts[#parts + 1] = field .. "=" .. (text:find "%s" and ("%q"):format(text) or text)
    end
  end
  return table.concat(parts, " ")
end

local encode -- found when it is first needed

-- Returns an event as a line of JSON, for programs that collect logs.
local function json_line(event)
  encode = encode or json.find().encode
  local shown = { logger = "avepoint", event = event.event, time = event.time }
  for _, field in ipairs(order) do
    shown[field] = event[field]
  end
  return encode(shown)
end

--- The formats of a line, each a function that makes it of an event.
log.formats = { text = log.line, json = json_line }

local function write(event, line)
  local ngx = rawget(_G, "ngx")
  if type(ngx) == "table" and ngx.log then
    ngx.log(level_of[event.event] == 1 and ngx.WARN or ngx.INFO, line)
  else
    io.stderr:write(line, "\n")
  end
end

--- Makes a function for the option on_event that writes events up to a level.
-- @param level "warn", "info" or "debug"
-- @param format "text" (default), or "json": one JSON object a line
function log.new(level, format)
  local most, line = log.levels[level], log.formats[format == nil and "text" or format]
  if not most then
    problem.misuse("avepoint.logger: the level is warn, info or debug, not %s", tostring(level))
  elseif not line then
    problem.misuse("avepoint.logger: the format is text or json, not %s", tostring(format))
  end
  return function(event)
    if level_of[event.event] <= most then
      write(event, line(event))
    end
  end
end

return log
