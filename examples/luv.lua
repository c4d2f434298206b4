-- Lists customers in a program with a loop of its own (luv, libuv's Lua module): everything else on
-- the loop goes on meanwhile. Here that is a clock, and a handler for Ctrl-C.
--
--     lua examples/luv.lua                  needs luv (Debian: lua-luv; LuaRocks: luv)
--
-- Exit codes: 0 listed, 1 failed, 130 cancelled by Ctrl-C.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local uv = require "luv"

local ticks, code = 0, 0
local clock, signal = uv.new_timer(), uv.new_signal()

-- A task. Inside it, calls that have to wait let the loop go on.
local task = avepoint.async(function()
  local client = avepoint.client()
  local listing = client:customers()
  listing:needs_attention():each(function(customer) -- on Lua 5.1 a generic `for` cannot wait
    print(("%s  %s"):format(customer.organization, customer.jobStatus))
  end)
  return listing:stats()
end, function(err, stats)
  clock:close()
  signal:close()
  if err then
    io.stderr:write(tostring(err), "\n")
    code = code == 0 and 1 or code
  else
    print(("%d pages in %.1f s, while the clock ticked %d times"):format(stats.pages,
      stats.seconds, ticks))
  end
end)

clock:start(10, 10, function() ticks = ticks + 1 end)
signal:start("sigint", function()
  code = 130
  task:cancel()
end)

uv.run() -- until nothing is left to wait for
os.exit(code)
