--- Names the machine and the versions that figures come from.
-- SPDX-License-Identifier: MIT

local function first_line(command)
  local pipe = io.popen(command .. " 2>&1")
  local line = pipe:read "*l"
  pipe:close()
  return line or "unknown"
end

local function version(package)
  return first_line(("dpkg-query -W -f '${Version}' %s"):format(package))
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
      { "Lua", first_line "lua5.4 -v" }, { "LuaJIT", first_line "luajit -v" },
      { "curl", first_line "curl --version" }, { "lua-cjson", version "lua-cjson" },
      { "LuaSocket", version "lua-socket" }, { "LuaSec", version "lua-sec" },
      { "lua-curl", version "lua-curl" }, { "Python", first_line "python3 --version" },
      { "requests", version "python3-requests" }, { "jq", first_line "jq --version" },
      { "valgrind", first_line "valgrind --version" },
    },
  }
end
