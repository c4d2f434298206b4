--- The ready-made logger: events as lines on stderr, or in nginx's error log. The environment
-- variable AVEPOINT_LOG switches it on. Events hold no header and no secret, so neither do lines.
-- SPDX-License-Identifier: MIT

local log = {}

--- The levels, and how much each shows.
log.levels = { warn = 1, info = 2, debug = 3 }

local level_of = {
  warning = 1,
  retry = 1,
  wait = 1,
  token = 2,
  page = 2,
  request = 3,
  response = 3,
}

local order = { "method", "url", "status", "page", "attempt", "sweep", "count", "total", "bytes",
  "seconds", "reason", "wait", "lifetime", "message" }

--- An event as one line: its name, then name=value for each field it has.
function log.line(event)
  local parts = { "avepoint " .. event.event }
  for _, field in ipairs(order) do
    local value = event[field]
    if value ~= nil then
      local text = type(value) == "number" and ("%.10g"):format(value) or tostring(value)
      parts[#parts + 1] = field .. "=" .. (text:find "%s" and ("%q"):format(text) or text)
    end
  end
  return table.concat(parts, " ")
end

local function write(event, line)
  local ngx = rawget(_G, "ngx")
  if type(ngx) == "table" and ngx.log then
    ngx.log(level_of[event.event] == 1 and ngx.WARN or ngx.INFO, line)
  else
    io.stderr:write(line, "\n")
  end
end

--- A function for the option on_event that shows events up to a level.
function log.new(level)
  local most = log.levels[level]
  return function(event)
    if level_of[event.event] <= most then
      write(event, log.line(event))
    end
  end
end

return log
