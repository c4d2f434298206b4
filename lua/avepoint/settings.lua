--- From what the user gives to settings that are whole: checks the options, fills in from the
-- environment and the defaults, chooses the credential. src/bind/settings.c reads the result.
-- SPDX-License-Identifier: MIT

local certificate = require "avepoint.certificate"
local check = require "avepoint.check"
local core = require "avepoint.core"
local log = require "avepoint.log"
local options = require "avepoint.options"

local settings = {}

local CLIENT = { what = "avepoint.client", options = options.client, elsewhere = options.listing,
  advice = "option '%s' is a listing's: client:customers { %s = ... }" }
local LISTING = { what = "client:customers", options = options.listing, elsewhere = options.client,
  advice = "option '%s' is the client's: avepoint.client { %s = ... }:customers()" }

local IDENTITY = "https://%s/connect/token"
local ENVIRONMENTS = { -- host of the token endpoint, host of the service
  commercial = { "identity.avepointonlineservices.com", "graph.avepointonlineservices.com" },
  usgov = { "identity-gov.avepointonlineservices.com", "graph-gov.avepointonlineservices.com" },
  aos2 = { "identity-aos2.avepointonlineservices.com", "graph-aos2.avepointonlineservices.com" },
  fedramp = { "identity.online15.net", "graphusgovapi.online15.net" },
}

local USER_AGENT = ("avepoint-lua/%s libcurl/%s"):format(core.version, core.library().version)

