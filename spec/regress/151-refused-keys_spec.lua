-- A private key that was read, and then refused, is freed: a service that tries again and again
-- would grow, and the key would stay in its memory.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
describe("a private key that does not belong to the certificate", function()
  it("leaves nothing behind", function()
    local path = helper.temporary ""
    for _, name in ipairs { "one", "other" } do
      os.execute(("unset LD_PRELOAD; openssl req -x509 -subj /CN=x -days 30 -nodes "
        .. "-newkey rsa:2048 -keyout '%s.key' -out '%s.pem' 2>/dev/null")
        :format(path .. name, path .. name))
    end
    local out = helper.run(([[
      local sign, path = require "avepoint.sign", %q
      local function refuse(times)
        for _ = 1, times do
          local key, message = sign.load { certificate = path .. "one.pem", now = os.time(),
            private_key = path .. "other.key" }
          assert(not key and message:find("do not belong together", 1, true), message)
        end
        collectgarbage()
        collectgarbage()
        local status = io.open "/proc/self/status"
        return status and tonumber(status:read("*a"):match "VmRSS:%%s+(%%d+)") or 0
      end
      local before = refuse(300)
      print("grew by " .. refuse(1500) - before) -- a key takes about 2 KiB
    ]]):format(path))
    local grown = tonumber(out:match "^grew by (%-?%d+)")
    assert.is_number(grown, out)
    if not os.getenv "AVP_CHECKER" then -- which keeps what is freed, and tells of leaks
      assert.is_true(grown < 1000, out)
    end
  end)
end)
