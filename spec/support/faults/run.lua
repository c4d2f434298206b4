--- Runs one case of the fault matrix: a row, at a place, once or until the retries are spent. Says
-- what happened; what should have happened is the spec's to check.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local blocking = require "avepoint.driver.blocking"
local helper = require "spec.helper"
local list = require "spec.support.faults.list"
local rawserver = require "spec.support.faults.rawserver"

local HUNG = 30 -- seconds without an end, after which a case counts as one that hangs

local run = {}

local function copy(into, from)
  for name, value in pairs(from or {}) do into[name] = value end
  return into
end

local function resolve(value, ...)
  if type(value) == "function" then return value(...) end
  return value
end

-- The fault of a row as the simulator wants it.
local function simulated_faults(row, place, times)
  local fault = copy({ times = times, lasting = true }, resolve(row.fault, place))
  if place == "token" then
    fault.on = "token"
  elseif place == "renewal" then -- the first token request passes
    fault.on = "token"
    return { { on = "token", kind = "wait", seconds = 0 }, fault,
      { on = "page", page = list.page_of.renewal, status = 401 } }
  else
    fault.on = fault.on or "page"
    fault.page = place == "last" and "last" or list.page_of[place]
  end
  return { fault }
end

local function scenario_of(row, place, times)
  local scenario = { raw_items = list.rows(), token = { reply = { access_token = list.token,
    expires_in = 3600, token_type = "Bearer" }, known = list.token } }
  if place == "list" then return copy(scenario, resolve(row.scenario, times)) end
  scenario.faults = simulated_faults(row, place, times)
  return scenario
end

-- From how often each page and a token were asked for: how often the place was, and the pages.
local function told(place, pages, tokens)
  if place == "token" then return tokens, pages end
  if place == "renewal" then return tokens - 1, pages end
  return pages[list.page_of[place]] or 0, pages
end

local function simulator_counts(id, place)
  local pages, tokens = {}, 0
  for _, entry in ipairs(helper.journal(id)) do
    local page = tonumber(entry.args.pageIndex)
    if page then
      pages[page] = (pages[page] or 0) + 1
    else
      tokens = tokens + 1
    end
    assert(not entry.created, "a customer was created")
  end
  return told(place, pages, tokens)
end

local function simulated(row, place, times)
  local id = helper.scenario(scenario_of(row, place, times))
  return {
    options = copy(helper.options(id, { port = row.port or "http" }), resolve(row.urls)),
    counts = function() return simulator_counts(id, place) end,
    over = function()
      helper.write(("%s/scenarios/%s.over"):format(helper.directory, id), "")
    end,
    remove = function() -- thousands of cases
      os.remove(("%s/scenarios/%s.over"):format(helper.directory, id))
      os.remove(("%s/scenarios/%s.json"):format(helper.directory, id))
      os.remove(("%s/journal/%s.jsonl"):format(helper.directory, id))
    end,
  }
end

-- A fault that strikes a connection before any request on it; each request has its own.
local function raw_connections(files, place, times, text)
  local numbers = { token = 1, first = 2, middle = 4, last = 6, renewal = 5 }
  local number = numbers[place]
  for n = number, number + (times > 0 and times or 20) - 1 do files["connection." .. n] = text end
end

-- The files of a raw scene: the fault as the answer to the K-th request that it strikes.
local function raw_files(row, place, times)
  local text, files = resolve(row.raw, place), copy({}, resolve(row.files, place))
  local name, first = "page-" .. tostring(list.page_of[place]), 1
  if place == "token" then name = "token" end
  if place == "renewal" then
    name, first = "token", 2
    files["page-3.1"] = files["page-3.1"] or rawserver.script("close", "HTTP/1.1 401 No\r\n"
      .. "Content-Length: 0\r\nConnection: close\r\n\r\n")
    files["token.1"] = rawserver.script("close", rawserver.reply(list.token_body()))
  end
  if text and row.connection then
    raw_connections(files, place, times, text)
  elseif text then
    files[times > 0 and name .. "." .. first or name] = text
  end
  return files
end

