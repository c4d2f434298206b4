-- doc/neovim.md and Neovim's help: their blocks do what they say, from a clean clone on.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")
local window = dofile(helper.top .. "/spec/support/window.lua")

local page = assert(helper.read(helper.top .. "/doc/neovim.md"))

local function block(name)
  local text = page:match("<!%-%- neovim, " .. name .. " %-%->\n```%l+\n(.-)```")
  return assert(text, "doc/neovim.md has no block " .. name)
end

-- A home that has the package as the page tells to make it, or nil without git.
local home = helper.temporary ".home"
local clone = home .. "/.local/share/nvim/site/pack/avepoint/start/avepoint-lua"
local CLEAN = "unset MAKEFLAGS MAKELEVEL MFLAGS LUA LUA_PATH LUA_CPATH && "

local function has_clone()
  if helper.read(clone .. "/Makefile") then
    return true
  end
  pending "not a git checkout"
  return false
end

setup(function()
  local head = io.open(helper.top .. "/.git")
  if head then
    head:close()
    local text = block("package"):gsub("https?://%S+", helper.top)
    local said, code = hosts.shell(("mkdir -p '%s' && export HOME='%s' && %s set -e\n%s"):format(
      home, home, CLEAN, text))
    assert(code == 0, said)
  end
end)

-- Runs a script in a Neovim of that home, after its init.lua.
local function run(init, script, environment)
  local out, init_file, path = helper.temporary ".out", home .. "/init.lua", helper.temporary ".lua"
  helper.write(init_file, init)
  helper.write(path, ([[
    local function finish(...)
      vim.fn.writefile(vim.tbl_map(tostring, { ... }), %q)
      vim.cmd "qa!"
    end
    %s
    local ok, err = pcall(function() %s end)
    if not ok then finish("failed", err) end
  ]]):format(out, window.prelude, script))
  local words = { "env -u LUA_PATH -u LUA_CPATH -u XDG_DATA_HOME -u XDG_CONFIG_HOME HOME=" .. home }
  for name, value in pairs(environment or {}) do
    words[#words + 1] = ("%s='%s'"):format(name, value)
  end
  local said = hosts.shell(("%s timeout 60 nvim --headless -u %s -i NONE -n -c 'luafile %s' "
    .. "</dev/null"):format(table.concat(words, " "), init_file, path))
  local lines = {}
  for line in (helper.read(out) or said .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

describe("#hosts the package of doc/neovim.md", function()
  it("has commands, help and the health check, and lists", function()
    if not has_clone() then
      return
    end
    local lines = run(block "init", [[
      vim.cmd "help :AvepointFailed"
      local help = vim.api.nvim_get_current_line()
      vim.cmd "helpclose"
      vim.cmd "checkhealth avepoint"
      local health = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), " ")
      vim.cmd "AvepointCustomers japan"
      once("done", function()
        finish(help, health:match "list: 120 customers", status(), package.loaded.avepoint ~= nil)
      end)
    ]], helper.environment(helper.scenario { customers = 120 }))
    assert.matches("*:AvepointFailed*", lines[1], 1, true)
    assert.equal("list: 120 customers", lines[2])
    assert.matches("^120 of 120 customers, %d+ shown, done", lines[3])
    assert.equal("true", lines[4])
  end)

  it("signs in with the secret that a function of the settings gets", function()
    if not has_clone() then
      return
    end
    local pass = home .. "/bin/pass"
    hosts.shell(("mkdir -p %s/bin && printf '#!/bin/sh\necho secret-of-$1\n' >%s && chmod +x %s")
      :format(home, pass, pass))
    local environment = helper.environment(helper.scenario { customers = 5,
      token = { client_id = "...", client_secret = "secret-of-avepoint" } }, { AVEPOINT_CLIENT_ID =
      "another" })
    environment.AVEPOINT_CLIENT_SECRET = nil
    environment.PATH = home .. "/bin:" .. os.getenv "PATH"
    local lines = run(block "setup", [[
      vim.cmd "AvepointCustomers"
      once("done", function() finish(status()) end)
    ]], environment)
    assert.matches("^5 of 5 customers, done", lines[1])
  end)

  it("is left clean by `make plugin` and `make clean`, and nothing of it is installed", function()
    if not has_clone() then
      return
    end
    local prefix = helper.temporary ".prefix"
    local said, code = hosts.shell(("cd '%s' && %s make install LUA=luajit PREFIX='%s'")
      :format(clone, CLEAN, prefix))
    assert(code == 0, said)
    assert.is_nil(helper.read(prefix .. "/share/lua/5.1/avepoint/core.so"))
    assert.is_string(helper.read(prefix .. "/share/lua/5.1/avepoint/nvim/init.lua"))
    assert.is_string(helper.read(prefix .. "/lib/lua/5.1/avepoint/core.so"))
    assert.equal("", (hosts.shell(("cd '%s' && git status --porcelain"):format(clone))))
    local copy = helper.temporary ".copy"
    hosts.shell(("cp -R '%s' '%s' && cd '%s' && %s make clean"):format(clone, copy, copy, CLEAN))
    assert.is_nil(helper.read(copy .. "/lua/avepoint/core.so"))
    assert.is_nil(helper.read(copy .. "/doc/tags"))
  end)

  it("refuses to be built with a Lua that Neovim does not have", function()
    if not has_clone() then
      return
    end
    local said, code = hosts.shell(("cd '%s' && %s make plugin LUA=lua5.4"):format(clone, CLEAN))
    assert.matches("leave out LUA=lua5.4", said, 1, true)
    assert.not_equal(0, code)
  end)
end)

