-- examples/export.lua: an export that goes on after kill -9, against the simulator.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local cjson = require "cjson"
local helper = require "spec.helper"
local examples = dofile(helper.top .. "/spec/support/examples.lua")
local files = dofile(helper.top .. "/spec/support/files.lua")

-- Loaded before an example: kills the process by kill -9 just before its K-th step with a file.
local KILLER = [[
local left = tonumber(os.getenv "KILL_AT")
local function step()
  left = left - 1
  if left == 0 then
    os.execute "kill -9 $PPID"
    while true do end
  end
end
local function counted(f)
  return function(...) step() return f(...) end
end
local file = getmetatable(io.stdout).__index
local write, rows = file.write, 0
function file.write(self, ...)
  rows = rows + 1
  if rows % 10 == 0 then
    self:flush() -- so that part of a row can be all there is of what was not saved
    step()
  end
  return write(self, ...)
end
file.close, os.rename, os.remove = counted(file.close), counted(os.rename), counted(os.remove)
return true
]]

describe("examples/export.lua", function()
  local read = {
    csv = files.read_objects,
    jsonl = files.read_json,
    json = function(path) return cjson.decode(helper.read(path)) end,
  }

  -- Exports into a file, killed at step `at` (nil: not at all). Returns the exit code and output.
  local killer
  local function export(id, path, at)
    if not killer then
      killer = helper.temporary ".lua"
      helper.write(killer, KILLER)
    end
    local out, code = examples.run("export", id, path .. " 20", at and {
      before = ("-e 'dofile [[%s]]'"):format(killer), environment = { KILL_AT = at },
    })
    return code, out
  end

  local function check(id, path, format)
    local wanted = helper.ids(avepoint.client(helper.options(id)):customers():collect())
    assert.same(wanted, helper.ids(read[format](path)))
    assert.is_nil(helper.read(path .. ".part"))
    assert.is_nil(helper.read(path .. ".state"))
  end

  for _, format in ipairs { "csv", "json", "jsonl" } do
    it("writes " .. format, function()
      for _, n in ipairs { 0, 1, 20, 130 } do
        local id, path = helper.scenario { customers = n }, helper.temporary("." .. format)
        assert.equal(0, (export(id, path)))
        if format == "csv" and n == 0 then
          assert.matches("^id,organization,[%w,]*tenantIds\r\n$", helper.read(path))
        else
          check(id, path, format)
        end
      end
    end)

    it("#long goes on without loss or doubles after kill -9 at any step: " .. format, function()
      local id = helper.scenario { customers = 130 }
      local at, killed = 0, 0
      repeat
        at = at + 1
        local path = helper.temporary("." .. format)
        local code, out = export(id, path, at)
        if code ~= 0 then
          assert.equal(137, code, out)
          killed = killed + 1
          code, out = export(id, path)
          assert.equal(0, code, out)
        end
        check(id, path, format)
      until killed < at
      assert.is_true(killed > 20, killed .. " steps")
    end)
  end

  it("#long goes on after each of many kills", function()
    local id, path = helper.scenario { customers = 400 }, helper.temporary ".csv"
    local kills = 0
    local code, out
    repeat
      code, out = export(id, path, 15)
      kills = kills + 1
      assert.is_true(kills < 100, "no progress")
    until code == 0
    assert.is_true(kills > 5, out)
    check(id, path, "csv")
  end)

  it("goes on after an error, and keeps the old file until the new one is whole", function()
    local id, path = helper.scenario { customers = 400, faults = {
      { on = "page", page = 3, status = 403 },
    } }, helper.temporary ".csv"
    helper.write(path, "old")
    local code, out = export(id, path)
    assert.equal(1, code)
    assert.equal(1, #examples.lines(out), out)
    assert.equal("old", helper.read(path))
    assert.equal(0, (export(id, path)))
    local asked = helper.pages(id)
    local firsts = 0
    for _, page in ipairs(asked) do firsts = firsts + (page == 1 and 1 or 0) end
    assert.equal(1, firsts, "the list is begun once")
    check(id, path, "csv")
  end)

  it("begins anew if the list has changed meanwhile, by itself", function()
    local id, path = helper.scenario { customers = 400, changes = { { before = 5, remove = 2 } },
      faults = { { on = "page", page = 3, status = 403 } } }, helper.temporary ".csv"
    assert.equal(1, (export(id, path)))
    local code, out = export(id, path)
    assert.equal(0, code, out)
    check(id, path, "csv")
  end)
end)
