--- Makes settings from the user's options: checks them, fills in what is missing from the
-- environment and the defaults, chooses the credential. src/bind/settings.c reads the result.
-- SPDX-License-Identifier: MIT

local certificate = require "avepoint.certificate"
local check = require "avepoint.check"
local core = require "avepoint.core"
local log = require "avepoint.log"
local options = require "avepoint.options"
local problem = require "avepoint.problem"

local settings = {}

local CLIENT = { what = "avepoint.client", options = options.client, elsewhere = options.listing,
  advice = "option '%s' is a listing's: client:customers { %s = ... }" }

local ENVIRONMENTS = { -- hosts of the token endpoint and of the service
  commercial = { "identity.avepointonlineservices.com", "graph.avepointonlineservices.com" },
  usgov = { "identity-gov.avepointonlineservices.com", "graph-gov.avepointonlineservices.com" },
  aos2 = { "identity-aos2.avepointonlineservices.com", "graph-aos2.avepointonlineservices.com" },
  fedramp = { "identity.online15.net", "graphusgovapi.online15.net" },
}

local USER_AGENT = ("avepoint-lua/%s libcurl/%s"):format(core.version, core.library().version)

-- Returns a text without a byte order mark and white space around it: they are no part of a
-- secret, an id or a path.
local function trim(text)
  return text:gsub("^\239\187\191", ""):match "^%s*(.-)%s*$"
end

--- Returns the value of an environment variable, trimmed; an empty one counts as not set.
function settings.variable(name)
  local value = trim(os.getenv(name) or "")
  return value ~= "" and value or nil
end
local variable = settings.variable

-- Raises a `config` error object with this message, if there is one.
local function refuse(message)
  if message then
    problem.raise_config(message)
  end
end

-- Returns what is wrong with a variable that must be one of some words, if it is none. Shows its
-- value: not for secrets.
local function wrong_word(name, value, known, words)
  return value and not known[value]
    and ("%s is '%s', which is none of: %s"):format(name, problem.words(value), words)
end

-- credentials -------------------------------------------------------------------------------------

local SECRET_LONGEST = 4096 -- bytes of a secret's file

