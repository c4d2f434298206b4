--- What is to be reached, and how each figure comes from what was measured.
--
-- A row: title, `most` or `least` (the figure to be reached), `figure(found)` (a number, or
-- stats.ratio's table; nil where it was not measured), and `far_off`: where the short form fails.
-- That looks at instructions and processor time only: beside others' load the wall tells little.
-- SPDX-License-Identifier: MIT

local contenders = require "contenders"
local stats = require "stats"

local function result(found, case, who)
  for _, done in ipairs(found.cases) do
    for _, one in ipairs(done.name == case and done.results or {}) do
      if one.name == who and not one.failed then
        return one
      end
    end
  end
  return nil
end

local function ratio(what, case, a, b)
  return function(found)
    local one, other = result(found, case, a), result(found, case, b)
    return one and other and stats.ratio(one[what], other[what])
  end
end

local function median(found, what, case, who)
  local one = result(found, case, who)
  return one and stats.of(one[what]).median
end

-- The fastest of these peers, against us.
local function fastest_peer(case)
  return function(found)
    local ours, fastest = result(found, case, "ours"), nil
    for _, who in ipairs(contenders.peers) do
      local peer = result(found, case, who)
      local one = ours and peer and stats.ratio(peer.wall, ours.wall)
      if one and (not fastest or one.median < fastest.median) then
        fastest = one
      end
    end
    return fastest
  end
end

local function growth(who)
  return function(found)
    local small = median(found, "peak", "thousand", who)
    local large = median(found, "peak", "million", who)
    return small and large and large - small
  end
end

local function instructions_ratio(f)
  return function(found)
    local counted = found.instructions
    local whole = counted.ours and counted.ours_jit and counted.floor_4 and counted.decode
    return whole and f(counted) or nil
  end
end

return {
  { title = "1,000,000 customers: wall, against the floor with as many pages in flight",
    most = 1.10, figure = ratio("wall", "million", "ours", "floor_4") },
  { title = "1,000,000 customers: processor, against that floor", most = 1.10,
    figure = ratio("cpu", "million", "ours", "floor_4") },
  { title = "300,000 customers: wall, against that floor", most = 1.10,
    figure = ratio("wall", "three_hundred_thousand", "ours", "floor_4") },
  { title = "300,000 customers: processor, against that floor", most = 1.10, far_off = 2.5,
    figure = ratio("cpu", "three_hundred_thousand", "ours", "floor_4") },
  { title = "instructions per customer on top of the floor's (Lua 5.4)", most = 2500,
    figure = instructions_ratio(function(counted)
      return counted.ours.total - counted.floor_4.total
    end) },
  { title = "instructions per customer, against the floor's (Lua 5.4)", most = 1.10, far_off = 2,
    figure = instructions_ratio(function(counted)
      return counted.ours.total / counted.floor_4.total
    end) },
  { title = "instructions per customer less libcurl's, against lua-cjson alone (LuaJIT)",
    most = 1.30, far_off = 3, figure = instructions_ratio(function(counted)
      return (counted.ours_jit.total - counted.ours_jit.libcurl) / counted.decode.total
    end) },
  { title = "300,000 customers: wall of the fastest peer, against ours", least = 1,
    figure = fastest_peer "three_hundred_thousand" },
  { title = "300,000 customers: wall of Python requests, against ours", least = 2.2,
    figure = ratio("wall", "three_hundred_thousand", "requests", "ours") },
  { title = "300,000 customers: processor of Python requests, against ours", least = 1,
    far_off = 0.7, figure = ratio("cpu", "three_hundred_thousand", "requests", "ours") },
  { title = "300 customers, cold, 50 ms away: wall, against curl and jq", most = 0.65,
    figure = ratio("wall", "far", "ours", "curl_jq") },
  { title = "100 pages, 50 ms a page: wall, against (1 + 99 / 4) page times", most = 1.08,
    figure = function(found)
      local wall = median(found, "wall", "slow_50", "ours")
      return wall and wall / (0.05 * (1 + 99 / 4))
    end },
  { title = "100 pages, 50 ms a page: wall of the fastest peer, against ours", least = 3.4,
    figure = fastest_peer "slow_50" },
  { title = "peak memory, 1,000,000 customers less 1,000: MiB, drift = ignore", most = 1,
    figure = growth "ignore" },
  { title = "peak memory, 1,000,000 customers less 1,000: MiB, drift = repair", most = 32,
    figure = growth "ours" },
  { title = "wall at 1,000,000 customers, against 100 times that at 10,000", most = 1.05,
    figure = function(found)
      local large = median(found, "wall", "million", "ours")
      local small = median(found, "wall", "ten_thousand", "ours")
      return large and small and large / (100 * small)
    end },
  { title = "50 pages behind a limit of 5 requests a second: wall, against 10 s", most = 1.6,
    figure = function(found)
      local wall = median(found, "wall", "limited", "ours")
      return wall and wall / 10
    end },
  { title = "50 pages behind that limit: requests a page", most = 1.3,
    figure = function(found)
      local requests = median(found, "own", "limited", "ours")
      return requests and requests / 50
    end },
}
