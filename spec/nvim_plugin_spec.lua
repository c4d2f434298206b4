-- avepoint.nvim's setup, and its page of :checkhealth, in a headless Neovim.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")
local window = dofile(helper.top .. "/spec/support/window.lua")

local folder

local function run(...)
  return window.read(folder, ...)
end

describe("#hosts avepoint.nvim", function()
  setup(function()
    folder = window.folder()
  end)

  it("loads nothing else of avepoint before a command is used", function()
    local lines = run({ customers = 1 }, [[
      vim.cmd "AvepointCancel"
      local loaded = {}
      for name in pairs(package.loaded) do
        if name:find "^avepoint" then loaded[#loaded + 1] = name end
      end
      finish(unpack(loaded))
    ]], "{ width = 0.5 }")
    assert.same({ "avepoint.nvim" }, lines)
  end)

  it("refuses wrong options of its own by name", function()
    local lines = hosts.nvim([[
      local setup = require("avepoint.nvim").setup
      local function error_of(options) return (select(2, pcall(setup, options))) end
      finish(error_of { colour = "red" }, error_of { width = "wide" },
        vim.fn.exists ":AvepointCustomers")
    ]], { runtimepath = { folder } })
    assert.matches("unknown option 'colour' .known: client, listing, width, height.", lines[1])
    assert.matches("option 'width' must be a number", lines[2])
    assert.equal("0", lines[3])
  end)

  it("lets the user's own on_event hear of everything too", function()
    local lines = run({ customers = 3 }, [[
      vim.cmd "AvepointCustomers"
      once("done", function() finish(heard.request, heard.page) end, 3)
    ]], [[{ client = { on_event = function(event)
      heard = heard or {}
      heard[event.event] = (heard[event.event] or 0) + 1
    end } }]])
    assert.same({ "2", "1" }, lines) -- the token's request and the page's
  end)

  it("may be set up again: the reading under way ends", function()
    local lines = run({ customers = 3000, latency = 0.2 }, [[
      vim.cmd "AvepointCustomers"
      once("of 3000 customers, reading", function()
        require("avepoint.nvim").setup()
        when(function() return not status():find "reading" end, function()
          vim.schedule(function() finish(status()) end)
        end)
      end)
    ]])
    assert.matches("^%d+ of 3000 customers, failed", lines[1])
  end)

  it("may be set up again: the next reading signs in anew", function()
    local lines, id = run({ customers = 3 }, [[
      vim.cmd "AvepointCustomers"
      once("done", function()
        require("avepoint.nvim").setup { client = { client_secret = "another" } }
        press "r"
        once("failed", function() finish(list()[1]) end, 1)
      end, 3)
    ]])
    assert.matches("invalid_client", lines[1])
    assert.equal(2, #helper.journal(id, "/token"))
  end)
end)

describe("#hosts :checkhealth avepoint", function()
  setup(function()
    folder = window.folder()
  end)

  local HEALTH = [[
    vim.cmd "checkhealth avepoint"
    finish(unpack(vim.api.nvim_buf_get_lines(0, 0, -1, false)))
  ]]

  it("looks with the options that setup() was given", function()
    local environment = helper.environment(helper.scenario { customers = 7 })
    local secret = environment.AVEPOINT_CLIENT_SECRET
    environment.AVEPOINT_CLIENT_SECRET = nil
    local text = table.concat(window.run(folder, environment, HEALTH,
      ("{ client = { client_secret = %q } }"):format(secret)), "\n")
    assert.matches("OK:? list: 7 customers", text)
    assert.not_matches("ERROR", text, 1, true)
  end)

  it("says that the module is not built", function()
    os.remove(folder .. "/lua/avepoint/core.so")
    local text = table.concat(window.run(folder, {}, HEALTH), "\n")
    assert.matches("ERROR:? module: avepoint is not built for Neovim: run `make plugin`", text)
  end)
end)