-- An environment variable; an empty one counts as not set.
local function variable(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local function fill_in_defaults(values, list, but)
  for _, option in ipairs(list) do
    if values[option.name] == nil and not option[but] then
      values[option.name] = option.default
    end
  end
end

-- Credentials. Functions below return what is wrong, as the message of a `config` error, or nil.

local SECRET_LONGEST = 4096 -- bytes of a secret's file

-- The secret in a file, without a byte order mark and white space around it: they are no part of a
-- secret. Or nil and what is wrong with the file.
local function read_secret(path)
  local file = io.open(path, "rb")
  if not file then
    return nil, "a file that cannot be read"
  end
  local text = file:read(SECRET_LONGEST + 1) or ""
  file:close()
  local secret = text:gsub("^\239\187\191", ""):match "^%s*(.-)%s*$"
  if secret == "" then
    return nil, "an empty file"
  elseif #text > SECRET_LONGEST or secret:find "[%z\r\n]" then
    return nil, "a file that holds more than a secret in plain text, on one line"
  end
  return secret
end

local function take_secret(values, text)
  values.client_secret = text
end

local function take_secret_file(values, path)
  local secret, wrong = read_secret(path)
  values.client_secret = secret
  return wrong and ("AVEPOINT_CLIENT_SECRET_FILE names %s: %s"):format(wrong, path:sub(1, 300))
end

local function take_certificate(values, path)
  values.certificate = path
  values.private_key = variable "AVEPOINT_PRIVATE_KEY"
  values.certificate_password = variable "AVEPOINT_CERTIFICATE_PASSWORD"
end

local function take_token(values, text)
  values.access_token = text
  return not options.is_token(text)
    and "AVEPOINT_ACCESS_TOKEN holds characters that no token has, such as a line's end" or nil
end

--- The variables that a credential comes from; the first that is set counts.
settings.sources = { "AVEPOINT_CLIENT_SECRET", "AVEPOINT_CLIENT_SECRET_FILE",
  "AVEPOINT_CERTIFICATE", "AVEPOINT_ACCESS_TOKEN" }
local takers = { take_secret, take_secret_file, take_certificate, take_token }

local function take_variable(values, about)
  for i, name in ipairs(settings.sources) do
    local value = variable(name)
    if value then
      about.credential = name
      return takers[i](values, value)
    end
  end
end

local function has_certificate(values)
  return values.certificate or values.private_key or values.certificate_password
end

-- The kinds of credential that the user gave, as names of options.
local function explicit_kinds(values)
  local kinds = { has_certificate(values) and "certificate" }
  for _, name in ipairs { "client_secret", "client_assertion", "access_token" } do
    if values[name] ~= nil then
      kinds[#kinds + 1] = name
    end
  end
  return kinds
end

-- nginx empties the environment but for what its configuration names.
local function with_advice(message)
  if type(rawget(_G, "ngx")) ~= "table" then
    return message
  end
  return message .. "; nginx hides environment variables from its workers: add \"env "
    .. "AVEPOINT_CLIENT_ID;\" and \"env AVEPOINT_CLIENT_SECRET;\" to the top level of nginx.conf"
end

local function missing_credential(values, about)
  local needs_id = has_certificate(values) or values.client_secret
  if has_certificate(values) and not values.certificate then
    return "certificate is missing: private_key and certificate_password need the file of the "
      .. "certificate beside them"
  elseif about.credential and (values.client_id or not needs_id) then
    return nil
  elseif about.credential then
    return with_advice "client_id is missing: give it as an option or set AVEPOINT_CLIENT_ID"
  elseif values.client_id then
    return with_advice("the credential is missing: give client_secret (or certificate, "
      .. "client_assertion, access_token) as an option or set AVEPOINT_CLIENT_SECRET")
  end
  return with_advice("no credentials: give client_id and client_secret as options, or set "
    .. "AVEPOINT_CLIENT_ID and AVEPOINT_CLIENT_SECRET; they are made in the partner portal under "
    .. "Elements > Settings > Additional > API app registration")
end

-- A certificate signs assertions; from here on it is a function like another.
local function make_signer(values, about)
  local sign, more = certificate.signer(values)
  if not sign then
    return more
  end
  values.client_assertion = sign
  values.certificate, values.private_key, values.certificate_password = nil, nil, nil
  about.credential_hash = core.hash(more) -- its thumbprint
end

-- Credentials are one set: an explicit one hides all variables but the client id's.
local function choose_credential(values, about)
  about.credential = explicit_kinds(values)[1]
  local wrong = not about.credential and take_variable(values, about)
    or missing_credential(values, about)
  if wrong then
    return wrong
  elseif values.certificate then
    return make_signer(values, about)
  end
  local text = values.client_secret or values.access_token
  about.credential_hash = type(text) == "string" and core.hash(text) or nil
end

-- The rest of a client's settings. Likewise.

-- Reads what single variables stand for. Returns what is wrong, or nil and the names of those that
-- were read, by option.
local function read_variables(values)
  local names = {}
  local hides_urls = values.environment ~= nil
  for _, option in ipairs(options.client) do
    local name = option.name
    local hidden = hides_urls and (name == "base_url" or name == "token_url")
    if option.variable and values[name] == nil and not hidden then
      values[name] = variable(option.variable)
      names[name] = values[name] and option.variable
    end
  end
  if names.environment and not ENVIRONMENTS[values.environment] then
    return "AVEPOINT_ENVIRONMENT is none of: commercial, usgov, aos2, fedramp"
  end
  return nil, names
end

local function check_urls(values, names)
  local hosts = ENVIRONMENTS[values.environment]
  values.base_url = values.base_url or "https://" .. hosts[2]
  values.token_url = values.token_url or IDENTITY:format(hosts[1])
  return core.check_url(values.base_url, names.base_url or "base_url")
    or core.check_url(values.token_url, names.token_url or "token_url")
    or values.proxy and core.check_proxy(values.proxy)
end

local function holds_pem(file)
  local text = ""
  repeat
    local block = file:read(4096)
    if not block then
      return false
    end
    text = text:sub(-10) .. block -- the mark may lie across two blocks
  until text:find("-----BEGIN", 1, true)
  return true
end

-- Reads only as much as shows a wrong path or a wrong file at once and by name.
local function check_ca_file(path)
  local file = path and io.open(path, "rb")
  local found = file and holds_pem(file)
  if file then
    file:close()
  end
  if path and not found then
    return ("ca_file %s: %s (see AVEPOINT_CA_FILE)"):format(
      file and "holds no PEM certificate" or "cannot be read", path:sub(1, 300))
  end
end

local function make_logger(values)
  local level, form = variable "AVEPOINT_LOG", variable "AVEPOINT_LOG_FORMAT"
  if level and not log.levels[level] then
    return "AVEPOINT_LOG is none of: warn, info, debug"
  elseif form and not log.formats[form] then
    return "AVEPOINT_LOG_FORMAT is none of: text, json"
  end
  values.on_event = values.on_event or level and log.new(level, form)
end

-- Fills in all that the user did not give.
local function complete(values, about)
  local wrong, names = read_variables(values)
  if wrong then
    return wrong
  end
  fill_in_defaults(values, options.client)
  values.user_agent = (values.user_agent and values.user_agent .. " " or "") .. USER_AGENT
  return check_urls(values, names) or check_ca_file(values.ca_file)
    or choose_credential(values, about) or make_logger(values)
end

--- The settings of a client.
-- @param given the user's options, or nil
-- @param level of the caller
-- @return the settings by option name, of the credentials one: client_secret, client_assertion or
-- access_token, a string or a function; and what of them may be told: no secret is among it
-- Raises an argument error for wrong options, a `config` error object if something is missing or
-- refused.
function settings.client(given, level)
  local values = check.read(given == nil and {} or given, CLIENT, level + 1)
  if #explicit_kinds(values) > 1 then
    check.fail(CLIENT, "more than one kind of credential is given: client_secret, certificate, "
      .. "client_assertion and access_token exclude each other", level + 1)
  end
  local about = {}
  local wrong = complete(values, about)
  if wrong then
    core.config_error(wrong, level + 1)
  end
  for _, name in ipairs { "client_id", "base_url", "token_url", "ca_file", "scope" } do
    about[name] = values[name]
  end
  return values, about
end

--- The settings of a listing; what they leave out is the client's.
-- @param given the user's options, or nil
-- @param level of the caller
-- Raises an argument error for wrong options.
function settings.listing(given, level)
  local values = check.read(given == nil and {} or given, LISTING, level + 1)
  if values.resume and values.first_page then
    check.fail(LISTING, "options 'resume' and 'first_page' exclude each other", level + 1)
  end
  fill_in_defaults(values, options.listing, values.resume and "resumed")
  return values
end

--- Raises an argument error about a listing.
function settings.fail_listing(wrong, level)
  check.fail(LISTING, wrong, level + 1)
end

return settings
