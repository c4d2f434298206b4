-- Makes the JSON text of a job of a customer from the customer's ordinal and the job's number, the
-- newest being 1. Job 1 began today at midnight and still runs; before it there were three a day.
-- SPDX-License-Identifier: MIT
local mix = require("numbers").mix

local floor = math.floor

local DAY, A_DAY = 86400, 3

-- Type and module; 0 and 10 are the types of scans. The counts of kinds and of statuses have no
-- divisor in common, so each kind meets each status.
local KINDS = {
  [0] = { 7, 303 }, { 7, 305 }, { 7, 302 }, { 0, 0 }, { 7, 304 }, { 7, 308 }, { 11, 501 },
  { 7, 303 }, { 12, 356 }, { 11, 504 }, { 7, 305 }, { 15, 0 }, { 10, 0 },
}
local STATUSES = { [0] = 2, 2, 3, 2, 2, 4, 2, 2, 5, 2, 2, 2, 7, 2, 2, 8, 2, 4, 3, 2 }
local RUNNING, FINISHED_WITH_EXCEPTION, FAILED, FAILED_TO_START = 1, 4, 3, 7

local function key_of(ordinal, number)
  return ordinal * A_DAY + number
end

local function kind_of(ordinal, number)
  return KINDS[key_of(ordinal, number) % 13]
end

local function random(ordinal, number, most)
  return mix(ordinal, 1000 + number) % 2 ^ 32 % most
end

-- The time of its start: in the last third of the day, the middle one or the first.
local function start_of(ordinal, number, today)
  if number == 1 then return today end
  local day, part = floor((number - 2) / A_DAY) + 1, (number - 2) % A_DAY + 1
  return today - day * DAY + (A_DAY - part) * 25200 + 3600 + random(ordinal, number, 21600)
end

local function time_text(time)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", time)
end

local function counts(ordinal, number, status)
  local total = 1 + random(ordinal, number, 5000)
  local some = 1 + floor(total / 10)
  if status == RUNNING or status == FAILED_TO_START then return 0, 0, 0 end
  return total, status == FAILED and some or 0, status == FINISHED_WITH_EXCEPTION and some or 0
end

local M = {}

-- Midnight before this time, in UTC.
function M.midnight(time)
  return time - time % DAY
end

-- numbers(ordinal, count or nil, kind, module): the numbers of the customer's jobs, in order, of
-- this type and module (false: of any)
function M.numbers(ordinal, count, kind, module)
  local found = {}
  for number = 1, count or 6 + ordinal % 7 do
    local pair = kind_of(ordinal, number)
    if (not kind or kind == pair[1]) and (not module or module == pair[2]) then
      found[#found + 1] = number
    end
  end
  return found
end

local JSON = '{"jobType":%d,"jobModule":%d,"status":%d,"jobId":"%s","name":"N/A",'
  .. '"totalCount":"%d","failedCount":"%d","successfulCount":"%d","skippedCount":"0",'
  .. '"warningCount":"%d","backupSize":"%d GB","startTime":"%s","endTime":"%s",'
  .. '"jobDuration":"%s","lastModifyTime":"%s"}'

-- today: midnight of the service's day
function M.json(ordinal, number, today)
  local kind = kind_of(ordinal, number)
  local status = number == 1 and RUNNING or STATUSES[key_of(ordinal, number) % 20]
  local start, length = start_of(ordinal, number, today), 1 + random(ordinal, number, 3599)
  local total, failed, warning = counts(ordinal, number, status)
  local finish = status ~= RUNNING and start + length
  return JSON:format(kind[1], kind[2], status,
    os.date("!FB%Y%m%d%H%M%S", start) .. ("%06d"):format(random(ordinal, number, 1000000)),
    total, failed, total - failed, warning, total / 100, time_text(start),
    finish and time_text(finish) or "N/A",
    finish and ("%dm%ds"):format(length / 60, length % 60) or "N/A", time_text(finish or start))
end

return M