-- lazy.nvim itself is not at hand in the tests; what it does with a block is done here.
describe("#hosts the block for lazy.nvim", function()
  it("builds, and sets up and lists when one of its commands is used", function()
    if not has_clone() then
      return
    end
    local text = block "lazy"
    local spec = assert((loadstring or load)("return " .. text))()
    local folder = helper.temporary ".lazy"
    local said, code = hosts.shell(("cp -R '%s' '%s' && cd '%s' && rm -f lua/avepoint/*.so "
      .. "doc/tags && %s %s"):format(clone, folder, folder, CLEAN, spec.build))
    assert(code == 0, said)
    local lines = hosts.nvim(window.prelude .. ([[
      local folder, spec = %q, %s
      for _, name in ipairs(spec.cmd) do -- a command that loads the plugin and is called again
        vim.api.nvim_create_user_command(name, function(command)
          for _, stub in ipairs(spec.cmd) do vim.api.nvim_del_user_command(stub) end
          vim.opt.runtimepath:append(folder)
          -- without `main`, the module of lua/ whose name is the plugin's
          require(spec.main or "avepoint").setup(spec.opts)
          vim.cmd(name .. " " .. command.args)
        end, { nargs = "*" })
      end
      local loaded = package.loaded["avepoint.nvim"]
      vim.cmd "AvepointCustomers japan"
      once("done", function()
        vim.cmd "help :AvepointFailed"
        finish(loaded, status(), vim.fn.exists ":AvepointCancel", vim.api.nvim_get_current_line())
      end)
    ]]):format(folder, text), {
      runtimepath = {},
      environment = helper.environment(helper.scenario { customers = 120 }),
    })
    assert.equal("nil", lines[1])
    assert.matches("^120 of 120 customers, %d+ shown, done", lines[2])
    assert.equal("2", lines[3])
    assert.matches("*:AvepointFailed*", lines[4], 1, true)
  end)
end)

describe("#hosts code of your own", function()
  it("runs as a task, into a buffer", function()
    local lines = hosts.nvim(window.prelude .. block "task" .. [[
      when(function() return task.done end, function()
        finish(unpack(vim.api.nvim_buf_get_lines(0, 1, -1, false)))
      end)
    ]], { environment = helper.environment(helper.scenario { customers = 43 }) })
    assert.equal(5, #lines, table.concat(lines, "\n"))
  end)

  it("runs outside a task", function()
    local lines = hosts.nvim([[
      local print = function(text) finish(text) end
    ]] .. block "main", { environment = helper.environment(helper.scenario { customers = 43 }) })
    assert.same({ "5 customers failed" }, lines)
  end)
end)

describe("Neovim's help", function()
  local help = assert(helper.read(helper.top .. "/doc/avepoint.txt"))

  it("has the same blocks as doc/neovim.md", function()
    for _, name in ipairs { "lazy", "package", "init", "setup", "task" } do
      local text = block(name):gsub("([^\n]+)", "    %1")
      assert.is_truthy(help:find(text, 1, true), "the help has another block " .. name)
    end
  end)

  it("tells each command, key and setting", function()
    for _, command in ipairs { "Customers", "Failed", "Cancel" } do
      assert.is_truthy(help:find("*:Avepoint" .. command .. "*", 1, true), command)
      assert.is_truthy(page:find("`:Avepoint" .. command, 1, true), command)
    end
    local actions = helper.read(helper.top .. "/lua/avepoint/nvim/actions.lua")
    for keys in actions:gmatch "{ keys = { (.-) }" do
      for key in keys:gmatch '"(.-)"' do
        assert.is_truthy(help:find("\n    " .. key .. "  ", 1, true)
          or help:find("  " .. key .. "  ", 1, true), "the help lacks the key " .. key)
        assert.is_truthy(page:find("`" .. key .. "`", 1, true), "the page lacks the key " .. key)
      end
    end
    for _, setting in ipairs { "client", "listing", "width", "height" } do
      assert.is_truthy(help:find("\n    " .. setting .. "  ", 1, true), setting)
    end
  end)
end)
