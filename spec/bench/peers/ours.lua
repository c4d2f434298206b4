--- This module, in its usual form: counts the customers that failed and prints how many.
--
--     ours.lua [drift=MODE] [write=FORMAT]    or writes all, in that format, and counts them
--     ours.lua [drift=MODE] [one_in=N]        or keeps one in N, by a filter of its own
--     ours.lua [drift=MODE] [requests=yes]    and prints how many requests it took
--
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"

local given = {}
for _, word in ipairs(arg) do
  local name, value = word:match "^([%w_]+)=(.+)$"
  given[name] = value
end

local listing = avepoint.client():customers { drift = given.drift }
if given.write then
  print(listing:write(os.getenv "BENCH_FILE", given.write))
elseif given.one_in then
  local n = 0
  print(listing:filter(function()
    n = n + 1
    return n % given.one_in == 0
  end):count())
else
  local count = listing:failed():count()
  print(count, given.requests and listing:stats().requests or "")
end
