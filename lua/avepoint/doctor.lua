--- The doctor: looks at each part that signing in and listing need, and says in a line each what it
-- found and what to do about a failure. Shows no secret.
--
--     avepoint.doctor()          prints the report and returns whether all is well
--     :checkhealth avepoint      in Neovim, through health.lua
--
-- SPDX-License-Identifier: MIT

local core = require "avepoint.load" -- first: the other modules need it
local compat = require "avepoint.compat"
local problem = require "avepoint.problem"
local terminal = require "avepoint.terminal"

local doctor = {}

local CLOCK_OFF = 120 -- seconds; the identity server allows five minutes
local SOON = 30 * 86400 -- seconds; a certificate that expires sooner gets a warning

local Report = {}
Report.__index = Report

-- report:ok(name, text, ...), report:warn and report:fail add a line (string.format rules).
for method, status in pairs { ok = "ok", warn = "warning", fail = "error" } do
  Report[method] = function(self, name, text, ...)
    self[#self + 1] = { status = status, name = name, text = core.clean(text:format(...)) }
  end
end

-- software ----------------------------------------------------------------------------------------

local function look_at_lua(report)
  local jit = rawget(_G, "jit")
  report:ok("lua", "%s; %s, built for %s", jit and jit.version or _VERSION,
    "avepoint " .. core.version, core.library().built_for)
end

local function look_at_libcurl(report)
  local library = core.library()
  report:ok("libcurl", "%s with %s", library.version, library.tls_version or "no TLS library")
  if not library.tls_version then
    report:fail("tls", "this libcurl has no TLS: install one built with OpenSSL or GnuTLS")
  end
  if library.async_dns then
    report:ok("dns", "names are looked up without blocking")
  else
    report:warn("dns", "this libcurl looks names up blocking: a slow resolver stalls the host and "
      .. "no timeout holds meanwhile; install one built with c-ares or a threaded resolver")
  end
  if library.http2 then
    report:ok("http2", "pages share one connection where the server speaks HTTP/2")
  else
    report:warn("http2", "this libcurl has no HTTP/2: each page in flight needs a connection")
  end
end

local function look_at_json(report)
  local cjson = compat.require "cjson"
  if type(cjson) == "table" then
    report:ok("json", "lua-cjson %s", tostring(cjson._VERSION))
  elseif rawget(_G, "vim") and vim.json then -- luacheck: read globals vim
    report:ok("json", "Neovim's copy of lua-cjson")
  else
    report:fail("json", "lua-cjson is missing: install it (Debian: lua-cjson; LuaRocks: lua-cjson)")
  end
end

-- settings ----------------------------------------------------------------------------------------

-- Returns the name and the value of the first variable that is set; libcurl takes an empty one for
-- none.
local function first_set(names)
  for _, name in ipairs(names) do
    local value = os.getenv(name)
    if value and value ~= "" then
      return name, value
    end
  end
end

-- Whether libcurl goes to the host directly, by this list: names, each with all below it, or `*`
-- alone.
local function is_direct(host, list)
  if list == "*" then
    return true
  end
  for name in list:lower():gmatch "[^,%s]+" do
    name = name:gsub("^%.", ""):gsub("%.$", "")
    if host == name or host:sub(-#name - 1) == "." .. name then
      return true
    end
  end
  return false
end

local function look_at_proxy(report, options, about)
  local variable, proxy = "the option proxy", options.proxy
  if not proxy then
    variable, proxy = first_set { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" }
  end
  if not proxy then
    report:ok("proxy", "none")
    return
  end
  local exceptions, list = first_set { "no_proxy", "NO_PROXY" }
  report:ok("proxy", "%s, from %s; %s", core.printable_url(proxy), variable,
    exceptions and ("%s is %s"):format(exceptions, list) or "no_proxy is not set")
  for _, url in ipairs { about.base_url, about.token_url } do
    local host = url:lower():match("^%a+://([^/]+)"):gsub(":%d+$", "")
    if host == "localhost" or host == "[::1]" or host:find "^127%.%d+%.%d+%.%d+$" then
      report:ok("proxy", "not used for %s, which is this machine", host)
    elseif list and is_direct(host, list) then
      report:ok("proxy", "not used for %s: %s names it", host, exceptions)
    else
      report:ok("proxy", "used for %s", host)
    end
  end
end

local function look_at_trust(report, about)
  local file, path = first_set { "CURL_CA_BUNDLE", "SSL_CERT_FILE" }
  local dir, where = first_set { file ~= "CURL_CA_BUNDLE" and "SSL_CERT_DIR" or nil }
  local found = { file and ("%s is %s"):format(file, path) }
  found[#found + 1] = dir and ("%s is %s"):format(dir, where)
  if about.ca_file then
    report:ok("trust", "the certificates in %s, and no others", about.ca_file)
  elseif found[1] then
    report:ok("trust", "what curl trusts; %s", table.concat(found, ", "))
  else
    report:ok("trust", "the system's certificates")
  end
end

local function look_at_certificate(report, about)
  local date = os.date("!%Y-%m-%d", about.expires)
  if about.expires - os.time() < SOON then
    report:warn("certificate", "%s ends on %s: upload a new one to the app registration in time",
      about.thumbprint, date)
  else
    report:ok("certificate", "%s, good until %s", about.thumbprint, date)
  end
end

-- Reports the variables of credentials that are set and not used: the user may think that they are.
local function look_at_others(report, used)
  local settings = require "avepoint.settings"
  for _, source in ipairs(settings.sources) do
    local name = source.name
    if name ~= used and settings.variable(name) then
      report:warn("credential", "%s is set too, and not used", name)
    end
  end
end

-- Makes the client and returns it with what may be told of its settings, or reports why it cannot.
local function look_at_settings(report, options)
  local given = { on_event = function() end, max_attempts = 2, max_retry_wait = 5, timeout = 20 }
  for name, value in next, options do -- raw, as options are read
    given[name] = value
  end
  local ok, client = pcall(require("avepoint.client").new, given)
  if not ok then
    report:fail("settings", "%s", core.is_error(client) and client.message or tostring(client))
    return nil
  end
  local about = core.state(client).about
  report:ok("credential", "%s%s", about.credential,
    about.client_id and " with client id " .. about.client_id or "")
  look_at_others(report, about.credential)
  if about.thumbprint then
    look_at_certificate(report, about)
  end
  report:ok("service", "%s, signing in at %s", about.base_url, about.token_url)
  look_at_trust(report, about)
  return client, about
end

-- service -----------------------------------------------------------------------------------------

local function look_at_clock(report, client)
  local ahead = core.server_ahead(client)
  if not ahead then
    report:warn("clock", "not compared: no reply told the server's time")
  elseif math.abs(ahead) > CLOCK_OFF then
    report:fail("clock", "this machine's clock is %.0f seconds %s the server's: set it (assertions "
      .. "and certificates are refused when it is off)", math.abs(ahead),
      ahead > 0 and "behind" or "ahead of")
  else
    report:ok("clock", "%.1f seconds off the server's", math.abs(ahead))
  end
end

-- Asks for a customer: this needs a token first, so one call tests sign-in and list.
local function look_at_service(report, client, about)
  local listing = client:customers { page_size = 1, drift = "ignore" }
  local _, err = listing:next()
  local at_sign_in = err and err.url == core.printable_url(about.token_url)
  if at_sign_in then
    report:fail("sign-in", "%s", err.message)
  else
    local given = about.credential:lower():find "access_token"
    report:ok("sign-in", given and "not needed: a token is given" or "%s gives a token",
      about.token_url)
  end
  look_at_clock(report, client)
  if err then
    if not at_sign_in then
      report:fail("list", "%s", err.message)
    end
    return
  end
  local total = listing:total()
  report:ok("list", "%s customers, as the server counts; the registration's customer scope (all, "
    .. "specific ones, or groups) decides which these are", total or "an unknown number of")
  listing:close()
end

--- Looks at everything.
-- @param options those of avepoint.client; nil: all from the environment
-- @return list of { status = "ok", "warning" or "error", name =, text = }
function doctor.examine(options)
  options = options == nil and {} or options
  if type(options) ~= "table" then
    problem.misuse("avepoint.doctor takes a table of options, not %s", type(options))
  end
  local report = setmetatable({}, Report)
  look_at_lua(report)
  look_at_libcurl(report)
  look_at_json(report)
  local client, about = look_at_settings(report, options)
  if client then
    look_at_proxy(report, options, about)
    look_at_service(report, client, about)
    client:close()
  end
  return setmetatable(report, nil)
end

--- Looks at everything and prints a line each.
-- @param options those of avepoint.client; nil: all from the environment
-- @param file the file to write to; default: io.stdout
-- @return whether there is no error, and the list that examine returns
function doctor.run(options, file)
  local out = terminal.open(file, "avepoint.doctor")
  local report = doctor.examine(options)
  local healthy = true
  for _, line in ipairs(report) do
    out:line(("%-8s %-11s %s"):format(line.status, line.name, line.text))
    healthy = healthy and line.status ~= "error"
  end
  out:finish()
  return healthy, report
end

return doctor
