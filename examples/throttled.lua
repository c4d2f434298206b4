-- Lists all customers from a service that throttles, if need be in several runs. The library waits
-- by itself, up to `max_retry_wait`. If the service asks for more patience, this saves where the
-- list goes on, and from when, and ends; the next run waits until then and goes on.
--
--     until lua examples/throttled.lua list.position >>customers.txt; do [ $? = 75 ] || break; done
--
-- A number behind the file's name is the longest wait, in seconds, that one run accepts (60).
-- It suits a job scheduler as well: a process that waits for an hour need not live for an hour.
-- Exit codes: 0 the list is complete, 75 start it again, 1 it failed or the list has changed: begin
-- anew (the saved position is gone).
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local path, patience = arg[1] or "list.position", tonumber(arg[2]) or 60

local function load_position()
  local file = io.open(path)
  if not file then return nil end
  local time, position = file:read "*a":match "^(%d+) (%S+)"
  file:close()
  local seconds = tonumber(time or 0) - os.time()
  if seconds > 0 then
    io.stderr:write(("waiting %d s, as the service asked\n"):format(seconds))
    os.execute(("sleep %d"):format(seconds))
  end
  return position
end

local function save_position(seconds, position)
  local file = assert(io.open(path .. ".new", "w"))
  assert(file:write(("%d %s\n"):format(os.time() + math.ceil(seconds), position)))
  assert(file:close() and os.rename(path .. ".new", path))
end

local function list()
  local client = avepoint.client { max_retry_wait = patience, on_event = function(event)
    if event.event == "wait" then
      io.stderr:write(("waiting %.0f s: %s\n"):format(event.wait, event.reason))
    end
  end }
  for customer in client:customers { resume = load_position() } do
    print(("%s  %s"):format(customer.organization, customer.jobStatus))
  end
end

local ok, err = pcall(list)
io.stdout:flush() -- what is printed lies before the position
if not ok then io.stderr:write(tostring(err), "\n") end
if not ok and avepoint.is_error(err) and err.retryable and err.position then
  save_position(err.retry_after or patience, err.position)
  os.exit(75)
end
os.remove(path)
os.exit(ok and 0 or 1)
