-- What stands between a checkout and a build: the line that names a missing package, the paths for
-- a shell, installing.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

local function make(arguments)
  return hosts.shell(("cd %s && make --no-print-directory %s"):format(helper.top, arguments))
end

describe("#hosts a missing package", function()
  it("is named in one line, for apt, dnf and brew, before a compiler runs", function()
    -- a pkg-config that knows nothing of what is asked
    local missing = helper.temporary ".sh"
    for word, packages in pairs { libcurl = { "libcurl4-openssl-dev", "libcurl-devel", "curl" },
      ["lua5.4"] = { "liblua5.4-dev", "lua-devel", "lua" } } do
      helper.write(missing, ('#!/bin/sh\ncase "$*" in *%s*) exit 1 ;; esac\nexec pkg-config "$@"\n')
        :format(word))
      os.execute("chmod +x " .. missing)
      local said, code = make(("headers PKG_CONFIG=%s"):format(missing))
      assert.not_equal(0, code)
      local line = said:match "^[^\n]+"
      for i, tool in ipairs { "apt install", "dnf install", "brew install" } do
        assert.matches(tool .. " " .. packages[i], line, 1, true)
      end
    end
  end)

  it("for the sign-in with a certificate alone is named, and does not stop the build", function()
    local missing = helper.temporary ".sh"
    helper.write(missing, "#!/bin/sh\ncase \"$*\" in *libcrypto*) exit 1 ;; esac\n"
      .. "exec pkg-config \"$@\"\n")
    os.execute("chmod +x " .. missing)
    local said, code = make(("-n all PKG_CONFIG=%s"):format(missing))
    assert.equal(0, code, said)
    assert.matches("libssl-dev (apt), openssl-devel (dnf) or openssl (brew)", said, 1, true)
  end)
end)

describe("#hosts make env", function()
  it("prints paths in full that no host has to complete", function()
    local said, code = make "-s env LUA=lua5.4"
    assert.equal(0, code)
    assert.matches("^export LUA_PATH='" .. helper.top:gsub("%p", "%%%0") .. "/lua/%?%.lua;", said)
    assert.not_matches(";;", said, 1, true)
  end)

  it("says what to install where there is no such Lua", function()
    local said, code = make "-s env LUA=lua9.9"
    assert.not_equal(0, code)
    assert.matches("make deps LUA=lua9.9", said, 1, true)
  end)
end)

-- A folder of commands that come first on the PATH, NAME = script.
local function commands(scripts)
  local folder = helper.temporary ".bin"
  os.execute("mkdir " .. folder)
  for name, text in pairs(scripts) do
    helper.write(folder .. "/" .. name, "#!/bin/sh\n" .. text .. "\n")
  end
  hosts.shell(("chmod +x %s/*"):format(folder))
  return folder
end

-- Runs spec/support/deps with only these commands and the usual ones, but for apt's and dpkg's.
local function deps_elsewhere(scripts, words, variables)
  local folder = commands(scripts)
  hosts.shell(("cd %s && ln -s /usr/bin/* . 2>/dev/null ; rm -f apt* dpkg*"):format(folder))
  return hosts.shell(("env %s PATH=%s %s/spec/support/deps %s </dev/null"):format(variables or "",
    folder, helper.top, words))
end

describe("#hosts make deps without apt and dpkg", function()
  it("goes on if what is needed is there", function()
    local said, code = deps_elsewhere({}, "lua5.4")
    assert.equal(0, code, said)
    assert.equal("", said)
  end)

  it("says what to install, and for the demo how a container does it", function()
    local without_curl = 'case "$*" in *libcurl*) exit 1 ;; esac\nexec /usr/bin/pkg-config "$@"'
    for tool, line in pairs { dnf = "dnf install .* libcurl%-devel ",
      apk = "apk add .* curl%-dev .*lua5.4%-dev",
      pacman = "pacman %-S .* curl ", brew = "brew install .* curl " } do
      local said, code = deps_elsewhere({ ["pkg-config"] = without_curl, [tool] = "" }, "lua5.4")
      assert.equal(1, code, said)
      assert.matches("^Missing, by Debian's names: libcurl4%-openssl%-dev \n", said)
      assert.matches("\n" .. line, said)
      assert.not_matches("docker", said, 1, true)
    end
    local said = deps_elsewhere({ ["pkg-config"] = without_curl }, "lua5.4", "DEMO=1")
    assert.matches("headers of libcurl", said, 1, true)
    assert.matches('docker run --rm -it -v "$PWD":/from:ro debian:12 sh -c \'', said, 1, true)
  end)
end)

