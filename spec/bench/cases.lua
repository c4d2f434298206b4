--- What is measured: scenarios of the simulator, and which contenders run on each, how often.
--
-- A case: name, title, scenario, rounds, runs, `at`. The others are compared with the first run.
-- `at` is near (TLS, HTTP/2 where the client can), http1, or far (token and API are two hosts,
-- 50 ms there and back). A run: who, and
--
--     name, title      where a contender runs more than once in a case
--     arguments        of the command
--     expects          the share of the customers that it counts; those that failed are one in ten
--     own_title        what the figure is that it prints behind the count
--     scenario, at     where they are not the case's
--
-- SPDX-License-Identifier: MIT

local cases = {}

cases.scenarios = {
  thousand = { customers = 1000 },
  three_hundred = { customers = 300 },
  usual = { customers = 10000 },
  plain = { customers = 10000, compress = false },
  three_hundred_thousand = { customers = 300000 },
  million = { customers = 1000000 },
  slow_20 = { customers = 10000, latency = 0.02 },
  slow_50 = { customers = 10000, latency = 0.05 },
  slow_200 = { customers = 10000, latency = 0.2 },
  counted_100 = { customers = 100 },
  counted_3100 = { customers = 3100 },
  limited = { customers = 5000, rate = { per_second = 5 } },
}

local function with(first, ...)
  local runs = { first }
  for _, who in ipairs { ... } do
    runs[#runs + 1] = { who = who }
  end
  return runs
end

local ALL = with({ who = "ours" }, "ours_jit", "luasocket", "luacurl", "requests", "curl_jq",
  "floor_1", "floor_4")
local IGNORE = { who = "ours", name = "ignore", title = "avepoint, drift = ignore",
  arguments = "drift=ignore" }

local function write(format)
  return { who = "ours", name = format, title = "avepoint, writes " .. format,
    arguments = "write=" .. format, expects = 1 }
end

cases.full = {
  { name = "far", title = "300 customers, cold, 50 ms away", scenario = "three_hundred", at = "far",
    rounds = 7, runs = { { who = "ours" }, { who = "ours_jit" }, { who = "luasocket" },
      { who = "luacurl" }, { who = "requests" }, { who = "curl_jq" }, { who = "floor_1" },
      { who = "floor_4" }, { who = "stall", own_title = "longest stall of the loop, ms" } } },
  { name = "slow_50", title = "100 pages, 50 ms a page", scenario = "slow_50", rounds = 2,
    runs = ALL },
  { name = "slow_20", title = "100 pages, 20 ms a page", scenario = "slow_20", rounds = 3,
    runs = with({ who = "ours" }, "ours_jit", "floor_1", "floor_4") },
  { name = "slow_200", title = "100 pages, 200 ms a page", scenario = "slow_200", rounds = 2,
    runs = with({ who = "ours" }, "ours_jit", "floor_4") },
  { name = "ten_thousand", title = "10,000 customers, no latency", scenario = "usual", rounds = 7,
    runs = ALL },
  { name = "three_hundred_thousand", title = "300,000 customers, no latency",
    scenario = "three_hundred_thousand", rounds = 4, runs = ALL },
  { name = "million", title = "1,000,000 customers, no latency", scenario = "million", rounds = 2,
    runs = { { who = "ours" }, IGNORE, { who = "floor_4" } } },
  { name = "thousand", title = "1,000 customers, no latency", scenario = "thousand", rounds = 3,
    runs = { { who = "ours" }, IGNORE } },
  { name = "variants", title = "10,000 customers, no latency: ways to use it", scenario = "usual",
    rounds = 7, runs = {
      { who = "ours" },
      IGNORE,
      { who = "ours", name = "filter", title = "avepoint, keeps 1 in 100", arguments = "one_in=100",
        expects = 0.01 },
      { who = "ours", name = "http1", title = "avepoint, HTTP/1.1", at = "http1" },
      { who = "ours", name = "plain", title = "avepoint, not compressed", scenario = "plain" },
      write "csv", write "json", write "jsonl",
      { who = "ours_jit" } } },
  { name = "limited", title = "50 pages behind a limit of 5 requests a second",
    scenario = "limited", rounds = 1,
    runs = { { who = "ours", arguments = "requests=yes", own_title = "requests" } } },
}

cases.short = {
  { name = "three_hundred_thousand", title = "300,000 customers, no latency",
    scenario = "three_hundred_thousand", rounds = 2,
    runs = with({ who = "ours" }, "requests", "floor_4") },
}

return cases
