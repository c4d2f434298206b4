--- What GET /metrics answers, in Prometheus' text format.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"

local metrics = {}

local ESCAPES = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

-- Samples: a list of { labels, value }, labels a text in braces or "".
local function add(lines, name, kind, help, samples)
  lines[#lines + 1] = ("# HELP %s %s\n# TYPE %s %s"):format(name, help, name, kind)
  for _, sample in ipairs(samples) do
    lines[#lines + 1] = ("%s%s %.14g"):format(name, sample[1], sample[2])
  end
end

local function gauge(lines, name, help, value)
  add(lines, name, "gauge", help, { { "", value } })
end

local function flag(value)
  return value and 1 or 0
end

-- Each status that the service documents, so that an alert always has a series; then those that
-- came besides.
local function by_status(counts)
  local names, samples = {}, {}
  for name in pairs(counts) do
    names[name] = true
  end
  for name in pairs(avepoint.job_status) do
    if type(name) == "string" then
      names[name] = true
    end
  end
  for name in pairs(names) do
    samples[#samples + 1] = { ('{status="%s"}'):format(name:gsub('[\\"\n]', ESCAPES)),
      counts[name] or 0 }
  end
  table.sort(samples, function(a, b) return a[1] < b[1] end)
  return samples
end

--- The text.
-- @param facts table: about (of the list; nil while there is none), age, stale, state (of the
-- store), listed, failed (how often by this machine), redis (whether it answers; nil without one)
function metrics.text(facts)
  local lines, about, state = {}, facts.about, facts.state
  if about then
    add(lines, "avepoint_customers", "gauge", "Customers by job status.", by_status(about.counts))
    gauge(lines, "avepoint_list_age_seconds", "Age of the list that is served.", facts.age)
    gauge(lines, "avepoint_listing_seconds", "How long the last listing took.", about.seconds)
  end
  gauge(lines, "avepoint_list_stale", "1 if the list is missing or out of date.", flag(facts.stale))
  gauge(lines, "avepoint_listing_failing", "1 if the last listing failed.", flag(state.error))
  gauge(lines, "avepoint_last_failure_timestamp_seconds",
    "When a listing last failed, in seconds since 1970; 0 if none has.", state.failed_at or 0)
  add(lines, "avepoint_listings_total", "counter", "Listings by this machine.", {
    { '{result="done"}', facts.listed or 0 },
    { '{result="failed"}', facts.failed or 0 },
  })
  if facts.redis ~= nil then
    gauge(lines, "avepoint_redis_up", "1 if Redis answers.", flag(facts.redis))
  end
  return table.concat(lines, "\n") .. "\n"
end

return metrics
