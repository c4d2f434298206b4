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

describe("#hosts the version", function()
  it("stands in one place", function()
    local header = helper.read(helper.top .. "/src/core/ground/version.h")
    local version = header:match 'AVP_VERSION "(.-)"'
    local said = hosts.shell(("cd %s && git grep -lF '%s' -- src lua Makefile '*.rockspec'"):format(
      helper.top, version))
    assert.equal("src/core/ground/version.h\n", said)
  end)
end)
