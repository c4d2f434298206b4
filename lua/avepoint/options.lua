--- The options that a user may give to a client, to a listing and to other reads. check.lua checks
-- values by these tables, settings.lua fills in by them, and `make reference` writes the
-- reference's tables and the editors' types from them.
--
-- Fields of an option:
--     name
--     kind       a key of `kinds` in check.lua, or two with "or" between them
--     min, max   of an integer
--     words      of a word: all that are allowed
--     wrong      function(value): returns what is wrong with a value of the right kind, or nil
--     variable   the environment variable that is read if the option is not given
--     variables  variables that settings.lua reads by rules of their own
--     default    the value if option and variable are not given
--     otherwise  the same in words, if the default is no constant
--     resumed    if the listing resumes, the default comes from the position
--     as         its function or table, as editors name the type
--     text       one sentence
-- SPDX-License-Identifier: MIT

local options = {}

local function no_control(value)
  return value:find "%c" and "must not hold control characters" or nil
end

--- Returns whether a text can be a token, which goes into a header (RFC 6750 section 2.1).
function options.is_token(text)
  return not text:find "[^\33-\126]"
end

local function no_token(value)
  return type(value) == "string" and not options.is_token(value)
    and "holds characters that no token has" or nil
end

-- Reads the field with its metatable: a driver may be an object.
local function has_wait(value)
  return type(value) == "table" and type(value.wait) ~= "function"
    and "needs a field wait: function(client, seconds)" or nil
end

local ENDPOINTS = { "auto", "get", "batch" }

options.client = {
  { name = "client_id", kind = "text", variable = "AVEPOINT_CLIENT_ID",
    text = "The id of the app registration." },
  { name = "client_secret", kind = "text or function", as = "fun(): string?, string?",
    variables = { "AVEPOINT_CLIENT_SECRET", "AVEPOINT_CLIENT_SECRET_FILE" },
    text = "Its secret, or a function that returns it, called for each new token and once more "
      .. "after `invalid_client`. A secret's file is read as often." },
  { name = "certificate", kind = "text", variables = { "AVEPOINT_CERTIFICATE" },
    text = "Path of a PEM, DER or PKCS#12 file." },
  { name = "private_key", kind = "text", variables = { "AVEPOINT_PRIVATE_KEY" },
    text = "Path of a PEM or DER file, if the certificate's does not hold the key." },
  { name = "certificate_password", kind = "text",
    variables = { "AVEPOINT_CERTIFICATE_PASSWORD" },
    text = "Of the key or the PKCS#12 file." },
  { name = "client_assertion", kind = "function", as = "fun(audience: string): string?, string?",
    text = "Returns a signed JWT for this audience, a new one each time." },
  { name = "access_token", kind = "text or function", wrong = no_token,
    as = "fun(): string?, number|string|nil", variables = { "AVEPOINT_ACCESS_TOKEN" },
    text = "A token, or a function that returns one and its lifetime in seconds." },
  { name = "environment", kind = "word", words = { "commercial", "usgov", "aos2", "fedramp" },
    variable = "AVEPOINT_ENVIRONMENT", default = "commercial",
    text = "Where the tenant lives; an explicit one hides the variables of the two URLs." },
  { name = "base_url", kind = "text", variable = "AVEPOINT_BASE_URL",
    otherwise = "the environment's", text = "The URL of the service." },
  { name = "token_url", kind = "text", variable = "AVEPOINT_TOKEN_URL",
    otherwise = "the environment's", text = "The URL of the token endpoint." },
  { name = "scope", kind = "text", variable = "AVEPOINT_SCOPE",
    default = "elements.customers.read.all",
    text = "The permissions to ask for, with blanks between." },
  { name = "endpoint", kind = "word", words = ENDPOINTS, default = "auto",
    text = "Which of the service's two lists to read." },
  { name = "ca_file", kind = "text", variable = "AVEPOINT_CA_FILE", otherwise = "the system's",
    text = "PEM certificates that are trusted instead of the system's, for an `https` proxy too. "
      .. "The system's are what `curl` trusts (`CURL_CA_BUNDLE`, `SSL_CERT_FILE`, "
      .. "`SSL_CERT_DIR`)." },
  { name = "proxy", kind = "text", otherwise = "the one that `https_proxy` names",
    text = "Never used for loopback." },
  { name = "connect_timeout", kind = "seconds", default = 10,
    text = "For name look-up, connection and TLS." },
  { name = "timeout", kind = "seconds", default = 30,
    text = "Of an attempt; runs only while the program waits for the client." },
  { name = "deadline", kind = "seconds", otherwise = "none",
    text = "Of a whole listing; runs on while the loop's body works." },
  { name = "max_attempts", kind = "integer", min = 1, max = 100, default = 5,
    text = "Attempts of a request." },
  { name = "max_retry_wait", kind = "wait", default = 120,
    text = "The longest single wait that is accepted." },
  { name = "max_body", kind = "integer", min = 1, max = 2147483647, default = 16 * 1024 * 1024,
    text = "Most bytes of a reply after decompression." },
  { name = "concurrency", kind = "integer", min = 1, max = 64, default = 4,
    text = "Most pages in flight." },
  { name = "driver", kind = "word or table", words = { "auto", "blocking", "uv", "nvim", "ngx" },
    wrong = has_wait, as = "avepoint.Driver", default = "auto",
    text = "How the client is waited for." },
  { name = "token_store", kind = "text or table", as = "avepoint.TokenStore", otherwise = "none",
    text = "Where processes share a token: the name of an `ngx.shared` dictionary, or an object." },
  { name = "on_event", kind = "function", as = "fun(event: avepoint.Event)",
    variables = { "AVEPOINT_LOG", "AVEPOINT_LOG_FORMAT" },
    text = "Called for each event. `AVEPOINT_LOG` sets a ready-made logger, beside it." },
  { name = "user_agent", kind = "text", wrong = no_control,
    text = "Put before the library's own." },
}

