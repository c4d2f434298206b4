--- What all specs share: scenarios of the simulator, clients for them, journals, child processes.
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"
local luassert = require "luassert"

-- luv must stay loaded from here on: busted forgets after each file what the
-- file has loaded, and luv crashes where it is loaded again after its loop was collected (its issue
-- 819).
require "luv"

local helper = {}

helper.directory = assert(os.getenv "SIMULATOR_DIR", "run the specs through make spec or make test")
helper.ca_file = os.getenv "SIMULATOR_CA_FILE"
helper.client_id = "demo-client"
helper.client_secret = "demo-secret"
helper.lua = os.getenv "AVP_LUA" or "lua"
helper.top = os.getenv "AVP_TOP" or "."

helper.ports = {
  https = os.getenv "SIMULATOR_HTTPS_PORT", -- TLS, HTTP/1.1 and HTTP/2
  http1 = os.getenv "SIMULATOR_HTTP1_PORT", -- TLS, HTTP/1.1 only
  http = os.getenv "SIMULATOR_HTTP_PORT", -- plain
  untrusted = os.getenv "SIMULATOR_UNTRUSTED_PORT",
}

local count = 0

--- Writes a file.
function helper.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

--- Reads a file, or gives nil where there is none.
function helper.read(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local text = file:read "*a"
  file:close()
  return text
end

--- A path for a file of this run that is removed with it.
function helper.temporary(suffix)
  count = count + 1
  return ("%s/temporary-%d%s"):format(helper.directory, count, suffix or "")
end

--- Makes a scenario of the simulator (see its README) and gives its id. Each is used once.
function helper.scenario(fields)
  count = count + 1
  local id = ("spec-%d-%s"):format(count, tostring(fields):gsub("[^%x]", ""))
  local text = type(fields) == "string" and fields or cjson.encode(fields)
  helper.write(("%s/scenarios/%s.json"):format(helper.directory, id), text)
  return id
end

--- The URLs of a scenario. `port` is a name of helper.ports, "https" where it is left out.
function helper.urls(id, port)
  port = port or "https"
  local base = ("%s://localhost:%s/~%s"):format(port == "http" and "http" or "https",
    helper.ports[port], id)
  return base, base .. "/connect/token"
end

--- The options of a client for a scenario; `more` overrides them, and `more.port` names the port.
function helper.options(id, more)
  local base, token = helper.urls(id, more and more.port)
  local options = {
    base_url = base,
    token_url = token,
    ca_file = helper.ca_file,
    client_id = helper.client_id,
    client_secret = helper.client_secret,
  }
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  options.port = nil
  if options.access_token or options.client_assertion or options.certificate then
    options.client_secret = nil -- credentials are of one kind
  end
  -- A question to a function is asked again after a minute if no answer came. Where one is lost, a
  -- spec is to fail, not to pass late.
  for _, name in ipairs { "client_secret", "access_token", "client_assertion", "token_store" } do
    if type(options[name]) == "function" or name == "token_store" and options[name] then
      options.deadline = options.deadline or 50
    end
  end
  return options
end

--- A client of a new scenario, and the scenario's id.
function helper.client(fields, more)
  local avepoint = require "avepoint"
  local id = helper.scenario(fields)
  return avepoint.client(helper.options(id, more)), id
end

--- The requests that a scenario has seen, oldest first. `path` keeps only those whose path ends so.
function helper.journal(id, path)
  local text = helper.read(("%s/journal/%s.jsonl"):format(helper.directory, id)) or ""
  local lines = {}
  for line in text:gmatch "([^\n]+)\n" do -- the last one may be in the writing
    local entry = cjson.decode(line)
    if not path or entry.path:sub(-#path) == path then
      lines[#lines + 1] = entry
    end
  end
  return lines
end

--- What f raises: an error object, or a text. Raises where f does not.
function helper.error_of(f, ...)
  local ok, err = pcall(f, ...)
  if ok then
    error("no error was raised", 2)
  end
  return err
end

--- The ids of a list of customers, in its order.
function helper.ids(list)
  local ids = {}
  for i, customer in ipairs(list) do
    ids[i] = customer.id
  end
  return ids
end

--- How many different ids a list of customers has.
function helper.distinct(list)
  local seen, n = {}, 0
  for _, customer in ipairs(list) do
    if not seen[customer.id] then
      seen[customer.id] = true
      n = n + 1
    end
  end
  return n
end

--- The page numbers that a scenario was asked for, oldest first.
function helper.pages(id)
  local pages = {}
  for _, entry in ipairs(helper.journal(id)) do
    if entry.path:find("/customers", 1, true) then
      pages[#pages + 1] = tonumber(entry.args.pageIndex)
    end
  end
  return pages
end

--- Pulls everything, going on after each error; gives the ids and how many errors there were.
function helper.pull_all(listing, thrown)
  local ids, errors = {}, 0
  while true do
    local ok, customer = pcall(listing)
    if not ok then
      luassert.equal(thrown, customer)
      errors = errors + 1
      luassert.is_true(errors < 100)
    elseif customer == nil then
      return ids, errors
    else
      ids[#ids + 1] = customer
    end
  end
end

--- All that a value shows when it is printed or looked into: for the search for secrets.
function helper.everything(value, seen)
  seen = seen or {}
  local parts = { tostring(value) }
  if type(value) == "table" and not seen[value] then
    seen[value] = true
    for k, v in next, value do -- a listing refuses pairs
      parts[#parts + 1] = helper.everything(k, seen) .. "=" .. helper.everything(v, seen)
    end
  end
  return table.concat(parts, " ")
end

--- The exports by which a child process uses a scenario; `more` adds to them or takes away (false).
function helper.environment(id, more)
  local base, token = helper.urls(id)
  local environment = {
    AVEPOINT_BASE_URL = base,
    AVEPOINT_TOKEN_URL = token,
    AVEPOINT_CA_FILE = helper.ca_file,
    AVEPOINT_CLIENT_ID = helper.client_id,
    AVEPOINT_CLIENT_SECRET = helper.client_secret,
  }
  for name, value in pairs(more or {}) do
    environment[name] = value or nil
  end
  return environment
end

--- Runs the interpreter under test with these arguments (one text). `environment` are variables to
-- set. Gives its output, both streams together, and its exit code.
function helper.run_with(arguments, environment)
  local out = helper.temporary ".out"
  local words = { "env" }
  for name, value in pairs(environment or {}) do
    words[#words + 1] = ("%s='%s'"):format(name, (tostring(value):gsub("'", "'\\''")))
  end
  words[#words + 1] = ("%s %s >%s 2>&1 </dev/null; echo $? >%s.code"):format(helper.lua, arguments,
    out, out)
  os.execute(table.concat(words, " "))
  return helper.read(out), tonumber(helper.read(out .. ".code"))
end

--- Runs a script with the interpreter under test; as run_with.
function helper.run(script, environment)
  local path = helper.temporary ".lua"
  helper.write(path, script)
  return helper.run_with(path, environment)
end

--- Runs a script with the interpreter under test on a pseudo-terminal of so many columns; as
-- run_with, but for line ends as they are elsewhere.
function helper.run_on_terminal(script, columns, environment)
  local path, out = helper.temporary ".lua", helper.temporary ".out"
  helper.write(path, script)
  local words = { ("stty cols %d rows 24; exec env"):format(columns), "-u COLUMNS TERM=xterm" }
  for name, value in pairs(environment or {}) do
    words[#words + 1] = ("%s=\"%s\""):format(name, value)
  end
  words[#words + 1] = ("%s %s"):format(helper.lua, path)
  -- under a sanitizer `script` itself would be told to leak
  os.execute(("ASAN_OPTIONS=detect_leaks=0 script -qec '%s' /dev/null </dev/null >%s; "
    .. "echo $? >%s.code"):format(table.concat(words, " "), out, out))
  return (helper.read(out):gsub("\r\n", "\n")), tonumber(helper.read(out .. ".code"))
end

package.loaded["spec.helper"] = helper

return helper
