--- Reads one object of the API, waiting as listings do.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"
local problem = require "avepoint.problem"
local pump = require "avepoint.pump"

local request = {}

--- Gets the object. Raises an error object.
-- @param values settings of reads.object
-- @return the decoded object, or nil for none
function request.get(client, values)
  local state = core.state(client)
  local asked, refused = core.object(client, values)
  if not asked then
    problem.raise(refused, state)
  end
  -- _once: where the wait fails, nobody asks again
  local waiter = { _client = client, _state = state, _core = asked, _once = true }
  pump.add(waiter)
  local object, err = pump.call(waiter, asked.result)
  asked:close()
  if err then
    problem.raise(err, state)
  end
  pump.notify(waiter)
  return object
end

return request
