-- The keys of the window of :AvepointCustomers.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local window = dofile(helper.top .. "/spec/support/window.lua")

local folder

local function run(...)
  return window.read(folder, ...)
end

describe("#hosts a key of the window", function()
  setup(function()
    folder = window.folder()
  end)

  it("shows a customer whole: <CR>", function()
    local lines = run(window.HOSTILE, [[
      vim.cmd "AvepointCustomers"
      once("done", function()
        press "G<CR>"
        when(function() return window_of "avepoint-customer" end, function()
          local text = text_of "avepoint-customer"
          press "<CR>"
          when(function() return not window_of "avepoint-customer" end, function()
            finish(vim.bo.filetype, unpack(text))
          end)
        end)
      end, 3)
    ]])
    assert.same({ "avepoint", "id            id-3", "organization  ", "jobStatus     New   Status",
      "tenants       one two (t-1)", "              three (t-2)", "note          undocumented" },
      lines)
  end)

  it("shows the customer that the filter left on that line", function()
    local lines = run({ customers = 100 }, [[
      vim.cmd "AvepointCustomers failed"
      once("done", function()
        press "j<CR>"
        when(function() return window_of "avepoint-customer" end, function()
          finish(list()[2], unpack(text_of "avepoint-customer"))
        end)
      end)
    ]])
    assert.equal(lines[1]:sub(1, 15), lines[3]:match("^organization +(.*)"):sub(1, 15))
    assert.matches("jobStatus +Failed", lines[5])
  end)

  it("copies a customer: y, and its id: Y, into the register that is named", function()
    local lines = run(window.HOSTILE, [[
      vim.cmd "AvepointCustomers"
      once("done", function()
        press 'yj"aY'
        when(function() return vim.fn.getreg "a" ~= "" end, function()
          finish(vim.fn.getreg "a", vim.fn.getregtype '"', unpack(vim.fn.getreg('"', 1, 1)))
        end)
      end, 3)
    ]])
    assert.same({ "id-2", "V", "id               id-1" }, { lines[1], lines[2], lines[3] })
    assert.equal(2 + 7, #lines)
  end)

  it("reads anew: r, with the same token", function()
    local lines, id = run({ customers = 300, changes = { { before = 5, insert = 1 } } }, [[
      vim.cmd "AvepointCustomers"
      once("300 of 300 customers, done", function()
        press "r"
        once("301 of 301 customers, done", function() finish(status()) end, 301)
      end, 300)
    ]])
    assert.matches("^301 of 301 customers, done", lines[1])
    assert.equal(1, #helper.journal(id, "/token"))
  end)

  it("reads anew from the start while the list is being read: r", function()
    local lines = run({ customers = 300, latency = 0.2 }, [[
      vim.cmd "AvepointCustomers"
      once("of 300 customers, reading", function()
        press "r"
        once("0 customers, reading", function()
          once("done", function() finish(status()) end, 300)
        end)
      end)
    ]])
    assert.matches("^300 of 300 customers, done", lines[1])
  end)

  it("reads anew, and hears no more of the reading that it ends: r", function()
    local lines = run({ customers = 300, latency = 0.4 }, [[
      vim.cmd "AvepointCustomers"
      once("of 300 customers, reading", function()
        press "r"
        once("0 customers, reading", function()
          local others = {}
          when(function()
            others[#others + 1] = not status():find "reading" and status() or nil
            return status():find "done"
          end, function() finish(#others, others[1]) end)
        end)
      end)
    ]])
    assert.equal("1", lines[1])
    assert.matches("^300 of 300 customers, done", lines[2])
  end)

  it("reads anew behind a failed reading, of which nothing stays: r", function()
    local lines = run({ customers = 300, latency = 0.5, faults = { { on = "page", page = 2,
      status = 403, times = 1 } } }, [[
      vim.cmd "AvepointCustomers"
      once("failed", function()
        press "r"
        once("0 customers, reading", function()
          local only = list()[1] -- no row has come
          once("done", function() finish(only, status()) end, 300)
        end, 1)
      end, 101)
    ]])
    assert.equal("", lines[1])
    assert.matches("^300 of 300 customers, done", lines[2])
  end)

  it("shows the keys: ?", function()
    local lines = run({ customers = 1 }, [[
      vim.cmd "AvepointCustomers"
      press "?"
      when(function() return window_of "avepoint-keys" end, function()
        local text = text_of "avepoint-keys"
        press "q"
        when(function() return not window_of "avepoint-keys" end, function()
          finish(window_of "avepoint" ~= nil, unpack(text))
        end)
      end)
    ]])
    assert.equal("true", lines[1])
    local text = table.concat(lines, "\n")
    for _, key in ipairs { "<CR>", "y", "Y", "f", "r", "<C%-c>", "%?", "q <Esc>" } do
      assert.matches("\n" .. key .. " +%l", text)
    end
  end)

  it("does nothing where no customer is", function()
    local lines = run({ customers = 0 }, [[
      vim.cmd "AvepointCustomers"
      once("done", function()
        press "y<CR>?"
        when(function() return window_of "avepoint-keys" end, function()
          finish(vim.fn.getreg '"', (window_of "avepoint-customer"))
        end)
      end, 1)
    ]])
    assert.same({ "", "nil" }, lines)
  end)
end)
