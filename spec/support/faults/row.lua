--- What the rows of the fault matrix are made of: places and outcomes.
-- SPDX-License-Identifier: MIT

local row = {}

row.ALL = { "token", "renewal", "first", "middle", "last" }
row.TOKENS = { "token", "renewal" }
row.PAGES = { "first", "middle", "last" }
row.FIRST = { "first" }
row.LATER = { "middle", "last" }
row.LIST = { "list" }

-- Under valgrind all takes thirty times as long.
local SHORT = os.getenv "AVP_CHECKER" == "valgrind" and 1 or 0.15

--- Silence takes real time: short attempts, and where all has to come in the end some to spare.
function row.SILENCE(mode)
  return { timeout = SHORT, max_attempts = mode == "once" and 4 or 2 }
end

--- All customers, each once and in order, after so many tries of the place that is struck. More
-- fields: any_order, again (it went back, or was read again), missing (with one warning), order.
function row.whole(tries, more)
  local outcome = { whole = true, tries = tries or 1 }
  for name, value in pairs(more or {}) do outcome[name] = value end
  return outcome
end

--- One error of that kind after so many tries; the customers of the pages before, each once. More
-- fields are those of the error (status, code, attempts where tries do not count as such; "any"
-- where libcurl's version decides), and
-- yields: how many customers came before, or "distinct"
-- stays: the listing cannot be read on, it fails for good
-- endless: the fault is never over
-- or_whole: or all customers and no error, as libcurl's version has it
function row.fails(kind, tries, more)
  local outcome = { kind = kind, tries = tries or 1 }
  for name, value in pairs(more or {}) do outcome[name] = value end
  return outcome
end

return row
