-- A compressed body that was cut in the middle, with a right Content-Length, was a `protocol` error
-- after one attempt. A body that cannot be unpacked was cut short: it is asked for again.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"
local list = require "spec.support.faults.list"
local rawserver = require "spec.support.faults.rawserver"

describe("a compressed body that was cut short", function()
  setup(rawserver.start)
  teardown(rawserver.stop)

  local function gzip(text)
    local path = helper.temporary ".json"
    helper.write(path, text)
    assert(os.execute(("gzip -nf '%s'"):format(path)))
    return helper.read(path .. ".gz")
  end

  it("is asked for again", function()
    local whole = gzip(list.body(1))
    for _, length in ipairs { math.floor(#whole / 2), 12, 10, 5, 1 } do
      local cut = rawserver.script("close",
        rawserver.reply(whole:sub(1, length), "Content-Encoding: gzip\r\n"))
      rawserver.scene { ["page-1.1"] = cut }
      local listing = avepoint.client(rawserver.options()):customers { page_size = list.page_size }
      local rows, err = listing:collect()
      assert.is_nil(err and tostring(err) .. " cut to " .. length)
      assert.equal(1, listing:stats().retries, length)
      assert.is_true(#rows > 0)
    end
  end)
end)
