--- Reads what valgrind's callgrind writes: the instructions of a process by object file, and those
-- that were spent in calls from one object file into another.
-- SPDX-License-Identifier: MIT

local callgrind = {}

-- Names are written once, as "(7) /usr/lib/libz.so"; later only "(7)".
local function name_of(names, text)
  local id, name = text:match "^(%(%d+%))%s*(.*)$"
  if not id then
    return text
  elseif name ~= "" then
    names[id] = name
  end
  return names[id]
end

local function add(sums, key, n)
  sums[key] = (sums[key] or 0) + n
end

--- Returns `total`, `own` (object file -> instructions of its own code) and `into` (object file ->
-- instructions of calls into it from any other, with all that these call in turn).
function callgrind.read(path)
  local names, own, into, total = {}, {}, {}, 0
  local object, called, in_call
  for line in io.lines(path) do
    local field, value = line:match "^(%a+)=(.*)$"
    local cost = line:match "^[-+*%d]%S* (%d+)$"
    if field == "ob" then
      object = name_of(names, value)
    elseif field == "cob" then
      called = name_of(names, value)
    elseif field == "calls" then
      in_call = true -- the next line has the cost of the call
    elseif cost and in_call then
      if called and called ~= object then
        add(into, called, tonumber(cost))
      end
      called, in_call = nil, false
    elseif cost then
      add(own, object, tonumber(cost))
      total = total + tonumber(cost)
    end
  end
  return { total = total, own = own, into = into }
end

--- The sum over the object files whose path holds one of these texts.
function callgrind.sum(sums, ...)
  local n = 0
  for path, cost in pairs(sums) do
    for _, text in ipairs { ... } do
      if path:find(text, 1, true) then
        n = n + cost
        break
      end
    end
  end
  return n
end

return callgrind
