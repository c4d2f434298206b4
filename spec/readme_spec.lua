-- Every code block of the README, and every Lua block of doc/: run, or held against what runs it
-- elsewhere. Lua blocks that do not make their own client get one; the placeholders "..." are the
-- simulator's credentials here.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

-- A page's blocks: language, text, the comment before it, and the heading that it stands under.
local function blocks(page)
  local list, heading, mark, block = {}, nil, nil, nil
  for line in io.lines(helper.top .. "/" .. page) do
    local fence = line:match "^```(.*)$"
    if block and fence then
      list[#list + 1], block, mark = block, nil, nil
    elseif block then
      block.text = block.text .. line .. "\n"
    elseif fence then
      block = { language = fence, text = "", heading = heading, mark = mark }
    elseif line:match "^#" then
      heading = line:match "^#+ (.*)$"
    elseif line:match "^<!%-%-" then
      mark = line:match "^<!%-%- (.*) %-%->$"
    end
  end
  return list
end

local function scenario()
  return helper.scenario { customers = 43, token = { client_id = "...", client_secret = "..." } }
end

local function environment(id)
  return helper.environment(id, { AVEPOINT_CLIENT_ID = "...", AVEPOINT_CLIENT_SECRET = "..." })
end

local PREAMBLE = [[
  local avepoint = require "avepoint"
  local client = avepoint.client { client_id = "...", client_secret = "..." }
]]

-- What 5.4 alone understands.
local function needs_54(text)
  return text:find("<close>", 1, true) ~= nil
end

local seen = {}

-- Lines of sh blocks that need a machine of their own, and what runs them there. All others run
-- here, in a clone.
local ELSEWHERE = {
  ["make deps"] = "make test calls it; .ci/run",
  ["make demo"] = "the first step of a fresh machine; .ci/run",
  ["make test"] = "what is running now; .ci/run",
  ["sudo make install"] = "make install is run below, without sudo",
  ["luarocks"] = "make rock; .ci/run",
  ["make simulator"] = "runs until Ctrl-C; spec/support/run-specs starts the same",
  ["export AVEPOINT_CLIENT"] = "placeholders",
}

-- Runs a block in a folder of its own; gives the folder and what was said, the exit code last.
local function run(text)
  local folder = helper.temporary ".folder"
  os.execute("mkdir -p " .. folder)
  local script = helper.temporary ".lua"
  helper.write(script, text:find('require "avepoint"', 1, true) and text or PREAMBLE .. text)
  local words = {}
  for name, value in pairs(environment(scenario())) do
    words[#words + 1] = ("%s='%s'"):format(name, value)
  end
  local pipe = io.popen(("cd %s && env %s %s %s 2>&1; echo \"exit $?\""):format(folder,
    table.concat(words, " "), helper.lua, script))
  local out = pipe:read "*a"
  pipe:close()
  return folder, out
end

describe("the Lua of", function()
  for _, page in ipairs { "README.md", "doc/lists.md" } do
    for i, block in ipairs(blocks(page)) do
      if block.language == "lua" and not block.mark
        and (_VERSION == "Lua 5.4" or not needs_54(block.text)) then
        it(("%s runs: block %d, under %s"):format(page, i, block.heading), function()
          local folder, out = run(block.text)
          assert.matches("exit 0\n$", out)
          assert.is_true(#out > #"exit 0\n" or helper.read(folder .. "/attention.txt") ~= nil
            or block.text:find("table.insert", 1, true) ~= nil, "it does nothing")
        end)
      end
    end
  end
end)

describe("#hosts the README's lines for the shell", function()
  local clone = helper.temporary ".clone"

  setup(function()
    local said, code = hosts.shell(("git clone -q %s %s && mkdir %s/build && "
      .. "ln -s %s/build/simulator %s/build/simulator"):format(helper.top, clone, clone, helper.top,
      clone))
    assert(code == 0, said)
  end)

  it("run, in their order, from a certificate to a listing with it", function()
    local lines = { "set -e", "cd " .. clone }
    for name, value in pairs(helper.environment(helper.scenario { customers = 43 })) do
      lines[#lines + 1] = ("export %s='%s'"):format(name, value)
    end
    lines[#lines + 1] = ("export SIMULATOR_DIR='%s'"):format(helper.directory)
    for _, block in ipairs(blocks "README.md") do
      if block.language == "sh" then
        local continued = false
        for line in block.text:gmatch "[^\n]+" do
          local elsewhere = continued
          for start in pairs(ELSEWHERE) do
            if line:sub(1, #start) == start then
              seen[start], elsewhere = true, true
            end
          end
          continued = elsewhere and line:match "\\$" ~= nil
          if not elsewhere then
            lines[#lines + 1] = line
          end
        end
      end
    end
    local script = helper.temporary ".sh"
    helper.write(script, table.concat(lines, "\n") .. "\n")
    local said, code = hosts.shell("sh " .. script)
    assert.equal(0, code, said)
    assert.matches("ok +list +43 customers", said) -- the doctor
    assert.matches("43 customers, by status", said) -- examples/customers.lua, with the certificate
    for start in pairs(ELSEWHERE) do
      assert.is_true(seen[start], "the README has no such line: " .. start)
    end
  end)

  it("install where an interpreter finds it", function()
    local root = helper.temporary ".root"
    local said, code = hosts.shell(("cd %s && make install LUA=lua5.4 DESTDIR=%s PREFIX=/usr")
      :format(clone, root))
    assert.equal(0, code, said)
    local out = hosts.shell(("cd / && LUA_PATH='%s/usr/share/lua/5.4/?.lua;"
      .. "%s/usr/share/lua/5.4/?/init.lua;;' LUA_CPATH='%s/usr/lib/lua/5.4/?.so;;' lua5.4 -e "
      .. "'print(require(\"avepoint\")._VERSION, require(\"avepoint.sign\"))'"):format(root, root,
      root))
    assert.matches("^avepoint %d", out)
  end)
end)

describe("#hosts the README's blocks for hosts", function()
  it("run in Neovim", function()
    local found = 0
    for _, block in ipairs(blocks "README.md") do
      if block.mark == "neovim" then
        found = found + 1
        local variables = {}
        for name, value in pairs(environment(scenario())) do
          variables[#variables + 1] = ("vim.env.%s = %q\n"):format(name, value)
        end
        local text = block.text:gsub("end%)%s*$", [[
          finish(unpack(vim.api.nvim_buf_get_lines(0, 0, -1, false)))
        end)]])
        local lines = hosts.nvim(table.concat(variables) .. text)
        assert.equal(1 + 5, #lines, table.concat(lines, "\n")) -- the buffer's own line before
      end
    end
    assert.equal(1, found)
  end)

  it("run in LuaJIT, with poll(2)", function()
    for _, block in ipairs(blocks "README.md") do
      if block.mark == "luajit" then
        local script = helper.temporary ".lua"
        helper.write(script, block.text)
        local words = {}
        for name, value in pairs(environment(scenario())) do
          words[#words + 1] = ("%s='%s'"):format(name, value)
        end
        local said, code = hosts.shell(("cd %s && eval \"$(make -s env LUA=luajit)\" && "
          .. "env %s luajit %s"):format(helper.top, table.concat(words, " "), script))
        assert.equal("43\n", said)
        assert.equal(0, code)
        return
      end
    end
    error "the README has no block for LuaJIT"
  end)

  it("are the same in Neovim's help", function()
    local help = assert(helper.read(helper.top .. "/examples/nvim/doc/avepoint.txt"))
    for _, block in ipairs(blocks "README.md") do
      if block.mark == "neovim, lazy" then
        for line in block.text:gmatch "[^\n]+" do
          if not line:find("url =", 1, true) then
            assert.matches(line:match "^%s*(.-)%s*$", help, 1, true)
          end
        end
        return
      end
    end
    error "the README has no block for lazy.nvim"
  end)

  it("run in nginx", function()
    for _, block in ipairs(blocks "README.md") do
      if block.language == "nginx" then
        local id = scenario()
        local http = assert(block.text:match "lua_shared_dict[^\n]+")
        local server = assert(block.text:match "(location = .*\n    })")
        local init = assert(block.text:match "init_by_lua_block[^\n]+")
        init = init:gsub("token_store =", (("base_url = %q, token_url = %q, ca_file = %q, "
          .. "client_id = '...', client_secret = '...', token_store ="):format(helper.urls(id),
          select(2, helper.urls(id)), helper.ca_file):gsub("%%", "%%%%")))
        local nginx = hosts.nginx { http = http .. "\n" .. init, server = server }
        finally(nginx.stop)
        local _, failed = nginx.get("/failed"):gsub("\n", "")
        assert.equal(5, failed)
        return
      end
    end
    error "the README has no block for nginx"
  end)
end)
