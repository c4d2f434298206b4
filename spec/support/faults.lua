--- The fault matrix: what a server can do to a listing, where, and what has to come of it. A row is
-- a table of
--
--     name      what it is
--     at        the places where it is tried: token (the first), renewal (a token fetched anew
--               after a 401 in mid-list), first, middle, last (page), list (all of it)
--     server    "raw": the raw socket server; else the simulator
--     fault     of the simulator (see its README), or a function of the place that gives it
--     scenario  at "list": of the simulator, or a function of times (1, or -1: for ever)
--     raw       a script of the raw server (rawserver.lua), or a function of the place
--     once      the outcome where it strikes once (row.lua); absent: not tried
--     spent     the outcome where it strikes until the retries are spent, or for ever; absent: not
--               tried
--     only      customers: not tried with client:list
--     loose     true where other pages may be asked for more than once, too
--     uncounted true where libcurl sends again by itself, so that tries cannot be told
--     connection  true where the script is said to a connection, before any request
--     files     of the raw server, beside the script
--     client    options; or a function of "once" or "spent" that gives them
--     listing, port, urls: options
--     prepare, recover, on_event: functions that are called before, after and on each event
--
-- All else a listing has by default: drift = "repair", four pages in flight.
-- SPDX-License-Identifier: MIT

local rows = {}

for _, group in ipairs { "status", "wire", "content", "lies", "raw" } do
  for _, row in ipairs(require("spec.support.faults." .. group)) do
    row.group = group
    rows[#rows + 1] = row
  end
end

return rows
