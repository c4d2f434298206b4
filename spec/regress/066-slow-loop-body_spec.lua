-- libcurl judges its time limits before it reads what has arrived: where the loop body took longer
-- than `timeout` a page, the pages that had been fetched ahead timed out unread. Each was asked for
-- twice, and with many in flight or few attempts the listing failed.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

describe("a loop body slower than the timeout", function()
  local function nap(seconds) os.execute("sleep " .. seconds) end

  for _, port in ipairs { "https", "http1" } do
    it("costs no page a second request, " .. port, function()
      local client, id = helper.client({ customers = 12, latency = 0.02 },
        { port = port, timeout = 0.6, connect_timeout = 5, concurrency = 4, max_attempts = 1 })
      local n = 0
      for _ in client:customers { page_size = 2 } do
        nap(0.35)
        n = n + 1
      end
      assert.equal(12, n)
      local pages = helper.pages(id)
      table.sort(pages)
      for i = 2, #pages do assert.not_equal(pages[i - 1], pages[i]) end
    end)
  end
end)
