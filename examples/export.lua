-- Writes all customers into a file: CSV, JSON or JSON lines, by the ending of its name. If it is
-- interrupted (an error, Ctrl-C, kill -9), start it again: it goes on from there, and no customer
-- is missing or written twice. If the list has changed meanwhile, it begins anew by itself.
--
--     lua examples/export.lua customers.csv 100     or .json, .jsonl; saves each 100 (500) rows
--
-- Until the end customers.csv.part holds the rows, and customers.csv.state how many bytes of them
-- count and where the list goes on. Only one process at a time may write a file.
-- Exit codes: 0 written, 1 failed: start it again.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local path, rows = arg[1] or "customers.csv", tonumber(arg[2]) or 500
local ending = path:match "%w*$"
local format = ending == "json" and "jsonl" or ending -- an array cannot be written in parts
local fields = { "id", "organization", "ownerEmail", "jobStatus", "countryOrRegion",
  "managementMode", "tenants", format == "csv" and "tenantIds" or nil }
local part, state = path .. ".part", path .. ".state"

local function read(name)
  local file = io.open(name, "rb")
  return file and file:read "*a" or "", file and file:close()
end

-- Gives a file new content. If it is killed, the file has the old content or the new one.
local function replace(name, ...)
  local file = assert(io.open(name .. ".new", "wb"))
  assert(file:write(...) and file:close() and os.rename(name .. ".new", name))
end

local function export()
  local length, position = read(state):match "^(%d+) (%S+)$"
  if not position or #read(part) < tonumber(length) then
    os.remove(state) -- first: it must not describe a part that is begun anew
    length, position = 0, nil
  end
  replace(part, read(part):sub(1, length)) -- without rows that were written after the last save
  local file = assert(io.open(part, "ab"))
  local listing = avepoint.customers { resume = position, on_progress = avepoint.progress() }
  local options = { fields = fields }
  repeat
    if format == "csv" then options.header = file:seek "end" == 0 end
    local n = listing:take(rows):write(file, format, options) -- and flushes
    replace(state, ("%d %s"):format(file:seek "end", listing:position()))
  until n < rows
  file:close()
  local text = read(part)
  replace(path, ending == "json" and "[" .. text:gsub("\n(.)", ",\n%1") .. "]\n" or text)
  os.remove(state)
  os.remove(part)
end

local ok, err = pcall(export)
if not ok and avepoint.is_error(err) and err.kind == "drift" then
  os.remove(state) -- the list has changed
  ok, err = pcall(export)
end
if not ok then io.stderr:write(tostring(err), "\n") end
os.exit(ok and 0 or 1)
