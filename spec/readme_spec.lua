-- Every code block of the README and of doc/ is run as it stands, with the credentials in the
-- environment and without anything before it; the placeholders "..." are the simulator's
-- credentials. A comment before a block says what is special about it:
--
--     <!-- output -->      the block is what the Lua before it prints
--     <!-- exits N -->     the program ends with this code
--     <!-- luv -->         needs luv; <!-- luajit --> needs LuaJIT
--     <!-- neovim, ... --> is for Neovim: spec/nvim_install_spec.lua runs those of doc/neovim.md
--     <!-- simulator -->   lines of a shell that need `make simulator`
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")
local pages = dofile(helper.top .. "/spec/support/pages.lua")

local LISTED = {} -- all pages but the measured one, and what needs no reader
for _, page in ipairs(pages.all()) do
  if page ~= "doc/performance.md" and page ~= "CHANGELOG.md" and not page:find "^spec/" then
    LISTED[#LISTED + 1] = page
  end
end

local function scenario()
  return helper.scenario { customers = 137, token = { client_id = "...", client_secret = "..." } }
end

local function environment(id)
  return helper.environment(id, { AVEPOINT_CLIENT_ID = "...", AVEPOINT_CLIENT_SECRET = "..." })
end

local function exports(variables)
  local words = {}
  for name, value in pairs(variables) do
    words[#words + 1] = ("%s='%s'"):format(name, value)
  end
  return table.concat(words, " ")
end

-- Runs a block in a folder of its own with an interpreter. Returns what it printed, its exit code,
-- and whether it left a file there.
local function run(block, lua)
  local folder, script = helper.temporary ".folder", helper.temporary ".lua"
  os.execute("mkdir -p " .. folder)
  helper.write(script, block.text)
  local out = helper.temporary ".out"
  os.execute(("cd %s && env %s %s %s >%s 2>&1 </dev/null; echo $? >%s.code"):format(folder,
    exports(environment(scenario())), lua, script, out, out))
  local files = hosts.shell("ls " .. folder)
  return helper.read(out), tonumber(helper.read(out .. ".code")), files ~= ""
end

local runs_here = {} -- what else than a Lua that is at hand a block's mark asks for
runs_here["luv"] = _VERSION ~= "Lua 5.1" -- its loop has no generic for

-- Whether this Lua runs the block.
local function is_for_us(block)
  local mark = block.mark or ""
  return block.language == "lua" and (mark == "" or mark:find "^exits %d" or runs_here[mark])
    and (_VERSION == "Lua 5.4" or not block.text:find("<close>", 1, true))
end

describe("the Lua of", function()
  for _, block in ipairs(pages.blocks(LISTED, is_for_us)) do
    it(("%s runs: block %d, under %s"):format(block.page, block.number, block.heading), function()
      local said, code, wrote = run(block, helper.lua)
      assert.equal(tonumber((block.mark or ""):match "^exits (%d)") or 0, code, said)
      assert.is_true(said ~= "" or wrote, "it does nothing")
      local after = (pages.read(block.page))[block.number + 1]
      if after and after.mark == "output" then
        assert.equal(after.text, said)
      end
    end)
  end
end)

-- Lines of sh blocks that need a machine of their own, and what runs them there. All others run
-- here, in a clone, one page after the other.
local ELSEWHERE = {
  ["make deps"] = "make test calls it; .ci/run",
  ["make demo"] = "the first step of a fresh machine; .ci/run",
  ["make test"] = "what is running now; .ci/run",
  ["sudo make"] = "make install is run below, without sudo",
  ["luarocks"] = "make rock; .ci/run",
  ["export AVEPOINT_CLIENT"] = "placeholders",
  ["lua5.1 "] = "spec/doctor_spec.lua",
  [". build/simulator-run/env"] = "exported here",
}

local ORDER = { "README.md", "doc/install.md", "doc/sign-in.md", "doc/troubleshooting.md" }

describe("#hosts the lines for the shell", function()
  local clone = helper.temporary ".clone"

  setup(function()
    local said, code = hosts.shell(("git clone -q %s %s && mkdir %s/build && "
      .. "ln -s %s/build/simulator %s/build/simulator"):format(helper.top, clone, clone, helper.top,
      clone))
    assert(code == 0, said)
  end)

  it("run, in their order, from building to a listing with a certificate", function()
    local lines, seen = { "set -e", "cd " .. clone }, {}
    for name, value in pairs(helper.environment(helper.scenario { customers = 43 })) do
      lines[#lines + 1] = ("export %s='%s'"):format(name, value)
    end
    lines[#lines + 1] = ("export SIMULATOR_DIR='%s'"):format(helper.directory)
    local function is_sh(block)
      return block.language == "sh"
    end
    for _, block in ipairs(pages.blocks(ORDER, is_sh)) do
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
    local script = helper.temporary ".sh"
    helper.write(script, table.concat(lines, "\n") .. "\n")
    local said, code = hosts.shell("sh " .. script)
    assert.equal(0, code, said)
    assert.matches("ok +list +43 customers", said) -- the doctor
    assert.matches("43 customers, by status", said) -- examples/customers.lua, with the certificate
    for start in pairs(ELSEWHERE) do
      assert.is_true(seen[start], "no page has such a line: " .. start)
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

-- The blocks with a mark; there is at least one.
local function marked(mark)
  local list = pages.blocks(LISTED, function(block)
    return block.mark == mark
  end)
  assert.is_true(#list > 0, "no page has a block for " .. mark)
  return list
end

describe("#hosts the blocks for hosts", function()
  it("run in LuaJIT, with poll(2)", function()
    for _, block in ipairs(marked "luajit") do
      local said, code = run(block, ("sh -c 'eval \"$(make -s -C %s env LUA=luajit)\" && "
        .. "exec luajit \"$0\"'"):format(helper.top))
      assert.equal("137\n", said)
      assert.equal(0, code)
    end
  end)

  it("for lazy.nvim are the same on all pages; spec/nvim_install_spec.lua runs one", function()
    local list = marked "neovim, lazy"
    assert.is_true(#list > 1)
    for _, block in ipairs(list) do
      assert.equal(list[1].text, block.text)
    end
  end)

  it("run in nginx", function()
    local list = pages.blocks(LISTED, function(block)
      return block.language == "nginx" and block.text:find("/failed", 1, true)
    end)
    assert.equal(1, #list)
    local text, id = list[1].text, scenario()
    local http = assert(text:match "lua_shared_dict[^\n]+")
    local server = assert(text:match "(location = .*\n    })")
    local init = assert(text:match "init_by_lua_block[^\n]+")
    init = init:gsub("token_store =", (("base_url = %q, token_url = %q, ca_file = %q, "
      .. "client_id = '...', client_secret = '...', token_store ="):format(helper.urls(id),
      select(2, helper.urls(id)), helper.ca_file):gsub("%%", "%%%%")))
    local nginx = hosts.nginx { http = http .. "\n" .. init, server = server }
    finally(nginx.stop)
    local _, failed = nginx.get("/failed"):gsub("\n", "")
    assert.equal(14, failed)
  end)
end)
