-- listing:write: where it writes to, in which hosts, and what is in a file after a failure.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local files = require "spec.support.files"
local helper = require "spec.helper"

local output_of, source = files.output_of, files.source
local read_csv, read_objects, read_json = files.read_csv, files.read_objects, files.read_json

describe("the target of listing:write", function()
  local NEW = '{"id":"a","tenants":[]}\n'
  local list = source { { id = "a" } }

  local function mode(path)
    return output_of("stat -c %%a %s", path):match "%d+"
  end

  -- A folder of its own, so that litter is seen.
  local function folder()
    local path = helper.temporary ".d"
    os.execute("mkdir " .. path)
    return path
  end

  local function names_in(path)
    return output_of("ls -A %s", path):gsub("%s+", " ")
  end

  it("may be an open file, or any object that can write", function()
    local path = helper.temporary()
    local file = assert(io.open(path, "wb"))
    file:write "before\n"
    assert.equal(1, list():write(file, "jsonl"))
    assert.equal("before\n" .. NEW, helper.read(path)) -- though the file is not closed
    file:write "behind\n"
    file:close()
    assert.equal("before\n" .. NEW .. "behind\n", helper.read(path))
    local parts = {}
    list():write({ write = function(_, text) parts[#parts + 1] = text end }, "jsonl")
    assert.equal(NEW, table.concat(parts))
  end)

  it("that exists keeps its mode; a new one has that of the process", function()
    local at = folder()
    helper.write(at .. "/old", "old")
    os.execute(("chmod 640 %s/old"):format(at))
    list():write(at .. "/old", "jsonl")
    list():write(at .. "/new", "jsonl")
    assert.equal(NEW, helper.read(at .. "/old"))
    helper.write(at .. "/like", "")
    assert.equal("640", mode(at .. "/old"))
    assert.equal(mode(at .. "/like"), mode(at .. "/new"))
    assert.equal("like new old ", names_in(at))
  end)

  it("that is a link is followed, though it points to nothing", function()
    local at = folder()
    os.execute(("cd %s && mkdir sub && echo old >sub/real && ln -s real sub/second && "
      .. "ln -s sub/second link && ln -s sub/none dangling && ln -s self self"):format(at))
    list():write(at .. "/link", "jsonl")
    list():write(at .. "/dangling", "jsonl")
    assert.same({ NEW, NEW }, { helper.read(at .. "/sub/real"), helper.read(at .. "/sub/none") })
    assert.equal("dangling link self sub ", names_in(at))
    assert.equal("none real second ", names_in(at .. "/sub"))
    assert.equal("sub/second", output_of("readlink %s/link", at):match "%S+")
    assert.matches("self: Too many levels", helper.error_of(function()
      list():write(at .. "/self", "jsonl")
    end))
  end)

  it("that is no regular file is written in place", function()
    local at = folder()
    os.execute(("cd %s && mkfifo pipe && { (cat pipe >got; touch done) & }"):format(at))
    list():write(at .. "/pipe", "jsonl")
    output_of("while [ ! -e %s/done ]; do sleep 0.01; done", at)
    assert.equal(NEW, helper.read(at .. "/got"))
    assert.equal("done got pipe ", names_in(at))
    list():write("/dev/null", "csv")
    for _, name in ipairs { "/dev/stdout", "/dev/fd/1", "/dev/stderr" } do
      local out, code = helper.run(([[
        print "before"
        io.stdout:flush()
        local n = require("avepoint").customers({ endpoint = "get" }):write(%q, "jsonl")
        print("behind", n)
      ]]):format(name), helper.environment(helper.scenario { raw_items = { '{"id":"a"}' } }))
      assert.equal(0, code, out)
      assert.equal("before\n" .. NEW .. "behind\t1\n", out)
    end
  end)

  it("that cannot be written is told by path and reason", function()
    local at = folder()
    for path, reason in pairs { [at] = "Is a directory", [at .. "/none/x"] = "No such file",
      ["/dev/full"] = "No space left", [at .. "/" .. ("x"):rep(300)] = "name too long",
      [("/" .. ("x"):rep(100)):rep(50)] = "name too long" } do
      local listing = list()
      local err = helper.error_of(function() listing:write(path, "json") end)
      assert.is_string(err)
      assert.matches("write_target_spec.lua:%d+: listing:write: ", err)
      assert.matches(path, err, 1, true)
      assert.matches(reason, err, 1, true)
    end
    assert.equal("", names_in(at))
  end)

  it("that is full, or closed, or a pipe without a reader raises", function()
    local file = assert(io.open("/dev/full", "wb"))
    assert.matches("No space left", helper.error_of(function() list():write(file, "csv") end))
    file:close()
    assert.matches("closed", helper.error_of(function() list():write(file, "csv") end))
    local script = helper.temporary ".lua"
    helper.write(script, [[
      local ok, err = pcall(function()
        return require("avepoint").customers():write(io.stdout, "csv")
      end)
      io.stderr:write(tostring(ok), " ", tostring(err), "\n")
    ]])
    local environment = {}
    for name, value in pairs(helper.environment(helper.scenario { customers = 300 })) do
      environment[#environment + 1] = ("%s='%s'"):format(name, value)
    end
    local said = output_of("(trap '' PIPE; exec 4>&1; (%s %s %s 2>&4 4>&-; ) | :)",
      table.concat(environment, " "), helper.lua, script)
    assert.matches("^false .*Broken pipe", said)
  end)
end)

describe("listing:write in a coroutine", function()
  it("lets others run while it waits, and leaves no litter where it is ended", function()
    local at = helper.temporary ".d"
    os.execute("mkdir " .. at)
    local waits, message = 0, nil
    local poll = require "avepoint.driver.blocking"
    local client = helper.client({ customers = 200, latency = 0.01 }, { driver = {
      wait = function(c, seconds)
        waits = waits + 1
        coroutine.yield()
        if message then
          error(message, 0)
        end
        poll.wait(c, seconds)
      end } })
    local function write()
      return client:customers({ page_size = 20 }):write(at .. "/file", "jsonl")
    end
    local co = coroutine.create(write)
    local ok, n
    repeat
      ok, n = coroutine.resume(co)
    until coroutine.status(co) == "dead"
    assert.same({ true, 200 }, { ok, n })
    assert.is_true(waits > 2)
    local function begin_and_end()
      local ended = coroutine.create(write)
      for _ = 1, 4 do
        coroutine.resume(ended)
      end
      message = "ended"
      return select(2, coroutine.resume(ended))
    end
    assert.equal("ended", (begin_and_end()))
    collectgarbage() -- 5.1 has no protected call that may yield: there this removes the file
    collectgarbage()
    assert.equal("file\n", output_of("ls -A %s", at))
    assert.equal(200, #read_json(at .. "/file"))
  end)
end)

describe("#hosts listing:write", function()
  local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

  local function script_of(id, path, format)
    local base, token = helper.urls(id)
    return ([[
      local client = require("avepoint").client { base_url = %q, token_url = %q, ca_file = %q,
        client_id = %q, client_secret = %q }
      local function write() return client:customers({ page_size = 50 }):write(%q, %q) end
    ]]):format(base, token, helper.ca_file, helper.client_id, helper.client_secret, path, format)
  end

  local function assert_written(path)
    local list = read_json(path)[1]
    assert.equal(120, helper.distinct(list))
    assert.is_truthy(helper.read(path):find('"tenants":[]', 1, true))
    assert.is_falsy(helper.read(path):find('"tenants":{}', 1, true))
  end

  it("works in Neovim, in a task and outside", function()
    for _, way in ipairs { "uv.run(write, function(err, n) finish(err, n) end)",
      "finish(nil, write())" } do
      local path = helper.temporary ".json"
      local lines = hosts.nvim(script_of(helper.scenario { customers = 120 }, path, "json")
        .. 'local uv = require "avepoint.driver.uv"\n' .. way)
      assert.same({ "nil", "120" }, { lines[1], lines[2] })
      assert_written(path)
    end
  end)

  it("works in nginx's worker", function()
    local path = helper.temporary ".json"
    os.execute(("touch %s && chmod 666 %s && chmod 777 %s"):format(path, path, helper.directory))
    local nginx = hosts.nginx { server = ("location = /write { content_by_lua_block { %s ngx.say("
      .. "write()) } }"):format(script_of(helper.scenario { customers = 120 }, path, "json")) }
    finally(nginx.stop)
    assert.equal("120\n", nginx.get("/write"))
    assert_written(path)
  end)
end)

describe("a listing:write that fails", function()
  local OLD = "the old one\n"

  -- The environment of a child process in a shell's words.
  local function exports(id)
    local words = {}
    for name, value in pairs(helper.environment(id)) do
      words[#words + 1] = ("%s='%s'"):format(name, value)
    end
    return table.concat(words, " ")
  end

  local function child(script)
    local path = helper.temporary ".lua"
    helper.write(path, script)
    return path
  end

  it("leaves the old file whole and no other, and the listing where it stands", function()
    local at = helper.temporary ".d"
    os.execute("mkdir " .. at)
    helper.write(at .. "/file", OLD)
    for _, format in ipairs { "csv", "json", "jsonl" } do
      local client = helper.client({ customers = 50,
        faults = { { on = "page", page = 3, times = 1, status = 403 } } }, { endpoint = "get" })
      local listing = client:customers { page_size = 10, concurrency = 1 }
      local err = helper.error_of(function() listing:write(at .. "/file", format) end)
      assert.is_true(avepoint.is_error(err), tostring(err))
      assert.equal(OLD, helper.read(at .. "/file"))
      assert.equal("file\n", output_of("ls -A %s", at))
      assert.equal(30, listing:count()) -- what was taken counts as given
    end
    local err = helper.error_of(function()
      helper.client({ customers = 5 }):customers():map(function()
        error("mine", 0)
      end):write(at .. "/file", "csv")
    end)
    assert.equal("mine", err)
    assert.equal(OLD, helper.read(at .. "/file"))
    assert.equal("file\n", output_of("ls -A %s", at))
  end)

  it("has written to an open file all that counts as given", function()
    local client = helper.client({ customers = 50,
      faults = { { on = "page", page = 3, times = 1, status = 403 } } }, { endpoint = "get" })
    local listing = client:customers { page_size = 10, concurrency = 1 }
    local path = helper.temporary ".csv"
    local file = assert(io.open(path, "wb"))
    helper.error_of(function() listing:write(file, "csv") end)
    assert.equal(30, listing:write(file, "csv", { header = false }))
    file:close()
    local rows = read_objects(path)
    assert.equal(50, #rows)
    assert.equal(50, helper.distinct(rows))
  end)

  it("by kill -9 at any tenth leaves the old file whole", function()
    local script = child [[
      local file = io.open "/proc/self/stat"
      local pid, n = file:read "*n", 0
      require("avepoint").customers({ page_size = 20 }):filter(function()
        n = n + 1
        if n == tonumber(arg[3]) then
          os.execute("kill -9 " .. pid)
        end
        return true
      end):write(arg[1], arg[2])
    ]]
    for _, format in ipairs { "csv", "json", "jsonl" } do
      local path = helper.temporary("." .. format)
      helper.write(path, OLD)
      for tenth = 1, 10 do
        local id = helper.scenario { customers = 1000, journal = false }
        os.execute(("%s %s %s %s %s %d >/dev/null 2>&1"):format(exports(id), helper.lua, script,
          path, format, tenth * 100))
        assert.equal(OLD, helper.read(path))
      end
      local id = helper.scenario { customers = 1000, journal = false }
      os.execute(("%s %s %s %s %s 0"):format(exports(id), helper.lua, script, path, format))
      local n = format == "csv" and #read_csv(path) - 1 or #read_json(path)
      assert.equal(format == "json" and 1 or 1000, n)
    end
  end)

  local report = [[
    local ok, err = pcall(function()
      return require("avepoint").customers():write(arg[1], arg[2])
    end)
    print(ok, err)
  ]]

  -- Writes more than there is room for, with each format, from a shell that has said `before`.
  local function assert_old_stays(at, before, why)
    helper.write(at .. "/file", OLD)
    for _, format in ipairs { "csv", "json", "jsonl" } do
      local said = output_of("%s%s %s %s %s/file %s 2>&1", before,
        exports(helper.scenario { customers = 1000, journal = false }), helper.lua,
        child(report), at, format)
      assert.matches("^false.*" .. why, said)
      assert.equal(OLD, helper.read(at .. "/file"))
      assert.equal("file\n", output_of("ls -A %s", at))
    end
  end

  it("for want of room leaves the old file whole and no other: a limit of the process", function()
    local at = helper.temporary ".d"
    os.execute("mkdir " .. at)
    assert_old_stays(at, "trap '' XFSZ; ulimit -f 16; ", "file: File too large")
  end)

  it("for want of room leaves the old file whole and no other: a full disk", function()
    local at = helper.temporary ".mount"
    local mounted = os.execute(("mkdir %s && mount -t tmpfs -o size=64k tmpfs %s 2>/dev/null")
      :format(at, at))
    if mounted ~= true and mounted ~= 0 then
      return -- only root may mount; the case above is the same for everybody
    end
    finally(function() os.execute("umount " .. at) end)
    assert_old_stays(at, "", "No space left")
  end)
end)
