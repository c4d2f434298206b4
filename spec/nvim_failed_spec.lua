-- :AvepointFailed: the quickfix list.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local window = dofile(helper.top .. "/spec/support/window.lua")

local folder

local function run(...)
  return window.read(folder, ...)
end

describe("#hosts :AvepointFailed", function()
  setup(function()
    folder = window.folder()
  end)

  -- Follows the quickfix list to its second entry; gives its title, the entries' number, the buffer
  -- and the customer that the cursor is on.
  local LOOK = [[
    local function look()
      local list = vim.fn.getqflist { items = 1, title = 1 }
      local second = list.items[2]
      local wins = #vim.api.nvim_list_wins()
      local kind = vim.bo.buftype
      vim.cmd "cc 2"
      local lines = vim.api.nvim_buf_get_lines(0, second.lnum - 1, second.lnum + 4, false)
      finish(list.title, #list.items, wins, kind, vim.api.nvim_buf_get_name(0),
        vim.api.nvim_win_get_cursor(0)[1] == second.lnum, second.text, vim.bo.modifiable,
        unpack(lines))
    end
    local function put() return vim.fn.getqflist({ title = 1 }).title:find "failed" end
  ]]

  local function check(lines)
    local failed = tonumber(lines[1]:match "^(%d+) of 300 customers failed$")
    assert.is_true(failed > 1, lines[1])
    assert.same({ tostring(failed), "2", "quickfix" }, { lines[2], lines[3], lines[4] })
    assert.same({ "avepoint://failed", "true" }, { lines[5], lines[6] })
    assert.equal("false", lines[8])
    assert.matches("^id ", lines[9])
    local organization = lines[10]:match "^organization +(.*)"
    assert.equal(organization, lines[7]:sub(1, #organization))
    assert.matches("^jobStatus +Failed", lines[12])
  end

  it("reads the list and puts the failed ones into the quickfix list", function()
    local lines, id = run({ customers = 300 }, LOOK .. [[
      vim.cmd "AvepointFailed"
      when(put, look)
    ]])
    check(lines)
    assert.equal(4, #helper.journal(id, "/customers"))
  end)

  it("takes those of the window, once all have arrived, and closes it", function()
    local lines, id = run({ customers = 300, latency = 0.2 }, LOOK .. [[
      vim.cmd "AvepointCustomers"
      once("of 300 customers, reading", function()
        vim.cmd "AvepointFailed"
        when(put, look)
      end)
    ]])
    check(lines)
    assert.equal(4, #helper.journal(id, "/customers"))
  end)

  it("does not read again where the window has all", function()
    local lines, id = run({ customers = 300 }, LOOK .. [[
      vim.cmd "AvepointCustomers"
      once("done", function()
        vim.cmd "AvepointFailed"
        look()
      end, 300)
    ]])
    check(lines)
    assert.equal(4, #helper.journal(id, "/customers"))
  end)

  it("reads again where the window's reading was stopped", function()
    local lines = run({ customers = 300, latency = 0.2 }, LOOK .. [[
      vim.cmd "AvepointCustomers"
      once("of 300 customers, reading", function()
        vim.cmd "AvepointCancel | AvepointFailed"
        when(put, look)
      end)
    ]])
    check(lines)
  end)

  it("begins with an empty window where it reads again", function()
    local lines = run({ customers = 300, latency = 0.2 }, [[
      vim.cmd "AvepointCustomers"
      once("of 300 customers, reading", function()
        vim.cmd "AvepointCancel | AvepointFailed"
        finish(status())
      end)
    ]])
    assert.matches("^0 customers, reading", lines[1])
  end)

  it("goes on where the window is opened meanwhile", function()
    local lines = run({ customers = 300, latency = 0.2 }, LOOK .. [[
      vim.cmd "AvepointFailed"
      vim.defer_fn(function()
        vim.cmd "AvepointCustomers"
        when(put, look)
      end, 100)
    ]])
    check(lines)
  end)

  it("may be called again: the entries are those of the last reading", function()
    local lines = run({ items = {
      { id = "a", organization = "Once", jobStatus = "Failed" },
      { id = "b", organization = "Always", jobStatus = "Failed" },
    }, changes = { { before = 2, remove_id = "a" } } }, [[
      local function count() return #vim.fn.getqflist() end
      vim.cmd "AvepointFailed"
      when(function() return count() == 2 end, function()
        vim.cmd "cc 1"
        vim.cmd "AvepointFailed"
        when(function() return count() == 1 end, function()
          vim.cmd "cc 1"
          finish(unpack(vim.api.nvim_buf_get_lines(0, 0, 2, false)))
        end)
      end)
    ]])
    assert.same({ "id             b", "organization   Always" }, lines)
  end)

  it("empties the quickfix list where none has failed", function()
    local lines = run({ items = { { id = "a", organization = "A", jobStatus = "Working" } } }, [[
      vim.fn.setqflist { { text = "an old one" } }
      vim.cmd "copen"
      vim.cmd "AvepointFailed"
      when(function() return #vim.fn.getqflist() == 0 end, function()
        finish(vim.fn.getqflist({ title = 1 }).title, #vim.api.nvim_list_wins())
      end)
    ]])
    assert.same({ "0 of 1 customers failed", "1" }, lines)
  end)

  it("warns of customers that are missing", function()
    local lines = run({ customers = 30, total_add = 2 }, [[
      local said
      vim.notify = function(text, level) said = { text, level } end
      vim.cmd "AvepointFailed"
      when(function() return said end, function()
        finish(said[1], said[2] == vim.log.levels.WARN, vim.fn.getqflist({ title = 1 }).title)
      end)
    ]])
    assert.matches("^avepoint: .*2 customers", lines[1])
    assert.equal("true", lines[2])
    assert.matches("of 30 customers failed$", lines[3])
  end)

  it("says why the list cannot be read, and leaves the quickfix list", function()
    local lines = run({ customers = 500,
      faults = { { on = "page", page = 4, status = 403, times = -1 } } }, [[
      local said
      vim.notify = function(text, level) said = { text, level } end
      vim.fn.setqflist { { text = "an old one" } }
      vim.cmd "AvepointFailed"
      when(function() return said end, function()
        finish(said[1], said[2] == vim.log.levels.ERROR, vim.fn.getqflist()[1].text)
      end)
    ]])
    assert.matches("^avepoint: .*elements%.customers%.read%.all", lines[1])
    assert.same({ "true", "an old one" }, { lines[2], lines[3] })
  end)
end)
