-- No test failed when an error named the beginning of a certificate's validity for its end, or its
-- end for its beginning.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local sign = require "avepoint.sign"

local DAY = 86400

-- Returns a time's date as OpenSSL writes it, without the time of day.
local function date(time)
  return ("%s %2d"):format(os.date("!%b", time), os.date("!%d", time)),
    os.date("!%Y GMT", time)
end

describe("a certificate out of its time", function()
  it("is refused with the date that says so", function()
    local path = helper.temporary ".pem"
    local begun = os.time()
    assert(os.execute(("unset LD_PRELOAD; openssl req -nodes -newkey rsa:2048 -x509 -subj /CN=x "
      .. "-days 90 -keyout %s -out %s.x 2>/dev/null && cat %s.x >> %s")
      :format(path, path, path, path)))
    local function assert_told(word, now, time)
      local _, why = sign.load { certificate = path, now = now }
      local told = false
      for _, at in ipairs { time, time + os.time() - begun } do -- midnight may have passed
        local day, year = date(at)
        told = told or why:find(word .. " " .. day, 1, true) and why:find(year, 1, true)
      end
      assert.is_truthy(told, why)
    end
    assert_told("expired on", begun + 100 * DAY, begun + 90 * DAY)
    assert_told("not valid before", begun - 10 * DAY, begun)
  end)
end)
