-- No test failed when the file of a key, once read, stayed open.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local sign = require "avepoint.sign"

-- How many files this process has open, or nil where that cannot be told.
local function open_files()
  local pid = (helper.read "/proc/self/stat" or ""):match "^%d+"
  local list = pid and io.popen("ls /proc/" .. pid .. "/fd")
  local _, count = (list and list:read "*a" or ""):gsub("\n", "")
  if list then
    list:close()
  end
  return count > 0 and count or nil
end

describe("the files of certificate and key", function()
  it("are closed, whether they could be read or not", function()
    local stem = helper.temporary ".files"
    assert(os.execute(("unset LD_PRELOAD; openssl req -nodes -newkey rsa:2048 -x509 -subj /CN=x "
      .. "-days 9 -keyout %s.key -out %s.pem 2>/dev/null"):format(stem, stem)))
    local before = open_files()
    for _ = 1, 5 do
      for certificate, key in pairs { [".pem"] = ".key", [".key"] = ".pem" } do
        local loaded = sign.load { certificate = stem .. certificate, private_key = stem .. key,
          now = os.time() }
        assert.equal(certificate == ".pem", loaded ~= nil)
      end
    end
    assert.equal(before, open_files())
  end)
end)
