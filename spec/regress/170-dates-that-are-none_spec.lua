-- A certificate whose dates of validity OpenSSL cannot read was taken for valid.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local sign = require "avepoint.sign"

local dir = helper.temporary ".keys"

setup(function()
  assert(os.execute(("unset LD_PRELOAD; mkdir -p %s && cd %s && openssl req -nodes "
    .. "-newkey rsa:2048 -x509 -subj /CN=a -days 9 -keyout a.key -outform DER -out a.der "
    .. "2>/dev/null"):format(dir, dir)))
end)

-- Loads the certificate with one of its dates, the first or the second UTCTime, made unreadable.
local function load_without(date)
  local count = 0
  local text = helper.read(dir .. "/a.der"):gsub("(\23\13%d%d%d%d)(%d)", function(begins, digit)
    count = count + 1
    return begins .. (count == date and "x" or digit)
  end)
  assert(count == 2)
  helper.write(dir .. "/damaged.der", text)
  return sign.load { certificate = dir .. "/damaged.der", private_key = dir .. "/a.key",
    now = os.time() }
end

describe("a certificate is refused", function()
  for date, name in ipairs { "beginning", "end" } do
    it("without a readable " .. name, function()
      local key, why = load_without(date)
      assert.is_nil(key)
      assert.matches("^certificate has no readable dates of validity: make a new one: ", why)
    end)
  end
end)
