--- What spec/c/torture.c runs: reads a list while memory runs out at one place, then goes on. No
-- customer may be lost or come twice, and the error must say `memory`. While allocations may fail,
-- this script makes none that it could not do without.
-- SPDX-License-Identifier: MIT
-- luacheck: read globals arm disarm fork wait run

local COUNT = 12
local PATH = "partner/external/v3/general/customers"
local way = os.getenv "TORTURE_WAY"
local base = os.getenv "AVEPOINT_BASE_URL"
local certificate = os.getenv "TORTURE_CERTIFICATE" -- without .pem and .key
local target = os.getenv "TORTURE_TARGET" -- the file that is written

-- A list that changes is one run's only: its scenario is copied.
local function copy_scenario()
  local file = assert(io.open(os.getenv "TORTURE_SCENARIO" .. ".json"))
  local text = file:read "*a"
  file:close()
  file = assert(io.open(("%s-%d.json"):format(os.getenv "TORTURE_SCENARIO", run), "w"))
  file:write(text)
  file:close()
  base = base .. "-" .. run
end
local prologue = { back = copy_scenario };
(prologue[way] or tostring)(base)

local function options()
  return { base_url = base, token_url = os.getenv "AVEPOINT_TOKEN_URL" or base .. "/connect/token",
    client_id = "demo-client", client_secret = "demo-secret", max_attempts = 2, endpoint = "get",
    deadline = 50 } -- a question to a function that was lost is asked again after a minute
end

-- Loading, clients, argument errors, no network.
local function prepare()
  local avepoint = require "avepoint"
  local client = avepoint.client(options())
  local listing = client:customers { page_size = 5 }
  pcall(avepoint.client, { nonsense = 1 })
  pcall(client.customers, client, { customer_ids = { "a", "b" }, endpoint = "get" })
  client:customers { customer_ids = { "a", "b" }, endpoint = "batch" }
  tostring(listing:failed():take(3))
  client:close()
end

local MEMORY = "not enough memory"

-- Whether it is Lua's word for lack of memory. Where its stack cannot grow, older versions speak of
-- an overflow in table.sort and in luaL_setfuncs; ours must not.
local function is_lack(err)
  return err == MEMORY or type(err) == "string" and (err:find("stack overflow ()", 1, true)
    or err:find("stack overflow (too many upvalues)", 1, true)) ~= nil
end

local function torture_loading()
  arm()
  local ok, err = pcall(prepare)
  disarm()
  assert(ok or is_lack(err) or tostring(err):find("memory", 1, true), tostring(err))
  for name, loaded in pairs(package.loaded) do -- Lua 5.1 never tries again what failed to load
    if type(loaded) == "userdata" then
      package.loaded[name] = nil
    end
  end
  prepare()
end

if way == "load" then
  torture_loading()
  return
end

local avepoint = require "avepoint"

local function pass(...)
  return ...
end

local function yes()
  return true
end

-- For one token.
local store = { entry = false, is_locked = false }
function store:get()
  return self.entry
end
function store:put(_, value)
  self.entry = value
end
local function unlock()
  store.is_locked = false
end
function store:lock()
  if not self.is_locked then
    self.is_locked = true
    return unlock
  end
end

local secret = "demo-secret"
local client_options = options()
local adapt = {} -- the options to a way
function adapt.event()
  client_options.on_event = pass
end
function adapt.coroutine() -- collecting shrinks the stack
  client_options.on_event = function()
    collectgarbage()
  end
end
function adapt.secret()
  client_options.client_secret = function()
    return secret
  end
end
function adapt.store()
  client_options.token_store = store
end
function adapt.certificate()
  client_options.client_secret = nil
  client_options.certificate = certificate .. ".pem"
  client_options.private_key = certificate .. ".key"
end
(adapt[way] or pass)()

