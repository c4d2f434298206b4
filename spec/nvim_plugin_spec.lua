-- The example plugin in a headless Neovim: from a clean clone as a plugin manager would set it up,
-- and then what its commands and keys do.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

-- What stands before each script: the screen, and what a person sees on it.
local prelude = [[
  vim.o.columns, vim.o.lines = 120, 40
  local function window_of(filetype)
    for _, id in ipairs(vim.api.nvim_list_wins()) do
      local buffer = vim.api.nvim_win_get_buf(id)
      if vim.bo[buffer].filetype == filetype then return id, buffer end
    end
  end
  local function text_of(filetype)
    local id, buffer = window_of(filetype)
    return id and vim.api.nvim_buf_get_lines(buffer, 0, -1, false) or {}
  end
  local function status() return text_of "avepoint-frame"[1] or "" end
  local function list() return text_of "avepoint" end
  -- Calls what follows once the status holds the text; in the loop, so that keys are worked off.
  local function once(text, follow)
    local timer = (vim.uv or vim.loop).new_timer()
    timer:start(0, 10, vim.schedule_wrap(function()
      if not timer:is_closing() and status():find(text, 1, true) then
        timer:close()
        follow()
      end
    end))
  end
  local function later(ms, follow) vim.defer_fn(follow, ms) end
]]

-- A folder in which the module stands as `make plugin` puts it, from the build that is there.
local function plugin_folder()
  local folder = helper.temporary ".plugin"
  local said, code = hosts.shell(("mkdir -p %s && cp -R %s/lua %s/examples %s && "
    .. "cp %s/build/luajit/avepoint/*.so %s/lua/avepoint/"):format(folder, helper.top, helper.top,
    folder, helper.top, folder))
  assert(code == 0, said)
  return folder
end

