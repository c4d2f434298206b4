-- Writes numbers about the customers for Prometheus: a file for node_exporter's textfile collector.
-- Start it from cron or a systemd timer.
--
--     lua examples/prometheus.lua /var/lib/prometheus/node-exporter/avepoint.prom
--
-- The file is written beside and renamed, so that node_exporter never reads half of it. If a run
-- fails, the file stays as it was; an alert sees that by its time:
--     time() - avepoint_last_success_timestamp_seconds > 3600
-- Exit codes: 0 written, 1 failed.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local path = arg[1] or "avepoint.prom"
local lines = {}

local function metric(name, help)
  lines[#lines + 1] = ("# HELP %s %s\n# TYPE %s gauge"):format(name, help, name)
end

local function sample(name, value, label)
  local text = label and label:gsub("%c", " "):gsub('[\\"]', "\\%0")
  lines[#lines + 1] = ("%s%s %.15g"):format(name, text and ('{status="%s"}'):format(text) or "",
    value)
end

local function write()
  local listing = avepoint.customers { deadline = 300, on_progress = avepoint.progress() }
  local counts, names, attention = listing:count_by "jobStatus", {}, 0
  for code = 0, 6 do -- those that no customer has too: a series must not vanish
    local name = avepoint.job_status[code]
    counts[name] = counts[name] or 0
  end
  counts.unknown, counts[false] = (counts.unknown or 0) + (counts[false] or 0), nil
  for name, n in pairs(counts) do
    local code = avepoint.job_status[name]
    names[#names + 1] = name
    if code ~= 0 and code ~= 1 then attention = attention + n end -- neither N/A nor Working
  end
  table.sort(names)
  metric("avepoint_customers", "Customers by the status of their backup jobs.")
  for _, name in ipairs(names) do sample("avepoint_customers", counts[name], name) end
  metric("avepoint_customers_needing_attention",
    "Customers with any other status than N/A and Working.")
  sample("avepoint_customers_needing_attention", attention)
  metric("avepoint_listing_seconds", "How long the list took to read.")
  sample("avepoint_listing_seconds", listing:stats().seconds)
  metric("avepoint_last_success_timestamp_seconds", "When the list was read, since 1970.")
  sample("avepoint_last_success_timestamp_seconds", os.time())

  local file = assert(io.open(path .. ".new", "w")) -- node_exporter reads names that end in .prom
  assert(file:write(table.concat(lines, "\n"), "\n"))
  assert(file:close() and os.rename(path .. ".new", path))
end

local ok, err = pcall(write)
if not ok then io.stderr:write(tostring(err), "\n") end
os.exit(ok and 0 or 1)