assert(#("x"):rep(5000) == 5000) -- 5.4 keeps a broken metatable if its first long buffer fails
if os.getenv "TORTURE_LOADED" then -- what else is loaded at first use; see calls.late
  require "avepoint.write"
  require "avepoint.show"
end

-- With a certificate it is made while memory runs out.
local client = way ~= "certificate" and avepoint.client(client_options) or nil
local widths = { retry = 1, back = 1 }
local listing_options = { page_size = 5, on_progress = way == "progress" and pass or nil,
  concurrency = widths[way] }

local function make(resume)
  client = client or avepoint.client(client_options)
  listing_options.resume = resume
  if way == "list" then
    return client:list(PATH, listing_options)
  end
  local made = client:customers(listing_options)
  if way == "filter" then
    made = made:filter(yes):map(pass):skip(0):take(100)
  end
  return made
end

local ids, got = {}, 0
for i = 1, 2 * COUNT do ids[i] = false end

local function take(customer)
  got = got + 1
  ids[got] = customer.id
end

local errors = 0
local oddity

local function note(err)
  errors = errors + 1
  local kind = type(err) == "table" and err.kind
  local known = is_lack(err) or kind == "memory" or os.getenv "TORTURE_KIND" == "curl"
    and (kind == "protocol" and err.code ~= nil -- libcurl's, when it cannot decompress
      or kind == "limit" and err.code == 27) -- its word for too long a header line, too
  if not known then oddity = err end
end

local listing, pages, child
local moves = false -- to another listing, that goes on where this one is

local function turn()
  listing = listing or make()
  if way == "fork" and got == 3 and not child then
    child = fork()
  end
  if way == "pages" then
    pages = pages or listing:pages()
    local list = pages()
    for i = 1, list and #list or 0 do take(list[i]) end
    return list
  elseif moves then
    listing = make(listing:position())
    moves = false
  end
  return listing()
end

-- Calls turn with pcall; or, since there any call may find no room, with a new coroutine each
-- time, whose stack is small at first. On 5.1, where nothing protects us in a coroutine, a store's
-- lock is left to expire.
local function try()
  if way ~= "coroutine" and (way ~= "store" or _VERSION == "Lua 5.1") then
    return pcall(turn)
  end
  local ok, co = pcall(coroutine.create, turn)
  if ok then
    return coroutine.resume(co)
  end
  return ok, co
end

-- Reads to the end, going on after errors.
local function read()
  local ok, item
  arm()
  repeat
    ok, item = try()
    if not ok then
      note(item)
      moves = moves or way == "position" and listing ~= nil
    elseif item ~= nil and way ~= "pages" then
      take(item)
      moves = way == "resume" and got == 7
    end
  until ok and item == nil or errors > 10 or oddity
  disarm()
end

local seen = {}

local function check()
  assert(oddity == nil, tostring(oddity))
  for i = 1, got do
    assert(not seen[ids[i]], "a customer comes twice")
    seen[ids[i]] = true
  end
  -- `back` removes the first customer before the second request, which asks for page 1 again if
  -- memory ran out while that was read; whether others are lost is looked at below
  assert(got == COUNT or way == "back" and errors > 0 and got == COUNT - 1,
    ("%d customers, %d errors"):format(got, errors))
  assert(way ~= "back" or errors > 0 or listing:stats().went_back == 1)
  assert(way ~= "store" or (store.entry or errors > 0) and not store.is_locked)
  assert(way ~= "retry" or errors > 0 or listing:stats().retries > 0)
end

-- Calls that do all of it or raise, as functions that return whether the result is right.
local calls = {}

local function lines_of(path)
  local n = 0
  for _ in io.lines(path) do n = n + 1 end
  return n
end

-- Over a file of one line, which stays as it was where the call fails.
for format, lines in pairs { csv = COUNT + 1, json = COUNT + 2, jsonl = COUNT } do
  calls[format] = function()
    local list = make()
    local ok, n = pcall(list.write, list, target, format)
    if ok then
      return n == COUNT and lines_of(target) == lines
    end
    oddity = lines_of(target) ~= 1 and "a failed write has changed the file" or oddity
    error(n, 0)
  end
end

function calls.get()
  return #client:get(PATH, { pageSize = 5 }).data == 5
end

calls["break"] = function()
  local n = 0
  for _ in make() do
    n = n + 1
    if n == 3 then break end
  end
  return n == 3 and make():count() == COUNT
end

-- In the midst of a listing, which then says that it is closed; the client may be closed again.
function calls.close()
  local list = make()
  local closed
  assert(list() and list())
  repeat closed = pcall(client.close, client) until closed
  local ok, err = pcall(list)
  client = nil
  if ok or err == MEMORY or err.kind ~= "closed" then error(err, 0) end
  return make():count() == COUNT
end

function calls.show()
  local text = {}
  avepoint.show(make(), { write = function(_, ...) text[#text + 1] = table.concat { ... } end })
  return select(2, table.concat(text):gsub("\n", "")) > COUNT
end

-- Calls each function of the module that loads others when it is first called, but async.
function calls.late()
  local out = { write = function(_, text) return #text end }
  avepoint.show(1, out)
  avepoint.progress(out)
  local ok, err = pcall(avepoint.doctor, 1)
  if ok or not tostring(err):find "takes a table" then error(err, 0) end
  ok, err = pcall(client.customers(client).write, client:customers(), out, "nonsense")
  if ok or not tostring(err):find "nonsense" then error(err, 0) end
  return true
end

local function call()
  local ok, right
  if target then
    local file = assert(io.open(target, "w"))
    file:write "old\n"
    file:close()
  end
  arm()
  repeat
    ok, right = pcall(calls[way])
    if not ok then note(right) end
  until ok or errors > 10 or oddity
  disarm()
  assert(oddity == nil, tostring(oddity))
  assert(ok and right, ("wrong after %d errors"):format(errors))
end

-- The child of a fork ends here.
local function read_and_check()
  read()
  local good, err = pcall(check)
  if child == 0 then
    os.exit(good and 0 or 1)
  end
  assert(good, err)
  assert(child == nil or wait(child) == 0, "the child failed")
end

-- The client is of use afterwards, and its list holds nobody who has not come.
local function check_again()
  local left = 0
  for customer in client:customers() do
    left = left + 1
    assert(calls[way] or seen[customer.id], "a customer was lost")
  end
  assert(left == COUNT - (way == "back" and 1 or 0), "not all are listed afterwards")
  client:close()
end

(calls[way] and call or read_and_check)()
check_again()
