-- The token endpoint: checks a request as the identity server does (an IdentityServer, as far as
-- one can see from outside), issues opaque tokens that live in the scenario, and judges those
-- that come back. Every refusal is a 400 with an OAuth error word, as there.
-- SPDX-License-Identifier: MIT
local assertion = require "assertion"
local cjson = require "cjson"
local faults = require "faults"
local reply = require "reply"
local scenario = require "scenario"

local SCOPE_LIMIT, CREDENTIAL_LIMIT = 300, 100
local READ_CUSTOMERS = "elements.customers.read.all"

local SCOPES = {}
for name in ([[
  customers.read.all customers.readwrite.all license.read.all license.readwrite.all
  jobs.read.all cbprotected.read.all scanprofiles.read.all bm.baseline.read.all
  bm.baseline.readwrite.all bm.tenant.read.all bm.tenant.readwrite.all rm.read.all
  um.user.read.all um.user.readwrite.all wm.read.all report.read.all cm.read.all sm.read.all
  t2.resellers.read.all t2.license.read.all
]]):gmatch("%S+") do SCOPES["elements." .. name] = true end

local M = {}

local function refusal(word)
  return reply.json(400, cjson.encode { error = word })
end

-- A field that is sent several times is a list.
local function shown_form(form)
  local shown = {}
  for name, value in pairs(form) do
    local secret = name == "client_secret" or name == "client_assertion"
    shown[name] = secret and (type(value) == "table" and { "***", "***" } or "***") or value
  end
  return shown
end

local function read_form(request)
  local form = ngx.decode_args(request.body or "", 100)
  request.shown_body = shown_form(form)
  local type_sent = ngx.req.get_headers(0)["content-type"]
  if request.method ~= "POST" or type(type_sent) ~= "string"
    or type_sent:lower():match("^[^; ]*") ~= "application/x-www-form-urlencoded" then
    return nil
  end
  for _, value in pairs(form) do
    if type(value) == "table" then return nil end
  end
  return form
end

local function check_secret(form, scene)
  local id, secret = form.client_id, form.client_secret
  if type(id) ~= "string" or type(secret) ~= "string" or #id > CREDENTIAL_LIMIT
    or #secret > CREDENTIAL_LIMIT then
    return false
  end
  return id == (scene.token.client_id or "demo-client")
    and secret == (scene.token.client_secret or "demo-secret")
end

-- A request without a scope gets what the registration may do: here, reading customers.
local function check_scope(form)
  local asked = form.scope
  if asked == nil or asked == true or asked == "" then asked = READ_CUSTOMERS end
  if #asked > SCOPE_LIMIT then return nil end
  for name in asked:gmatch("%S+") do
    if not SCOPES[name] then return nil end
  end
  return asked
end

-- Word of the refusal, or nil and the scope to grant. The client is judged first, as there.
local function judge(request, form, scene)
  local proven
  if form.client_assertion ~= nil then
    local why = assertion.judge(form, scene, scenario.directory())
    proven = why == nil or form.client_assertion == scene.token.assertion
    request.refused = not proven and why or nil
  else
    proven = check_secret(form, scene)
  end
  if not proven then return "invalid_client" end
  if form.grant_type ~= "client_credentials" then return "unsupported_grant_type" end
  local scope = check_scope(form)
  if not scope then return "invalid_scope" end
  return nil, scope
end

local function new_token()
  local source = assert(io.open("/dev/urandom", "rb"))
  local bytes = source:read(36)
  source:close()
  return (ngx.encode_base64(bytes):gsub("[+/]", { ["+"] = "-", ["/"] = "_" }))
end

local function remember(scene, text, scope)
  scene.tokens_issued = scene.tokens_issued + 1
  scene.tokens[text] = {
    number = scene.tokens_issued,
    expires = ngx.now() + (scene.token.lifetime or 3600),
    uses = scene.token.uses,
    scope = scope,
  }
end

local function issue(scene, scope)
  local text, fixed = new_token(), scene.token.reply_text
  if fixed then
    local ok, fields = pcall(cjson.decode, fixed)
    if ok and type(fields) == "table" and type(fields.access_token) == "string" then
      text = fields.access_token
    end
  end
  remember(scene, text, scope)
  local answer = reply.json(200, fixed or cjson.encode {
    access_token = text,
    expires_in = scene.token.lifetime or 3600,
    token_type = "Bearer",
    scope = scope,
  }, { ["Cache-Control"] = "no-store, no-cache, max-age=0", Pragma = "no-cache" })
  answer.issued = scene.tokens_issued
  return answer
end

function M.answer(request)
  local form = read_form(request)
  if not form then return refusal "invalid_request" end
  local word, scope = judge(request, form, request.scene)
  if word then return refusal(word) end
  local fault = faults.pick(request.scene, "token")
  if fault and faults.replaces_answer(fault) then return faults.apply(fault) end
  return faults.apply(fault, issue(request.scene, scope))
end

local function bearer()
  local header = ngx.req.get_headers(0)["authorization"]
  if type(header) ~= "string" then return nil end
  local scheme, text = header:match("^(%a+) +(%S+)$")
  if not scheme or scheme:lower() ~= "bearer" then return nil end
  return text
end

-- A token that is good without having been issued, for everything.
local function known(scene, text)
  if text ~= scene.token.known then return nil end
  return { number = 0, expires = math.huge }
end

-- admit(request, scope): nil when the token holds this scope ("elements." is left out), otherwise
-- the refusing answer
function M.admit(request, scope)
  local text = bearer()
  if not text then return reply.problem(401, nil, { ["WWW-Authenticate"] = "Bearer" }) end
  local token = request.scene.tokens[text] or known(request.scene, text)
  if token then request.token = token.number end
  if not token or token.expires <= ngx.now() or token.uses == 0 then
    return reply.problem(401, nil, { ["WWW-Authenticate"] = 'Bearer error="invalid_token"' })
  end
  if token.uses then token.uses = token.uses - 1 end
  local granted = token.scope and " " .. token.scope:gsub("%s", " ") .. " "
  if granted and not granted:find(" elements." .. scope .. " ", 1, true) then
    return reply.problem(403)
  end
  return nil
end

return M
