--- Names the machine and the versions that figures come from.
-- SPDX-License-Identifier: MIT

local function first_line(command)
  local pipe = io.popen(command .. " 2>&1")
  local line = pipe:read "*l"
  pipe:close()
  return line or "unknown"
end

-- What looks like a version in the command's first line.
local function version(command)
  local line = first_line(command)
  return line:match "%d+%.%d[%w.+~-]*" or line
end

local function package(name)
  return version(("dpkg-query -W -f '${Version}' %s"):format(name))
end

return function()
  return {
    date = os.date "!%Y-%m-%d",
    cpu = first_line "sed -n 's/^model name[^:]*: //p' /proc/cpuinfo",
    cores = tonumber((first_line "nproc")),
    system = first_line "sed -n 's/^PRETTY_NAME=\"\\(.*\\)\"/\\1/p' /etc/os-release",
    load = first_line "cut -d ' ' -f 1 /proc/loadavg",
    kernel = first_line "uname -r",
    versions = {
      { "Lua", version "lua5.4 -v" }, { "LuaJIT", version "luajit -v" },
      { "libcurl", package "libcurl4" }, { "lua-cjson", package "lua-cjson" },
      { "LuaSocket", package "lua-socket" }, { "LuaSec", package "lua-sec" },
      { "lua-curl", package "lua-curl" }, { "Python", version "/usr/bin/python3 --version" },
      { "requests", package "python3-requests" }, { "curl", package "curl" },
      { "jq", package "jq" }, { "valgrind", package "valgrind" },
    },
  }
end
