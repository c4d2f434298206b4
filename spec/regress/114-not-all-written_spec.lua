-- A full disk, or a pipe that nobody reads any more, made no error: show and the doctor said
-- nothing, and a script went on as if its report had been written.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

local unpack = rawget(_G, "unpack") or table.unpack

local function refusal(f, ...)
  local arguments = { ... }
  local wrong = helper.error_of(function() f(unpack(arguments)) end)
  assert.matches("114%-not%-all%-written_spec.lua:%d+: ", wrong)
  return wrong
end

describe("what cannot be written raises", function()
  it("on a full disk", function()
    for _, value in ipairs { "text", { { id = 1 } }, { x = 1 }, { x = "y" }, {} } do
      local file = assert(io.open("/dev/full", "w"))
      local ok, wrong = pcall(avepoint.show, value, file)
      assert.equal(type(value) == "table" and next(value) == nil, ok)
      assert.is_true(ok or wrong:find("not all could be written: No space left on device", 1, true)
        ~= nil, tostring(wrong))
    end
    local file = assert(io.open("/dev/full", "w"))
    local customers = helper.client({ customers = 3 }):customers()
    assert.matches("listing:show: not all could be written", refusal(customers.show, customers,
      file))
    assert.matches("avepoint.doctor: not all could", helper.error_of(avepoint.doctor, {},
      assert(io.open("/dev/full", "w"))))
  end)

  it("on standard output", function()
    local path = helper.temporary ".lua"
    helper.write(path, [[
      local ok, wrong = pcall(require("avepoint").show, { "x" })
      io.stderr:write(tostring(ok), " ", tostring(wrong))]])
    local said = helper.run(([[os.execute("%s %s >/dev/full")]]):format(helper.lua, path))
    assert.matches("^false .*No space left on device", said)
  end)

  it("to a pipe that nobody reads", function()
    local path = helper.temporary ".lua"
    helper.write(path, [[
      local ok, wrong = true, nil
      for _ = 1, 1e6 do -- until the reader has gone: more than a pipe holds
        ok, wrong = pcall(require("avepoint").show, { "x" })
        if not ok then break end
      end
      io.stderr:write(tostring(ok), " ", tostring(wrong))]])
    local said = helper.run(([[
      os.execute("trap '' PIPE; %s %s | true")]]):format(helper.lua, path))
    assert.matches("^false .*Broken pipe", said)
  end)

  it("to a closed file, an object that fails or is none", function()
    local file = assert(io.open("/dev/null", "w"))
    file:close()
    assert.matches("the file is closed", refusal(avepoint.show, 1, file), 1, true)
    assert.matches("not all could be written: full", refusal(avepoint.show, 1,
      { write = function() return nil, "full" end }), 1, true)
    for _, odd in ipairs { "path", 5, true, {} } do
      assert.matches("avepoint.show takes an open file", refusal(avepoint.show, 1, odd), 1, true)
    end
    avepoint.show(1, { write = function() end })
  end)
end)

describe("listing:write", function()
  it("asks for no more pages once its file is full", function()
    local client, id = helper.client { customers = 1000 }
    local listing = client:customers { page_size = 50, concurrency = 1 }
    assert.matches("No space left on device", helper.error_of(listing.write, listing, "/dev/full",
      "jsonl"), 1, true)
    assert.is_true(#helper.pages(id) <= 3, #helper.pages(id))
  end)
end)
