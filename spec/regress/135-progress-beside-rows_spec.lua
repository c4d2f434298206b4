-- The line of avepoint.progress stood under what the loop's body printed, and stayed after a break.
-- SPDX-License-Identifier: MIT

local helper = require "spec.support.helper"

-- What a terminal shows of a text without wrapping, line by line: what is written goes over what
-- stood there.
local function screen(text)
  local lines = {}
  for line in text:gsub("\r\n", "\n"):gmatch "([^\n]*)\n" do
    local shown = ""
    for part in line:gmatch "[^\r]+" do
      shown = part .. shown:sub(#part + 1)
    end
    lines[#lines + 1] = (shown:gsub(" +$", ""))
  end
  return lines
end

local function run(script)
  return helper.run_on_terminal('local avepoint = require "avepoint"\n' .. script, 100,
    helper.environment(helper.scenario { customers = 350, latency = 0.15 }))
end

local OPTIONS = "{ page_size = 100, on_progress = avepoint.progress() }"

describe("avepoint.progress", function()
  it("leaves nothing of its line beside what a loop prints, and draws while it waits", function()
    for name, loop in pairs {
      ["for"] = "for c in avepoint.customers %s do print(c.id) end",
      next = [[local list = avepoint.customers %s
        local c = list:next()
        while c do print(c.id) c = list:next() end]],
      each = "avepoint.customers(%s):each(function(c) print(c.id) end)",
      filter = "for c in avepoint.customers(%s):take(350) do print(c.id) end",
      pages = [[for page in avepoint.customers(%s):pages() do
        for _, c in ipairs(page) do print(c.id) end
      end]],
    } do
      local out = run(loop:format(OPTIONS))
      local lines = screen(out)
      assert.equal(350, #lines, name)
      for _, line in ipairs(lines) do
        assert.matches("^[%x%-]+$", line, name)
      end
      assert.matches("\r100 of 350", out, 1, true, name)
    end
  end)

  it("leaves nothing after a break", function()
    local out = run(("for _ in avepoint.customers %s do break end print 'behind'"):format(OPTIONS))
    assert.same({ "behind" }, screen(out))
  end)

  it("leaves nothing when a wait is broken off", function()
    local out = run(([[
      local n = 0
      local function on_event(event)
        n = n + 1
        if n == 12 then error("interrupted", 0) end
      end
      local list = avepoint.client({ on_event = on_event }):customers %s
      print(pcall(list.count, list))
    ]]):format(OPTIONS))
    assert.same({ "false\tinterrupted" }, screen(out))
    out = run(([[
      local poll, list = require "avepoint.driver.blocking"
      local driver = { wait = function(client, seconds)
        if list:stats().pages == 2 then error("interrupted", 0) end
        poll.wait(client, seconds)
      end }
      list = avepoint.client({ driver = driver }):customers %s
      print(pcall(list.count, list))
    ]]):format(OPTIONS))
    assert.matches("of 350", out)
    assert.same({ "false\tinterrupted" }, screen(out))
  end)

  it("leaves nothing beside what on_event prints", function()
    local out = run(([[
      local client = avepoint.client { on_event = function(event) print(event.event) end }
      print(client:customers(%s):count())
    ]]):format(OPTIONS))
    for _, line in ipairs(screen(out)) do
      assert.matches("^[%a%d]+$", line)
    end
  end)

  it("stays on its line while rows are only counted or written", function()
    for _, way in ipairs { "count()", "map(tostring):collect()", "write('/dev/null', 'csv')" } do
      local out = run(("avepoint.customers(%s):%s print 'behind'"):format(OPTIONS, way))
      local drawn, cleared = 0, 0
      for text in out:gmatch "[^\r\n]+" do
        drawn = drawn + (text:find "of 350" and 1 or 0)
        cleared = cleared + (text:find "^ +$" and 1 or 0)
      end
      assert.is_true(drawn >= 2, way)
      assert.equal(1, cleared, way)
      assert.same({ "behind" }, screen(out))
    end
  end)
end)