describe("#hosts make demo with a package missing", function()
  -- What deps says, and what it had apt-get do. `input`: what is typed on a terminal; nil: none.
  local function deps(variables, input)
    local log = helper.temporary ".log"
    local folder = commands { ["apt-get"] = 'echo "$@" >>' .. log,
      sudo = 'shift\nexec "$@"', ["dpkg-query"] = 'case "$*" in *nowhere*) exit 1 ;; esac\n'
      .. 'echo "install ok installed"' }
    local command = ("env %s PATH=%s:\"$PATH\" %s/spec/support/deps lua5.4 nowhere")
      :format(variables, folder, helper.top)
    if input then
      command = ("printf '%s\\n' | script -qec '%s' /dev/null"):format(input, command)
    else
      command = command .. " </dev/null"
    end
    local said, code = hosts.shell("{ " .. command .. "; }")
    return said, code, helper.read(log) or ""
  end

  it("asks on a terminal before it installs", function()
    local said, code, done = deps("DEMO=1", "n")
    assert.equal(1, code, said)
    assert.matches("Missing packages: nowhere", said, 1, true)
    assert.matches("Install them? [y/N]", said, 1, true)
    assert.matches("docker run", said, 1, true)
    assert.equal("", done)
    said, code, done = deps("DEMO=1", "y")
    assert.equal(0, code, said)
    assert.matches("install -y --no-install-recommends --no-remove nowhere", done, 1, true)
  end)

  it("does not ask with YES=1, without a terminal, or for the tests", function()
    for _, case in ipairs { { "DEMO=1 YES=1", "n" }, { "DEMO=1" }, { "", "n" } } do
      local said, code, done = deps(case[1], case[2])
      assert.equal(0, code, said)
      assert.not_matches("[y/N]", said, 1, true)
      assert.matches("remove nowhere", done, 1, true)
    end
  end)
end)

describe("#hosts make uninstall", function()
  it("removes exactly what install has put there", function()
    local root = helper.temporary ".root"
    os.execute(("mkdir -p %s/pre/lib/lua/5.4/avepoint && touch %s/pre/lib/lua/5.4/other.so "
      .. "%s/pre/lib/lua/5.4/avepoint/mine.so"):format(root, root, root))
    local function listed() return hosts.shell(("cd %s && find . -type f | sort"):format(root)) end
    local before = listed()
    local where = ("LUA=lua5.4 DESTDIR=%s PREFIX=/pre"):format(root)
    assert.equal(0, select(2, make("install " .. where)))
    assert.matches("share/lua/5.4/avepoint/init.lua", listed(), 1, true)
    assert.matches("lib/lua/5.4/avepoint/core.so", listed(), 1, true)
    local said, code = make("uninstall " .. where)
    assert.equal(0, code, said)
    assert.equal(before, listed())
    assert.is_nil(helper.read(root .. "/pre/share/lua/5.4/avepoint/init.lua"))
    assert.equal("", (hosts.shell("ls " .. root .. "/pre/share/lua/5.4")))
  end)
end)

describe("#hosts make help", function()
  it("lists each target once, in groups, and the variables", function()
    local said = make "help"
    for line in helper.read(helper.top .. "/Makefile"):gmatch "[^\n]+" do
      local name = line:match "^([a-z][a-z-]*):.*## "
      if name then
        local times = select(2, said:gsub("\n  " .. name:gsub("%-", "%%-") .. " ", ""))
        assert.equal(1, times, name)
      end
    end
    for _, title in ipairs { "Use", "Check", "Measure", "Project", "Variables" } do
      assert.matches("\n" .. title .. "\n", "\n" .. said, 1, true)
    end
  end)
end)

describe("#hosts the version", function()
  it("stands in one place", function()
    local header = helper.read(helper.top .. "/src/core/ground/version.h")
    local version = header:match 'AVP_VERSION "(.-)"'
    local said = hosts.shell(("cd %s && git grep -lF '%s' -- src lua Makefile '*.rockspec'"):format(
      helper.top, version))
    assert.equal("src/core/ground/version.h\n", said)
  end)
end)
