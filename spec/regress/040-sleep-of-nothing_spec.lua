-- Where several pages waited, the driver for nginx slept 0 seconds between two of them. An nginx
-- without OpenResty's patch for that, such as Debian's, writes a warning each time and says that it
-- hurts.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

describe("#hosts an nginx without posted delayed events", function()
  it("is not asked to sleep for no time at all", function()
    local id = helper.scenario { customers = 400 }
    local base, token = helper.urls(id)
    local nginx = hosts.nginx { server = ([[
      location = /x { content_by_lua_block {
        local client = require("avepoint").client { base_url = %q, token_url = %q, ca_file = %q,
          client_id = %q, client_secret = %q }
        for _ in client:customers { page_size = 10 } do end
        ngx.say "done"
      } }
    ]]):format(base, token, helper.ca_file, helper.client_id, helper.client_secret) }
    finally(nginx.stop)
    assert.equal("done\n", (nginx.get "/x"))
    assert.not_matches("ngx.sleep(0)", nginx.error_log(), 1, true)
  end)
end)
