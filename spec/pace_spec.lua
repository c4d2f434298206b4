-- A list behind a limit of the rate of requests: read at about the server's pace, not by running
-- into the limit. How long it takes is tried in simulated time (spec/c/test_pace.c).
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

describe("#long behind a limit of requests a second", function()
  for _, case in ipairs {
    { status = 429, concurrency = 1 }, { status = 503, concurrency = 4, retry_after = "1" },
    { status = 429, concurrency = 16, retry_after = "0" },
  } do
    it(("few requests are refused, status %d, %d in flight"):format(case.status,
      case.concurrency), function()
      local client, id = helper.client({ customers = 100, rate = { per_second = 5,
        status = case.status, retry_after = case.retry_after } },
        { concurrency = case.concurrency })
      assert.equal(100, client:customers({ page_size = 2 }):count())
      local pages = #helper.pages(id)
      assert.is_true(pages > 50 and pages <= 65, pages .. " requests for 50 pages")
    end)
  end
end)
