-- A token store for the processes of one user on one machine: they sign in once, not each of them.
-- Tokens lie in files that only this user can read (mode 600). Copy `store` into your program.
--
--     lua examples/tokens.lua                  tokens lie in ~/.cache/avepoint
--     lua examples/tokens.lua /run/me/tokens   or in this folder
--
-- It needs a shell and flock(1) (Linux: util-linux). Processes of several machines need a store
-- that they share; write get, put and lock for it.
-- Exit codes: 0 listed, 1 failed.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function store(folder)
  os.execute("umask 077 && mkdir -p " .. quoted(folder))
  local function name_of(key) return folder .. "/" .. key:gsub("[^%w]", "-") end
  local tokens = {}

  function tokens.get(_, key)
    local file = io.open(name_of(key), "rb")
    if not file then return nil end
    local value = file:read "*a"
    file:close()
    return value -- one that has expired is passed over by the library
  end

  -- Written beside and renamed, so that nobody reads half of it; $$ is the shell's process.
  function tokens.put(_, key, value)
    local name = quoted(name_of(key))
    local pipe = assert(io.popen(("umask 077 && cat >%s.$$ && mv -f %s.$$ %s"):format(name, name,
      name), "w"))
    pipe:write(value)
    pipe:close()
  end

  -- `sleep` holds the lock. It ends when we unlock, or after these seconds if we have died.
  function tokens.lock(_, key, seconds)
    local pipe = assert(io.popen(("umask 077; exec flock -n %s sh -c 'echo $$; exec sleep %d'")
      :format(quoted(name_of(key) .. ".lock"), seconds)))
    local pid = pipe:read "*l"
    return pid and function() -- nil: another process has the lock
      os.execute("kill " .. pid)
      pipe:close()
    end
  end

  return tokens
end

local folder = arg[1] or (os.getenv "HOME" or ".") .. "/.cache/avepoint"
local ok, err = pcall(function()
  local client = avepoint.client { token_store = store(folder) }
  avepoint.show(client:customers({ on_progress = avepoint.progress() }):count_by "jobStatus")
end)
if not ok then io.stderr:write(tostring(err), "\n") end
os.exit(ok and 0 or 1)