describe("#hosts the plugin", function()
  local folder

  setup(function()
    folder = plugin_folder()
  end)

  local function run(scenario, script, environment)
    local id = helper.scenario(scenario)
    environment = environment or helper.environment(id)
    local lines, said = hosts.nvim(prelude .. "vim.cmd 'runtime plugin/avepoint.lua'\n" .. script, {
      runtimepath = { folder, folder .. "/examples/nvim" },
      environment = environment,
    })
    return lines, id, said
  end

  it("loads nothing until it is used", function()
    local lines = run({ customers = 1 }, [[
      vim.cmd "AvepointCancel"
      local loaded = {}
      for name in pairs(package.loaded) do
        if name:find "^avepoint" then loaded[#loaded + 1] = name end
      end
      require("avepoint_nvim").setup { width = 0.5 }
      finish(#loaded, package.loaded.avepoint)
    ]])
    assert.same({ "0", "nil" }, lines)
  end)

  it("fills the window while the loop goes on", function()
    local lines, id = run({ customers = 1000, latency = 0.05 }, ([[
      local stall = dofile(%q)
      local partial
      vim.cmd "AvepointCustomers" -- loads libcurl, which takes some ten milliseconds, once
      local first = status()
      local stop = stall.watch()
      once("of 1000, listing", function() partial = status() end)
      once("1000 of 1000, done", function()
        later(300, function()
          local longest = stop()
          finish(first, partial, status(), #list(), list()[1], text_of "avepoint-frame"[3], longest)
        end)
      end)
    ]]):format(helper.top .. "/spec/support/stall.lua"))
    assert.matches("^0, listing", lines[1])
    assert.matches("^%d+ of 1000, listing", lines[2])
    assert.matches("^1000 of 1000, done in %d", lines[3])
    assert.equal("1000", lines[4])
    assert.matches("^Pacific Park Energy B%.V%. +Working +Netherlands +%S", lines[5])
    assert.matches("^ORGANIZATION +STATUS +COUNTRY +OWNER", lines[6])
    io.write(("\n  nvim: longest stall while the plugin lists: %.1f ms\n"):format(lines[7]))
    assert.is_true(tonumber(lines[7]) < 250)
    assert.equal(11, #helper.journal(id, "/customers")) -- one behind a full last page
  end)

  it("filters what has arrived and what arrives, key by key", function()
    local lines = run({ customers = 600, latency = 0.4 }, [[
      vim.cmd "AvepointCustomers FAILED"
      once("of 600, 1", function() -- some hundred have arrived
        vim.api.nvim_input "f japan"
        later(200, function()
          local typed, mode = text_of "avepoint-frame"[2], vim.fn.mode()
          local early = #list()
          vim.api.nvim_input "<CR>"
          once("600 of 600", function()
            later(300, function()
              local wrong = 0
              for _, line in ipairs(list()) do
                if not line:find "Failed +Japan" then wrong = wrong + 1 end
              end
              local narrow = #list()
              vim.api.nvim_input "f<C-u><CR>"
              later(300, function()
                finish(typed, mode, early <= narrow, narrow, wrong, #list(), vim.fn.mode(),
                  (window_of "avepoint-filter"))
              end)
            end)
          end)
        end)
      end)
    ]])
    assert.same({ "Filter: FAILED japan", "i", "true" }, { lines[1], lines[2], lines[3] })
    assert.is_true(tonumber(lines[4]) > 0 and tonumber(lines[4]) < 60)
    assert.equal("0", lines[5])
    assert.same({ "600", "n", "nil" }, { lines[6], lines[7], lines[8] })
  end)

  it("marks the failed ones", function()
    local lines = run({ customers = 100 }, [[
      vim.cmd "AvepointCustomers"
      once("done", function() later(300, function()
        local _, buffer = window_of "avepoint"
        local names = vim.api.nvim_get_namespaces().avepoint
        local marked, failed = 0, 0
        for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(buffer, names, 0, -1,
            { details = true })) do
          if mark[4].hl_group == "AvepointFailed" then
            local line = list()[mark[2] + 1]
            marked = marked + (line:sub(mark[3] + 1, mark[4].end_col) == "Failed" and 1 or 1000)
          end
        end
        for _, line in ipairs(list()) do
          failed = failed + (line:find " Failed " and 1 or 0)
        end
        finish(marked, failed)
      end) end)
    ]])
    assert.equal(lines[2], lines[1])
    assert.is_true(tonumber(lines[1]) > 0)
  end)

  it("stops at :AvepointCancel, and keeps what has arrived", function()
    local lines, id = run({ customers = 3000, latency = 0.2 }, [[
      vim.cmd "AvepointCustomers"
      once("of 3000, listing", function()
        vim.cmd "AvepointCancel"
        once("cancelled", function()
          later(300, function()
            local kept = #list()
            later(600, function() finish(status(), kept, kept == #list()) end)
          end)
        end)
      end)
    ]])
    assert.matches("^%d+ of 3000, cancelled", lines[1])
    assert.is_true(tonumber(lines[2]) >= 100)
    assert.equal("true", lines[3])
    assert.is_true(#helper.journal(id, "/customers") < 15)
  end)

  for _, key in ipairs { "q", "<Esc>", ":q<CR>" } do
    it("closes its windows and cancels at " .. key, function()
      local lines, id = run({ customers = 3000, latency = 0.2 }, ([[
        vim.cmd "AvepointCustomers"
        once("of 3000, listing", function()
          vim.api.nvim_input %q
          later(1000, function() finish(#vim.api.nvim_list_wins()) end)
        end)
      ]]):format(key))
      assert.same({ "1" }, lines)
      assert.is_true(#helper.journal(id, "/customers") < 15)
    end)
  end

  it("starts again with one window and the same token", function()
    local lines, id = run({ customers = 300, latency = 0.2 }, [[
      vim.cmd "AvepointCustomers"
      once("of 300, listing", function()
        vim.cmd "AvepointCustomers failed"
        once("300 of 300", function()
          later(100, function() finish(#vim.api.nvim_list_wins(), status()) end)
        end)
      end)
    ]])
    assert.equal("3", lines[1])
    assert.matches("^300 of 300, %d+ shown, done", lines[2])
    assert.equal(1, #helper.journal(id, "/token"))
  end)

  it("follows the screen's size", function()
    local lines = run({ customers = 50 }, [[
      vim.cmd "AvepointCustomers"
      once("done", function()
        vim.o.columns, vim.o.lines = 60, 15
        vim.cmd "doautocmd VimResized"
        later(300, function()
          local id = window_of "avepoint"
          finish(text_of "avepoint-frame"[3], #list(), vim.api.nvim_win_get_width(id))
        end)
      end)
    ]])
    assert.matches("^ORGANIZATION +STATUS +$", lines[1])
    assert.same({ "50", "52" }, { lines[2], lines[3] })
  end)
end)

describe("#hosts the plugin shows in one line", function()
  local folder

  setup(function()
    folder = plugin_folder()
  end)

  local function last_line(id, environment, script)
    local lines = hosts.nvim(prelude .. "vim.cmd 'runtime plugin/avepoint.lua'\n" .. (script or "")
      .. [[
      vim.cmd "AvepointCustomers"
      once("failed", function()
        later(300, function() finish(#list(), list()[#list()]) end)
      end)
    ]], {
      runtimepath = { folder, folder .. "/examples/nvim" },
      environment = environment or helper.environment(id),
    })
    return lines[2], tonumber(lines[1])
  end

  it("why the service refuses, behind what has arrived", function()
    local text, n = last_line(helper.scenario {
      customers = 500,
      faults = { { on = "page", page = 4, status = 403, times = -1 } },
    })
    assert.equal(301, n)
    assert.matches("forbidden", text)
    assert.matches("elements%.customers%.read%.all", text)
  end)

  it("that credentials are missing", function()
    local text, n = last_line(nil, {})
    assert.equal(1, n)
    assert.matches("AVEPOINT_CLIENT_ID", text)
  end)

  it("that an option is wrong", function()
    local text = last_line(helper.scenario { customers = 1 }, nil,
      "require('avepoint_nvim').setup { client = { page_size = 5 } }\n")
    assert.matches("page_size", text)
  end)

  it("that the module is not built", function()
    os.remove(folder .. "/lua/avepoint/core.so")
    local text = last_line(helper.scenario { customers = 1 })
    assert.equal("avepoint is not built for Neovim: run `make LUA=luajit plugin` in its folder",
      text)
  end)

  it("that its own options are wrong", function()
    local lines = hosts.nvim([[
      local ok, err = pcall(require("avepoint_nvim").setup, { colour = "red" })
      local _, other = pcall(require("avepoint_nvim").setup, { width = "wide" })
      finish(tostring(ok), err, other)
    ]], { runtimepath = { folder .. "/examples/nvim" } })
    assert.equal("false", lines[1])
    assert.matches("unknown option 'colour'", lines[2])
    assert.matches("option 'width' must be a number", lines[3])
  end)
end)

-- lazy.nvim itself is not at hand in the tests; what it does with a block is done here.
describe("#hosts a clean clone", function()
  local clone

  local function documented_block()
    local help = helper.read(clone .. "/examples/nvim/doc/avepoint.txt")
    local block = help:match "With lazy%.nvim: >\n(.-)\n<\n"
    return assert((loadstring or load)("return " .. block))(), block
  end

  setup(function()
    clone = helper.temporary ".clone"
    local head = io.open(helper.top .. "/.git")
    if head then
      head:close()
      local said, code = hosts.shell(("git clone -q '%s' '%s'"):format(helper.top, clone))
      assert(code == 0, said)
    end
  end)

  it("is built by the documented block's build line, and lists by its command", function()
    if not helper.read(clone .. "/Makefile") then
      pending "not a git checkout"
      return
    end
    local spec, block = documented_block()
    local said, code = hosts.shell(("cd '%s' && unset MAKEFLAGS MAKELEVEL MFLAGS LUA_PATH "
      .. "LUA_CPATH && %s"):format(clone, spec.build))
    assert(code == 0, said)
    local id = helper.scenario { customers = 120 }
    local lines = hosts.nvim(prelude .. ([[
      local plugin = { dir = %q }
      local spec = %s
      spec.init(plugin) -- at startup
      vim.cmd "help :AvepointCustomers"
      local help = vim.api.nvim_get_current_line()
      vim.cmd "helpclose"
      for _, name in ipairs(spec.cmd) do -- a command that loads the plugin and is called again
        vim.api.nvim_create_user_command(name, function(command)
          for _, stub in ipairs(spec.cmd) do vim.api.nvim_del_user_command(stub) end
          vim.opt.runtimepath:append(plugin.dir)
          spec.config(plugin, {})
          vim.cmd(name .. " " .. command.args)
        end, { nargs = "*" })
      end
      local loaded = package.loaded.avepoint
      vim.cmd "AvepointCustomers japan"
      once("done", function()
        later(300, function() finish(help, loaded, status(), #list()) end)
      end)
    ]]):format(clone, block), {
      runtimepath = {},
      environment = helper.environment(id),
    })
    assert.matches("*:AvepointCustomers*", lines[1], 1, true)
    assert.equal("nil", lines[2])
    assert.matches("^120 of 120, %d+ shown, done", lines[3])
    assert.is_true(tonumber(lines[4]) > 0)
  end)

  it("and what `make plugin` puts there is neither installed nor left by `make clean`", function()
    if not helper.read(clone .. "/lua/avepoint/core.so") then
      pending "not a git checkout"
      return
    end
    local prefix = helper.temporary ".prefix"
    local said, code = hosts.shell(("cd '%s' && spec/support/install luajit build/luajit '%s'")
      :format(clone, prefix))
    assert(code == 0, said)
    assert.is_nil(helper.read(prefix .. "/share/lua/5.1/avepoint/core.so"))
    assert.is_string(helper.read(prefix .. "/share/lua/5.1/avepoint/init.lua"))
    assert.is_string(helper.read(prefix .. "/lib/lua/5.1/avepoint/core.so"))
    assert.equal("", (hosts.shell(("cd '%s' && git status --porcelain"):format(clone))))
    hosts.shell(("cd '%s' && unset MAKEFLAGS MAKELEVEL && make clean"):format(clone))
    assert.is_nil(helper.read(clone .. "/lua/avepoint/core.so"))
  end)
end)
