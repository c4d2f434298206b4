--- The driver for OpenResty: nginx has no public way to wait on a foreign descriptor, so it sleeps
-- cooperatively in growing steps.
-- SPDX-License-Identifier: MIT
-- luacheck: read globals ngx

local core = require "avepoint.core"

local driver = {}

local FIRST = 0.001 -- seconds; also nginx's resolution
local LONGEST = 0.02

-- Phases that may yield.
local yields = {
  rewrite = true,
  access = true,
  content = true,
  timer = true,
  ssl_cert = true,
  ssl_session_fetch = true,
  ssl_client_hello = true,
}

--- Waits at most `seconds` (nil: without a limit) until the client has gone on.
function driver.wait(client, seconds)
  local phase = ngx.get_phase()
  if not yields[phase] then
    error(("avepoint: nginx's phase %s cannot wait for the network: list in a timer "
      .. "(ngx.timer.at(0, ...)) or in a content handler"):format(phase), 0)
  end
  local before = core.progress(client)
  local step = FIRST
  local left = seconds or math.huge
  repeat
    local pause = left < step and left or step
    ngx.sleep(pause > 0 and pause or 0)
    left = left - step
    step = step * 1.3 < LONGEST and step * 1.3 or LONGEST
    client:step()
  until left <= 0 or core.progress(client) ~= before
end

return driver
