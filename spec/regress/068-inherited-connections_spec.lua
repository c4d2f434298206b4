-- A program that the loop's body started had inherited the client's connections: it kept them open
-- after the client had closed them, and could read from them. (libcurl's own pair of sockets, by
-- which a multi handle is woken, is inherited still: libcurl offers no way to that.)
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

describe("a program started from the loop's body", function()
  it("inherits no connection", function()
    local id = helper.scenario { customers = 20 }
    local said = helper.run([[
      local function inherited() -- TCP sockets of a child
        local tcp, n = {}, 0
        for line in io.lines "/proc/net/tcp" do
          local inode = line:match("^%s*%d+:" .. ("%s+%S+"):rep(8) .. "%s+(%d+)")
          if inode then tcp[inode] = 1 end
        end
        local list = io.popen "ls -l /proc/self/fd"
        for line in list:lines() do n = n + (tcp[line:match "socket:%[(%d+)%]"] or 0) end
        list:close()
        return n
      end
      local before = inherited()
      for _ in require "avepoint".customers { page_size = 5 } do print(inherited() - before) end
    ]], helper.environment(id))
    assert.equal(("0\n"):rep(20), said)
  end)
end)