-- Returns the secret in a file, or nil and what is wrong. Tells the path only if it can be opened:
-- it may be the secret itself.
local function read_secret(path)
  local file, why = io.open(path, "rb")
  if not file then
    return nil, "AVEPOINT_CLIENT_SECRET_FILE names no file that can be read"
      .. why:gsub("^.*:", ":") .. "; it is to be the path of the secret's file, not the secret"
  end
  local text = file:read(SECRET_LONGEST + 1) or ""
  file:close()
  local secret = trim(text)
  local wrong = secret == "" and "an empty file"
    or (#text > SECRET_LONGEST or secret:find "[%z\r\n]")
    and "a file that holds more than a secret in plain text, on one line"
  if wrong then
    return nil, ("AVEPOINT_CLIENT_SECRET_FILE names %s: %s"):format(wrong, path:sub(1, 300))
  end
  return secret
end

-- Returns the function that reads the secret for each token, since files are rotated, and the
-- secret that is there now.
local function secret_of_file(path)
  local secret, wrong = read_secret(path)
  refuse(wrong)
  return function()
    return read_secret(path)
  end, secret
end

local function check_token(text)
  refuse(not options.is_token(text)
    and "AVEPOINT_ACCESS_TOKEN holds characters that no token has, such as a line's end")
  return text
end

--- The variables that a credential comes from; the first that is set counts.
settings.sources = {
  { name = "AVEPOINT_CLIENT_SECRET", option = "client_secret" },
  { name = "AVEPOINT_CLIENT_SECRET_FILE", option = "client_secret", read = secret_of_file },
  { name = "AVEPOINT_CERTIFICATE", option = "certificate" },
  { name = "AVEPOINT_ACCESS_TOKEN", option = "access_token", read = check_token },
}

-- Reads the credential's variable. Returns its name and, if it names a secret's file, the secret.
local function read_credential(values)
  for _, source in ipairs(settings.sources) do
    local value, secret = variable(source.name), nil
    if value then
      if source.read then
        value, secret = source.read(value)
      end
      values[source.option] = value
      if values.certificate then
        values.private_key = variable "AVEPOINT_PRIVATE_KEY"
        values.certificate_password = variable "AVEPOINT_CERTIFICATE_PASSWORD"
      end
      return source.name, secret
    end
  end
end

local function has_certificate(values)
  return values.certificate or values.private_key or values.certificate_password
end

-- Returns the kinds of credential that the user gave, as names of options.
local function explicit_kinds(values)
  local kinds = { has_certificate(values) and "certificate" }
  for _, name in ipairs { "client_secret", "client_assertion", "access_token" } do
    if values[name] ~= nil then
      kinds[#kinds + 1] = name
    end
  end
  return kinds
end

-- Raises unless there is a whole credential.
local function check_credential(values, about)
  local needs_id = has_certificate(values) or values.client_secret
  local message
  if has_certificate(values) and not values.certificate then
    refuse("certificate is missing: private_key and certificate_password need the file of the "
      .. "certificate beside them")
  elseif about.credential and (values.client_id or not needs_id) then
    return
  elseif about.credential then
    message = "client_id is missing: give it as an option or set AVEPOINT_CLIENT_ID"
  elseif values.client_id then
    message = "the credential is missing: give client_secret (or certificate, client_assertion, "
      .. "access_token) as an option, or set AVEPOINT_CLIENT_SECRET, AVEPOINT_CLIENT_SECRET_FILE, "
      .. "AVEPOINT_CERTIFICATE (with AVEPOINT_PRIVATE_KEY) or AVEPOINT_ACCESS_TOKEN"
  else
    message = "no credentials: give client_id and client_secret as options, or set "
      .. "AVEPOINT_CLIENT_ID and AVEPOINT_CLIENT_SECRET; they are made in the partner portal under "
      .. "Elements > Settings > Additional > API app registration"
  end
  if type(rawget(_G, "ngx")) == "table" then
    message = message .. "; nginx hides environment variables from its workers: add \"env "
      .. "AVEPOINT_CLIENT_ID;\" and \"env AVEPOINT_CLIENT_SECRET;\" to the top level of "
      .. "nginx.conf; under systemd, set them in its unit (Environment=, EnvironmentFile=)"
  end
  refuse(message)
end

-- Chooses the credential. Credentials are one set: an explicit one hides all variables but the
-- client id's. A certificate becomes a function that returns assertions.
local function choose_credential(values, about)
  local text
  about.credential = explicit_kinds(values)[1]
  if not about.credential then
    about.credential, text = read_credential(values)
  end
  check_credential(values, about)
  text = text or values.client_secret or values.access_token
  if values.certificate then
    local signer, key, forget = certificate.signer { client_id = values.client_id,
      certificate = values.certificate, private_key = values.private_key,
      certificate_password = values.certificate_password }
    refuse(not signer and key)
    values.client_assertion, values.forget = signer, forget
    values.certificate, values.private_key, values.certificate_password = nil, nil, nil
    about.thumbprint, about.expires = key:thumbprint(), key:expires()
    text = about.thumbprint
  end
  about.credential_hash = type(text) == "string" and core.hash(text) or nil
end

-- the rest of a client's settings -----------------------------------------------------------------

-- Reads the variables that stand for single options. Returns the names of those that were set, by
-- option.
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
  refuse(wrong_word(names.environment, names.environment and values.environment, ENVIRONMENTS,
    "commercial, usgov, aos2, fedramp"))
  return names
end

local function check_urls(values, names)
  local hosts = ENVIRONMENTS[values.environment]
  values.base_url = values.base_url or "https://" .. hosts[2]
  values.token_url = values.token_url or ("https://%s/connect/token"):format(hosts[1])
  refuse(core.check_url(values.base_url, names.base_url or "base_url")
    or core.check_url(values.token_url, names.token_url or "token_url")
    or values.proxy and core.check_proxy(values.proxy))
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

-- Raises if the file has no certificate: the error names it before the first request. Reads no more
-- of the file than this needs.
local function check_ca_file(path)
  local file = io.open(path, "rb")
  local found = file and holds_pem(file)
  if file then
    file:close()
  end
  local is_text = path:find "[\r\n]" or path:find("-----BEGIN", 1, true) -- maybe with a key
  refuse(not found and ("ca_file %s: %s (see AVEPOINT_CA_FILE)"):format(
    file and "holds no PEM certificate" or "cannot be read",
    is_text and "it is to be the path of a file, not its text" or path:sub(1, 300)))
end

-- Sets where the system's certificates are, as the program curl finds them.
local function find_trust(values)
  values.ca_bundle = variable "CURL_CA_BUNDLE"
  if not values.ca_bundle then
    values.ca_bundle, values.ca_dir = variable "SSL_CERT_FILE", variable "SSL_CERT_DIR"
  end
end

-- Makes the logger of the variables AVEPOINT_LOG and AVEPOINT_LOG_FORMAT, or returns nil.
local function make_logger()
  local level, format = variable "AVEPOINT_LOG", variable "AVEPOINT_LOG_FORMAT"
  refuse(wrong_word("AVEPOINT_LOG", level, log.levels, "warn, info, debug")
    or wrong_word("AVEPOINT_LOG_FORMAT", format, log.formats, "text, json"))
  return level and log.new(level, format)
end

-- Returns a function that calls both, the logger first: the user's function may raise.
local function both(logger, on_event)
  if not logger or not on_event then
    return logger or on_event
  end
  return function(event)
    logger(event)
    on_event(event)
  end
end

--- Makes the settings of a client.
-- @param given the user's options, or nil
-- @return the settings by option name, of the credentials one: client_secret, client_assertion or
-- access_token, a string or a function; and what may be told of them: no secret is among it
-- Raises an argument error for wrong options, a `config` error object if a setting is missing or
-- refused.
function settings.client(given)
  local values, about = check.read(given, CLIENT), {}
  if #explicit_kinds(values) > 1 then
    check.fail(CLIENT, "more than one kind of credential is given: client_secret, certificate, "
      .. "client_assertion and access_token exclude each other")
  end
  local names = read_variables(values)
  check.fill_in_defaults(values, options.client)
  values.scope_source = values.scope ~= options.client.scope.default
    and (names.scope or "the option scope") or nil
  values.user_agent = (values.user_agent and values.user_agent .. " " or "") .. USER_AGENT
  check_urls(values, names)
  if values.ca_file then
    check_ca_file(values.ca_file)
  else
    find_trust(values)
  end
  choose_credential(values, about)
  values.on_event = both(make_logger(), values.on_event)
  for _, name in ipairs { "client_id", "base_url", "token_url", "ca_file", "scope" } do
    about[name] = values[name]
  end
  return values, about
end

return settings
