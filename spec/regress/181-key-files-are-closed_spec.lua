-- No test failed when the file of a key, once read, stayed open, nor when OpenSSL's queue of errors
-- kept what was found in it: the host's next call of OpenSSL would take that for its own.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local sign = require "avepoint.sign"

-- How many files this process has open, or nil where that cannot be told. What specs before have
-- dropped would else be closed between two counts.
local function open_files()
  collectgarbage()
  collectgarbage() -- the first may only have called finalizers
  local pid = (helper.read "/proc/self/stat" or ""):match "^%d+"
  local list = pid and io.popen("ls /proc/" .. pid .. "/fd")
  local _, count = (list and list:read "*a" or ""):gsub("\n", "")
  if list then
    list:close()
  end
  return count > 0 and count or nil
end

-- The number of the oldest error in OpenSSL's queue, or nil where that cannot be asked.
local function oldest_error()
  local known, ffi = pcall(require, "ffi")
  local library = known and (helper.read "/proc/self/maps" or ""):match "%S*/libcrypto%.so%S*"
  if not library then return nil end
  ffi.cdef "unsigned long ERR_peek_error(void);"
  return tonumber(ffi.load(library).ERR_peek_error())
end

describe("certificate and key, whether they could be read or not,", function()
  local stem
  setup(function()
    stem = helper.temporary ".files"
    assert(os.execute(("unset LD_PRELOAD; openssl req -nodes -newkey rsa:2048 -x509 -subj /CN=x "
      .. "-days 9 -keyout %s.key -out %s.pem 2>/dev/null"):format(stem, stem)))
  end)

  local function load_both()
    for certificate, key in pairs { [".pem"] = ".key", [".key"] = ".pem" } do
      local loaded = sign.load { certificate = stem .. certificate, private_key = stem .. key,
        now = os.time() }
      assert.equal(certificate == ".pem", loaded ~= nil)
      local found = oldest_error()
      assert.is_true(found == nil or found == 0, found)
    end
  end

  it("leave no file open, and no error of OpenSSL's", function()
    local before = open_files()
    for _ = 1, 5 do load_both() end
    assert.equal(before, open_files())
  end)
end)
