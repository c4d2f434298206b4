-- A private key that was read, and then refused, is freed: a service that tries again and again
-- would grow, and the key would stay in its memory.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local sign = require "avepoint.sign"

-- The process's memory in KiB, or nil where the system does not tell.
local function memory()
  return tonumber((helper.read "/proc/self/status" or ""):match "VmRSS:%s+(%d+)")
end

describe("a private key that does not belong to the certificate", function()
  it("leaves nothing behind", function()
    local path = helper.temporary ""
    for _, name in ipairs { "one", "other" } do
      os.execute(("unset LD_PRELOAD; openssl req -x509 -subj /CN=x -days 30 -nodes "
        .. "-newkey rsa:2048 -keyout '%s.key' -out '%s.pem' 2>/dev/null")
        :format(path .. name, path .. name))
    end
    local function refuse(times)
      for _ = 1, times do
        local key, message = sign.load { certificate = path .. "one.pem", now = os.time(),
          private_key = path .. "other.key" }
        assert.is_nil(key)
        assert.matches("do not belong together", message, 1, true)
      end
      collectgarbage()
      collectgarbage()
      return memory()
    end
    local before = refuse(300)
    local after = refuse(1500) -- a key takes about 2 KiB
    if before and not os.getenv "AVP_CHECKER" then -- which keeps what is freed, and tells of leaks
      assert.is_true(after - before < 1000, ("grew by %d KiB"):format(after - before))
    end
  end)
end)
