-- listing:write: what other programs read from its files, what is in a file after a failure, and
-- what wrong use is told.
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"
local avepoint = require "avepoint"
local helper = require "spec.helper"

local LS = "\226\128\168" -- U+2028

-- Runs a shell command and returns its output.
local function output_of(command, ...)
  local pipe = assert(io.popen(command:format(...), "r"))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

-- The rows of a CSV file as Python reads them.
local function read_csv(path)
  local script = helper.temporary ".py"
  helper.write(script, [[
import csv, json, sys
with open(sys.argv[1], newline="", encoding="utf-8") as file:
    print(json.dumps(list(csv.reader(file, strict=True))))
]])
  return cjson.decode(output_of("python3 %s %s", script, path))
end

-- The rows as objects by the header.
local function read_objects(path)
  local rows, objects = read_csv(path), {}
  for r = 2, #rows do
    objects[r - 1] = {}
    assert.equal(#rows[1], #rows[r])
    for i, name in ipairs(rows[1]) do
      objects[r - 1][name] = rows[r][i]
    end
  end
  return objects, rows[1]
end

-- The values of a JSON or JSON lines file as jq reads them.
local function read_json(path)
  local list = {}
  for line in output_of("jq -c . %s", path):gmatch "[^\n]+" do
    list[#list + 1] = cjson.decode(line)
  end
  return list
end

local function written(listing, format, options)
  local path = helper.temporary("." .. format)
  return path, listing:write(path, format, options)
end

local TEXTS = { 'a "quoted" one', '"', "one, two", "CR\rwithin", "LF\nwithin", "CRLF\r\n", "=1+1",
  "+1", "-1", "@x", "\tx", "\rx", "'=1", "nul\0nul", LS, "\240\159\143\162 Zürich", "日本",
  ("long "):rep(20000), " blanks ", "back\\slash/", "\127\27[31m", "", ";", "\\u0041" }

-- A customer for each text, in every field that may hold it.
local function customers()
  local items = {}
  for i, text in ipairs(TEXTS) do
    items[i] = { id = "id " .. i, organization = text, ownerEmail = text, jobStatus = i % 7,
      countryOrRegion = text, managementMode = i % 3, another = text, nested = { i, { a = text } },
      tenants = { { id = "t1 " .. i, name = text }, { id = "t2", name = "two" } } }
  end
  return items
end

-- Listings of the same customers, one at each call.
local function source(items, more)
  local texts = {}
  for i, item in ipairs(items) do
    texts[i] = type(item) == "string" and item or cjson.encode(item)
  end
  return function()
    return helper.client({ raw_items = texts }, more):customers { endpoint = "get" }
  end
end

local function with_apostrophe(text)
  return text:find "^[=+%-@\t\r]" and "'" .. text or text
end

describe("listing:write csv", function()
  it("is read back by Python's csv module to the same data", function()
    local listing = source(customers())
    local path, n = written(listing(), "csv")
    assert.equal(#TEXTS, n)
    local rows, names = read_objects(path)
    assert.same({ "id", "organization", "ownerEmail", "jobStatus", "jobStatusCode",
      "countryOrRegion", "managementMode", "tenants", "tenantIds", "another", "nested",
      "otherFields" }, names)
    for i, customer in ipairs(listing():collect()) do
      local row, text = rows[i], with_apostrophe(TEXTS[i])
      assert.equal(customer.id, row.id)
      for _, field in ipairs { "organization", "ownerEmail", "countryOrRegion", "another" } do
        assert.equal(text, row[field])
      end
      assert.equal(customer.jobStatus, row.jobStatus)
      assert.equal(customer.jobStatusCode, tonumber(row.jobStatusCode))
      assert.equal(customer.managementMode, tonumber(row.managementMode))
      assert.equal(with_apostrophe(TEXTS[i] .. "; two"), row.tenants)
      assert.equal(("t1 %d; t2"):format(i), row.tenantIds)
      assert.same(customer.nested, cjson.decode(row.nested))
      assert.equal("", row.otherFields)
    end
  end)

  it("ends lines with CR and LF, and quotes only what needs it", function()
    local path = written(source { { id = "a", organization = "b" },
      { id = "c", organization = "d,e" } }(), "csv", { fields = { "organization", "id" } })
    assert.equal('organization,id\r\nb,a\r\n"d,e",c\r\n', helper.read(path))
  end)

  it("keeps numbers numbers, and what is absent empty", function()
    local path = written(source {
      '{"id":"a","n":-5,"big":12345678901234567890,"half":0.1,"yes":true}',
      '{"id":"b","n":null,"tenants":null}', '{"id":"c","tenants":[]}' }(), "csv")
    local rows = read_objects(path)
    assert.same({ "-5", "0.1", "true", "" }, { rows[1].n, rows[1].half, rows[1].yes,
      rows[1].organization })
    assert.equal(12345678901234567890, tonumber(rows[1].big))
    assert.same({ "", "", "" }, { rows[2].n, rows[2].tenants, rows[2].tenantIds })
    assert.same({ "c", "", "" }, { rows[3].id, rows[3].tenants, rows[3].tenantIds })
  end)

  it("loses no field of a later customer: they stand in otherFields", function()
    local path = written(source { { id = "a" }, { id = "b", late = "=x", later = { 1 } } }(), "csv")
    local rows = read_objects(path)
    assert.equal("", rows[1].otherFields)
    assert.same({ late = "=x", later = { 1 } }, cjson.decode(rows[2].otherFields))
  end)

  it("keeps names and ids of tenants in step, and tenants in odd forms", function()
    local path = written(source { '{"id":"a","tenants":[{"Id":"1","Name":"one"},{"id":"2"}]}',
      '{"id":"b","tenants":["x"]}', '{"id":"c","tenants":"=none"}', '{"id":"d","tenants":7}' }(),
      "csv")
    local rows = read_objects(path)
    assert.same({ "one; ", "1; 2" }, { rows[1].tenants, rows[1].tenantIds })
    assert.same({ '["x"]', "" }, { rows[2].tenants, rows[2].tenantIds })
    assert.same({ "'=none", "" }, { rows[3].tenants, rows[3].tenantIds })
    assert.same({ "7", "" }, { rows[4].tenants, rows[4].tenantIds })
  end)

  it("has a header also without a customer, none if told so, and a mark for Excel", function()
    local path, n = written(source {}(), "csv")
    assert.equal(0, n)
    assert.equal("id,organization,ownerEmail,jobStatus,jobStatusCode,countryOrRegion,"
      .. "managementMode,tenants,tenantIds,otherFields\r\n", helper.read(path))
    path = written(source { { id = "a" } }(), "csv", { fields = { "id" }, header = false })
    assert.equal("a\r\n", helper.read(path))
    path = written(source { { id = "a" } }(), "csv", { fields = { "id" }, bom = true })
    assert.equal("\239\187\191id\r\na\r\n", helper.read(path))
    path = written(source {}(), "csv", { fields = { "id" }, bom = true, header = false })
    assert.equal("\239\187\191", helper.read(path))
  end)

  it("writes what map returns: tables with any fields, lists and single values", function()
    local list = source { { id = "a", organization = "=b", tenants = { { id = "1", name = "n" } } },
      { id = "b" } }
    local path = written(list():map(function(c)
      return { organization = c.organization, n = -1, id = c.id, tenants = c.tenants }
    end):take(1), "csv")
    assert.equal("id,organization,tenants,tenantIds,n\r\na,'=b,n,1,-1\r\n", helper.read(path))
    path = written(list():map(function(c) return { c.id, 1.5 } end), "csv", { header = false })
    assert.equal("a,1.5\r\nb,1.5\r\n", helper.read(path))
    path = written(list():map(function(c) return "=" .. c.id end), "csv")
    assert.equal("value\r\n'=a\r\n'=b\r\n", helper.read(path))
    path = written(list():map(function() return {} end), "csv", { fields = { "x" } })
    assert.same({ { "x" }, { "" }, { "" } }, read_csv(path))
  end)

  it("raises for a field that map returns later, and names the option", function()
    local path = helper.temporary ".csv"
    local err = helper.error_of(function()
      source { { id = "a" }, { id = "b", organization = "x" } }():map(function(c)
        return { id = c.id, late = c.organization }
      end):write(path, "csv")
    end)
    assert.matches("row 2.*'late'.*options%.fields", err)
    assert.is_nil(helper.read(path))
  end)

  it("takes raw customers and the rows of other lists", function()
    local client = helper.client { raw_items = {
      '{"id":"a","organization":null,"jobStatus":2,"tenants":null}' } }
    local path = written(client:customers { endpoint = "get", raw = true }, "csv")
    local rows = read_objects(path)
    assert.same({ "a", "", "2", "" }, { rows[1].id, rows[1].organization, rows[1].jobStatus,
      rows[1].tenants })
    path = written(client:list("/partner/external/v3/general/customers"), "csv",
      { fields = { "jobStatus", "id" } })
    assert.equal("jobStatus,id\r\n2,a\r\n", helper.read(path))
  end)
end)

describe("listing:write json", function()
  for _, format in ipairs { "json", "jsonl" } do
    it("is read back by jq to the same data: " .. format, function()
      local listing = source(customers())
      local path, n = written(listing(), format)
      assert.equal(#TEXTS, n)
      local values = read_json(path)
      assert.same(listing():collect(), format == "json" and values[1] or values)
    end)
  end

  it("writes empty tenants as a list, and the documented fields first", function()
    local items = { { zone = 1, another = 2, organization = "o", id = "a" }, { id = "b" } }
    items[1].tenants = nil
    local lines = { '{"id":"a","organization":"o","tenants":[],"another":2,"zone":1}',
      '{"id":"b","tenants":[]}' }
    assert.equal(table.concat(lines, "\n") .. "\n", helper.read(written(source(items)(), "jsonl")))
    assert.equal("[\n" .. table.concat(lines, ",\n") .. "\n]\n",
      helper.read(written(source(items)(), "json")))
    assert.same({ "[]\n", "" }, { helper.read(written(source {}(), "json")),
      helper.read(written(source {}(), "jsonl")) })
    assert.equal('{"zone":1}\n{}\n', helper.read(written(source(items)():map(function(c)
      return c
    end), "jsonl", { fields = { "zone" } })))
  end)

  it("keeps numbers beyond 2^53 and fractions, nulls of raw customers too", function()
    local path = written(helper.client({ raw_items = {
      '{"id":"a","big":9007199254740994,"huge":1.7976931348623157e308,"third":0.333333333333333315,'
      .. '"none":null}' } }):customers { endpoint = "get", raw = true }, "jsonl")
    assert.equal('{"id":"a","big":9007199254740994,"huge":1.7976931348623157e+308,"none":null,'
      .. '"third":0.3333333333333333}\n', (helper.read(path):gsub('"big":9.007199254740994e%+15',
      '"big":9007199254740994')))
  end)

  it("has U+FFFD for what is no UTF-8", function()
    local bad = { ["\255"] = 1, ["a\195"] = 1, ["\224\128\175"] = 3, ["\237\160\128"] = 3,
      ["\240\159\143"] = 1, ["\244\144\128\128"] = 4, ["\128\128"] = 2, ["\195\169\169"] = 1,
      ["\192\175"] = 2, ["\240\159x"] = 1 }
    for text, marks in pairs(bad) do
      for _, format in ipairs { "csv", "json", "jsonl" } do
        local path = written(source { { id = "a" } }():map(function()
          return { t = text .. "end" }
        end), format)
        local _, n = helper.read(path):gsub("\239\191\189", "")
        assert.equal(marks, n, format)
        local read = output_of("iconv -f UTF-8 -t UTF-8 %s 2>/dev/null", path)
        assert.equal(helper.read(path), read)
      end
    end
  end)

  it("refuses what JSON cannot hold, and names the row", function()
    local cycle = {}
    cycle.cycle = cycle
    for pattern, value in pairs { ["row 1 has a function"] = { f = print }, ["nested"] = cycle,
      ["row 1 has a boolean as a key"] = { [true] = 1 },
      ["row 1 has a userdata"] = { io.stdout } } do
      local path = helper.temporary ".json"
      local err = helper.error_of(function()
        source { { id = "a" } }():map(function() return value end):write(path, "json")
      end)
      assert.matches("write_spec.lua:%d+: listing:write: .*" .. pattern, err)
      assert.is_nil(helper.read(path))
    end
  end)

  it("loses no part of a table that is list and object", function()
    local path = written(source { { id = "a" } }():map(function()
      return { list = { 1, 2 }, both = { 1, x = 2 }, holes = { 1, nil, 3 }, empty = {},
        tenants = {} }
    end), "jsonl")
    assert.same({ { list = { 1, 2 }, both = { ["1"] = 1, x = 2 },
      holes = { ["1"] = 1, ["3"] = 3 }, empty = {}, tenants = {} } }, read_json(path))
  end)
end)

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
      assert.matches("write_spec.lua:%d+: listing:write: ", err)
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

  it("for want of room leaves the old file whole and no other: a limit of the process", function()
    local at = helper.temporary ".d"
    os.execute("mkdir " .. at)
    helper.write(at .. "/file", OLD)
    for _, format in ipairs { "csv", "json", "jsonl" } do
      local said = output_of("trap '' XFSZ; ulimit -f 16; %s %s %s %s/file %s 2>&1",
        exports(helper.scenario { customers = 1000, journal = false }), helper.lua,
        child(report), at, format)
      assert.matches("^false.*file: File too large", said)
      assert.equal(OLD, helper.read(at .. "/file"))
      assert.equal("file\n", output_of("ls -A %s", at))
    end
  end)

  it("for want of room leaves the old file whole and no other: a full disk", function()
    local at = helper.temporary ".mount"
    local mounted = os.execute(("mkdir %s && mount -t tmpfs -o size=64k tmpfs %s 2>/dev/null")
      :format(at, at))
    if mounted ~= true and mounted ~= 0 then
      return -- only root may mount; the case above is the same for everybody
    end
    finally(function() os.execute("umount " .. at) end)
    helper.write(at .. "/file", OLD)
    for _, format in ipairs { "csv", "json", "jsonl" } do
      local said = output_of("%s %s %s %s/file %s 2>&1",
        exports(helper.scenario { customers = 1000, journal = false }), helper.lua,
        child(report), at, format)
      assert.matches("^false.*No space left", said)
      assert.equal(OLD, helper.read(at .. "/file"))
      assert.equal("file\n", output_of("ls -A %s", at))
    end
  end)
end)

describe("wrong use of listing:write", function()
  local function assert_misuse(pattern, ...)
    local listing, arguments = helper.client({ customers = 3 }):customers(), { ... }
    local err = helper.error_of(function()
      listing:write(arguments[1], arguments[2], arguments[3])
    end)
    assert.is_string(err)
    assert.matches("write_spec.lua:%d+: listing:write", err)
    assert.matches(pattern, err)
    assert.equal(3, listing:count())
  end

  it("is told with the nearest name", function()
    local path = helper.temporary()
    assert_misuse("csv, json or jsonl, not nil", path)
    assert_misuse("not xml$", path, "xml")
    assert_misuse("did you mean 'csv'", path, "CSV")
    assert_misuse("did you mean 'jsonl'", path, "jsonll")
    assert_misuse("'feilds' %(did you mean 'fields'", path, "csv", { feilds = { "id" } })
    assert_misuse("'header' must be true or false", path, "csv", { header = "no" })
    assert_misuse("'fields' must be a list", path, "csv", { fields = "id" })
    assert_misuse("'header' is for the format csv", path, "json", { header = false })
    assert_misuse("unknown field 'organisation' %(did you mean 'organization'", path, "csv",
      { fields = { "organisation" } })
    assert_misuse("unknown field 'tenantIds'", path, "json", { fields = { "tenantIds" } })
    assert_misuse("not empty", "", "csv")
    assert_misuse("zero bytes", "a\0b", "csv")
    assert_misuse("a path or an open file, not nil", nil, "csv")
    assert_misuse("not table", {}, "csv")
    assert_misuse("a table of options", path, "csv", "id")
    assert.is_nil(helper.read(path))
  end)
end)
