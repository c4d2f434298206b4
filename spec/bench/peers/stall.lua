--- This module as a task in a host with a loop (luv): counts the customers that failed. Prints how
-- many, and how long the host's loop stood still at the longest (ms).
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local luv = require "luv"
local stall = require "spec.support.stall"

local stop = stall.watch()
avepoint.async(function()
  return avepoint.client():customers():failed():count()
end, function(err, n)
  assert(err == nil, err)
  print(n, (stop()))
end)
luv.run()
