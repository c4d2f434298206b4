--- Instructions per customer by callgrind: they do not depend on what else the machine does. Each
-- contender runs on one page and on SIZE customers more; the difference is what the customers took.
-- SPDX-License-Identifier: MIT

local callgrind = require "callgrind"
local contenders = require "contenders"
local runner = require "runner"

local dir = os.getenv "BENCH_DIR"
local FIRST, SIZE = 100, 3000

local instructions = {}

local function count(who, customers)
  local path = ("%s/callgrind.%s.%d"):format(dir, who, customers)
  local arguments = ""
  if who == "decode" then
    arguments = ("%s %d"):format(contenders.quoted(dir .. "/pages"), customers // 100)
  end
  local ok = os.execute(("%s valgrind --tool=callgrind --callgrind-out-file=%s %s %s >%s.said 2>&1")
    :format(runner.environment(who, "counted_" .. customers), contenders.quoted(path),
      contenders.all[who].command, arguments, contenders.quoted(path)))
  return ok and callgrind.read(path) or nil
end

--- Per customer: `total`, `src` (our C files' own), and what is spent in calls of `libcurl` and of
-- `decode` (lua-cjson), with all that these call in turn. Nil where the contender failed.
function instructions.of(who)
  local few, many = count(who, FIRST), count(who, FIRST + SIZE)
  if not few or not many then
    return nil
  end
  local function per_customer(kind, object)
    return (callgrind.sum(many[kind], object) - callgrind.sum(few[kind], object)) / SIZE
  end
  return {
    total = (many.total - few.total) / SIZE,
    src = per_customer("own", "/avepoint/core.so"),
    libcurl = per_customer("into", "/libcurl."),
    decode = per_customer("into", "cjson."),
  }
end

return instructions
