-- A file of another owner in a shared group got the writer's own group and kept its mode: the group
-- lost it, and the writer's group could read it. What stood in a file that standard output goes to
-- was lost if a link named /dev/stdout; so it was of every other descriptor.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local NEW = '{"id":"a","tenants":[]}\n'
local WRITE = [[require("avepoint").customers({ endpoint = "get" }):write(arg[1], "jsonl")]]

-- Runs a script with the service's variables. `words` holds the program in place of %s.
local function run(words, script)
  local path, exports = helper.temporary ".lua", {}
  helper.write(path, script)
  for name, value in pairs(helper.environment(helper.scenario { raw_items = { '{"id":"a"}' } })) do
    exports[#exports + 1] = ("%s='%s'"):format(name, value)
  end
  return os.execute(words:format(("env %s %s %s"):format(table.concat(exports, " "), helper.lua,
    path)))
end

local function made(name)
  local at = helper.temporary ".d"
  os.execute(("mkdir %s && chmod 777 %s"):format(at, at))
  helper.write(at .. "/" .. name, "old\n")
  return at, at .. "/" .. name
end

local function stat_of(path)
  local pipe = io.popen(("stat -c '%%g %%a' %s"):format(path))
  local text = pipe:read "*l"
  pipe:close()
  return text
end

describe("a file that is replaced", function()
  local function replaced(group, mode)
    local _, path = made "file"
    if not os.execute(("chown 0:%s %s 2>/dev/null"):format(group, path))
      or os.execute "setpriv --reuid 12345 true 2>/dev/null" ~= os.execute "true" then
      return nil -- only root may become another
    end
    os.execute(("chmod %s %s"):format(mode, path))
    run(("setpriv --reuid 12345 --regid 12345 --groups 12346 %%s %s"):format(path), WRITE)
    assert.equal(NEW, helper.read(path))
    return stat_of(path)
  end

  it("keeps its group if the writer is of it", function()
    local got = replaced(12346, "664")
    assert.is_true(got == nil or got == "12346 664", got)
  end)

  it("else gives the writer's group no more than everybody", function()
    local got = replaced(12347, "660")
    assert.is_true(got == nil or got == "12345 600", got)
    got = replaced(12347, "664")
    assert.is_true(got == nil or got == "12345 644", got)
  end)
end)

describe("a path that leads to an open descriptor", function()
  it("goes on where that stands, and in turn with what is printed", function()
    local at, path = made "file"
    os.execute(("ln -s /dev/stdout %s/link"):format(at))
    -- print flushes, from Lua 5.2 on
    local around = [[io.write "before\n" ]] .. WRITE .. [[ io.write "behind\n"]]
    for _, name in ipairs { at .. "/link", "/dev/stdout", "/proc/self/fd/1" } do
      helper.write(path, "old\n")
      run(("%%s %s >>%s"):format(name, path), around)
      assert.equal("old\nbefore\n" .. NEW .. "behind\n", helper.read(path))
    end
    helper.write(path, "old\n")
    run(("{ %%s /dev/fd/3; echo behind >&3; } 3>>%s"):format(path), WRITE)
    assert.equal("old\n" .. NEW .. "behind\n", helper.read(path))
    run("%s /dev/fd/77 >" .. path, ("print(pcall(function() %s end))"):format(WRITE))
    assert.matches("^false.*/dev/fd/77: Bad file descriptor", helper.read(path))
  end)
end)