options.listing = {
  { name = "page_size", kind = "integer", min = 1, max = 1000, default = 100, resumed = true,
    text = "Customers a page, asked of the server. The batch endpoint gives at most 100." },
  { name = "first_page", kind = "integer", min = 1, max = 1000000000, default = 1, resumed = true,
    text = "The page to start from; what lies before is not expected." },
  { name = "resume", kind = "text",
    text = "A position, from `listing:position()` or an error." },
  { name = "concurrency", kind = "integer", min = 1, max = 64, otherwise = "the client's",
    text = "Most pages in flight." },
  { name = "deadline", kind = "seconds", otherwise = "the client's", text = "Of the listing." },
  { name = "endpoint", kind = "word", words = ENDPOINTS, otherwise = "the client's",
    text = "Which of the service's two lists to read." },
  { name = "customer_ids", kind = "list", otherwise = "all",
    text = "Only these, through the batch endpoint." },
  { name = "drift", kind = "word", words = { "repair", "strict", "error", "ignore" },
    default = "repair", text = "What to do when the list changes while it is read." },
  { name = "on_progress", kind = "function", as = "fun(done: integer, total: integer?)",
    text = "Called once a page; `avepoint.progress()` makes one for a terminal." },
  { name = "raw", kind = "boolean", default = false, text = "Items as the service sends them." },
}

-- Each list also holds its options by name.
local function name_options(list)
  for _, option in ipairs(list) do
    list[option.name] = option
  end
end

name_options(options.client)
name_options(options.listing)

-- The rows' id or false: a row may have none.
local function no_true(value)
  return value == true and "is the name of a field, or false" or nil
end

options.list = {
  { name = "method", kind = "word", words = { "GET", "POST" }, default = "GET",
    text = "POST only for paths that end in `/batch`: every other POST of this API writes." },
  { name = "query", kind = "table", as = "table<string, string|number|boolean|table>",
    otherwise = "none", text = "Parameters by name; a list sends one several times." },
  { name = "body", kind = "text or table", as = "table", otherwise = "an empty object",
    text = "Of a POST: a table, or JSON." },
  { name = "items", kind = "text", default = "data", text = "The reply's field with the rows." },
  { name = "metadata", kind = "text", default = "metadata",
    text = "The reply's field with the counts." },
  { name = "id", kind = "text or boolean", as = "false", wrong = no_true, default = "id",
    text = "The field that tells rows apart, text or number; false: there is none, and `drift` is "
      .. "`ignore`." },
}

for _, option in ipairs(options.listing) do
  if option.name ~= "endpoint" and option.name ~= "customer_ids" then
    table.insert(options.list, option)
  end
end
name_options(options.list)

options.write = {
  { name = "fields", kind = "list", otherwise = "all",
    text = "The fields to write, in this order." },
  { name = "header", kind = "boolean", default = true,
    text = "Of CSV: the first line names the columns." },
  { name = "bom", kind = "boolean", default = false,
    text = "Of CSV: begins with a byte order mark, by which Excel knows UTF-8." },
}
name_options(options.write)

options.get = { options.listing.deadline }
name_options(options.get)

options.show = {
  { name = "columns", kind = "list", otherwise = "those of a customer, or all fields of the rows",
    text = "The fields to show, in this order." },
}
name_options(options.show)

return options