local function raw_counts(scene, place)
  local pages, tokens = {}, 0
  for _, name in ipairs(rawserver.log(scene)) do
    local page = tonumber(name:match "^page%-(%d+)$")
    if page then
      pages[page] = (pages[page] or 0) + 1
    else
      tokens = tokens + 1
    end
  end
  return told(place, pages, tokens)
end

local function raw(row, place, times)
  local scene = rawserver.scene(raw_files(row, place, times))
  local options = rawserver.options()
  return {
    options = copy(options, resolve(row.urls, options.base_url, place)),
    counts = function() return raw_counts(scene, place) end,
    over = function() rawserver.over(scene) end,
    remove = function() rawserver.over(scene) end,
  }
end

-- A driver like the blocking one, but one that does not let a case hang.
local function guard()
  local last = os.time() + HUNG
  return { wait = function(client, seconds)
    if os.time() > last then error("the case hangs", 0) end
    blocking.wait(client, seconds)
  end }
end

-- Reads a listing up to its end or an error; adds to ids.
local function pull(listing, ids)
  local customer, err = listing:next()
  while customer do
    ids[#ids + 1] = customer.id
    customer, err = listing:next()
  end
  return err
end

-- After an error that nothing helps against, the same again, and nothing else.
local function call_again(listing, seen, times)
  for n = 1, times do
    seen.again[n] = select(2, listing:next())
    seen.calls = n
  end
end

-- Opens a listing of the customers, by the case's call.
local function open(case, client, options)
  if case.call == "customers" then
    return client:customers(options)
  end
  local its_own = copy({}, options)
  its_own.endpoint = nil
  return client:list("partner/external/v3/general/customers", its_own)
end

-- After the fault is over: the listing goes on; and a new one does, from the error's position.
local function go_on(case, client, listing, seen, options)
  local server = case.server
  server.over()
  if case.row.recover then case.row.recover() end
  local resumed = copy({ resume = seen.err.position }, options)
  seen.rest_err = pull(listing, seen.rest)
  seen.asked_after = select(2, server.counts())
  local by_position = case.mode == "once" or not case.row.once or case.row.once.whole
  seen.by_position = by_position and seen.err.position and not case.expected.stays
  if seen.by_position then
    seen.resumed_err = pull(open(case, client, resumed), seen.resumed)
  end
end

--- The client's options that are the row's own.
function run.client_options(case)
  return resolve(case.row.client, case.mode) or {}
end

--- Runs the case and gives what was seen: ids, err, tries, pages asked for, events, and after an
-- error again (errors of further calls), rest and resumed (ids), rest_err and resumed_err.
-- @param case row, call (customers or list), place, mode, times (1, or -1: until it is taken away),
-- expected
function run.case(case)
  local row, place = case.row, case.place
  local server = (row.server == "raw" and raw or simulated)(row, place, case.times)
  local client_options = run.client_options(case)
  local seen = { ids = {}, again = {}, rest = {}, resumed = {}, events = {}, calls = 0 }
  local client = avepoint.client(copy(copy(server.options, { max_attempts = 3, timeout = 5,
    max_retry_wait = 0.005, driver = guard(), on_event = function(event)
      seen.events[#seen.events + 1] = event
      if row.on_event then row.on_event(event) end
    end }), client_options))
  local options = copy({ page_size = list.size, endpoint = "get",
    concurrency = row.connection and 1 or 4 }, row.listing)
  local listing = open(case, client, options)
  case.server = server
  if row.prepare then row.prepare(place) end
  seen.err = pull(listing, seen.ids)
  seen.shown = tostring(listing) .. tostring(client)
  seen.stats = listing:stats()
  seen.tries, seen.asked = server.counts()
  if avepoint.is_error(seen.err) then
    if case.times < 0 or case.expected.stays then
      call_again(listing, seen, client_options.timeout and 0 or 1)
    end
    if not case.expected.endless then go_on(case, client, listing, seen, options) end
  else
    seen.rest_err = pull(listing, seen.rest) -- the end stays the end
    if row.recover then row.recover() end
  end
  client:close()
  server.remove()
  return seen
end

return run
