-- The parts of the benchmark that others' figures hang on: medians and ratios, callgrind's files,
-- verdicts; the relay's distance, and the simulator without compression.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local relay = require "spec.support.relay"

local function load(name)
  return dofile(("%s/spec/bench/%s.lua"):format(helper.top, name))
end

describe("a benchmark's figures", function()
  local stats = load "stats"

  it("have a median and the two ends", function()
    assert.same({ median = 2, least = 1, greatest = 9 }, stats.of { 9, 1, 2 })
    assert.same({ median = 2.5, least = 1, greatest = 9 }, stats.of { 9, 1, 2, 3 })
    assert.is_nil(stats.of {})
  end)

  it("are compared round by round", function()
    local twice = { median = 2, least = 2, greatest = 2 }
    assert.same(twice, stats.ratio({ 2, 20, 200 }, { 1, 10, 100 }))
    assert.same(twice, stats.ratio({ 2, 20 }, { 1 }))
  end)
end)

describe("a file of callgrind", function()
  local callgrind = load "callgrind"
  local path = helper.temporary ".callgrind"
  helper.write(path, [[
# callgrind format
positions: line
events: Ir
summary: 1000

ob=(1) /lib/core.so
fl=(1) page.c
fn=(1) decode_page
72 5
-22 2
cob=(2) /lib/cjson.so
cfi=(2) lua_cjson.c
cfn=(2) json_decode
calls=1 -50
* 300
+3 1
cfn=(3) helper
calls=2 +1
* 40

ob=(2)
fn=(2)
12 250
fn=(4) other
13 40
]])

  it("gives the instructions of each object file, and those of calls into it", function()
    local found = callgrind.read(path)
    assert.same({ ["/lib/core.so"] = 8, ["/lib/cjson.so"] = 290 }, found.own)
    assert.same({ ["/lib/cjson.so"] = 300 }, found.into)
    assert.equal(298, found.total)
    assert.equal(290, callgrind.sum(found.own, "cjson"))
    assert.equal(298, callgrind.sum(found.own, "cjson", ".so"))
  end)
end)

describe("a benchmark's verdicts", function()
  local before = package.loaded.reach
  package.loaded.reach = {
    { title = "met", most = 2, far_off = 4, figure = function() return 2 end },
    { title = "missed", least = 3, figure = function()
      return { median = 2, least = 1, greatest = 3 }
    end },
    { title = "nothing", most = 1, figure = function() return nil end },
    { title = "far", most = 1, far_off = 3, figure = function() return 3.5 end },
  }
  local verdicts = load "verdicts"
  package.loaded.reach = before

  it("say what is reached and by how much it is missed", function()
    local rows, far_off = verdicts.all({}, false)
    assert.is_false(far_off)
    assert.equal("reached", rows[1].verdict)
    assert.equal("missed, by 50 %", rows[2].verdict)
    assert.equal("not measured", rows[3].verdict)
    assert.equal("missed, by 250 %", rows[4].verdict)
  end)

  it("fail in the short form where a figure is far off, or missing", function()
    local rows, far_off = verdicts.all({}, true)
    assert.is_true(far_off)
    assert.equal(2, #rows)
    assert.equal("far off: the limit is 3", rows[2].verdict)
  end)
end)

describe("#hosts a relay with a delay", function()
  it("takes there and back for the connection, and as long for the request", function()
    local far = relay.start(helper.ports.http .. " 40")
    finally(function() far:stop() end)
    local said = io.popen(("curl -s -o /dev/null -w '%%{time_total}' http://127.0.0.1:%s/"):format(
      far.port))
    local seconds = tonumber(said:read "*a")
    said:close()
    assert.is_true(seconds >= 0.158, seconds) -- whole ms, rounded down
  end)
end)

describe("#hosts a scenario without compression", function()
  it("sends what others get compressed as it is", function()
    local function encoding(fields)
      local base, token = helper.urls(helper.scenario(fields))
      local said = io.popen(("curl -s --cacert %s -d grant_type=client_credentials -d client_id=%s "
        .. "-d client_secret=%s -H 'Accept-Encoding: gzip' -D - -o /dev/null %s"):format(
        helper.ca_file, helper.client_id, helper.client_secret, token or base))
      local head = said:read "*a"
      said:close()
      assert.matches(" 200", head, 1, true)
      return head:match "content%-encoding: (%S+)"
    end
    local token = { reply = { access_token = ("a"):rep(1000), expires_in = 3600 } }
    assert.equal("gzip", encoding { token = token })
    assert.is_nil(encoding { token = token, compress = false })
  end)
end)
