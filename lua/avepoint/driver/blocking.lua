--- The driver for a host without a loop: waits in the operating system, and returns to Lua ten
-- times a second so that Ctrl-C works.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"

local blocking = {}

local LONGEST = 0.1 -- seconds

--- Waits at most `seconds` (nil: without a limit), and never longer than LONGEST: the caller waits
-- again.
function blocking.wait(client, seconds)
  core.poll(client, (not seconds or seconds > LONGEST) and LONGEST or seconds)
end

return blocking
