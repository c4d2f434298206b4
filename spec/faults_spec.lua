-- The fault matrix: each row of spec/support/faults.lua, at each of its places, once and until the
-- retries are spent. `make faults` runs it alone and prints its table.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"
local list = require "spec.support.faults.list"
local rawserver = require "spec.support.faults.rawserver"
local rows = require "spec.support.faults"
local run = require "spec.support.faults.run"
local table_of = require "spec.support.faults.table"

local CHECKER = os.getenv "AVP_CHECKER"
local QUICK = CHECKER and 30 or 3 -- seconds within which a case ends that waits for nothing
local CUSTOMERS = "/partner/external/v3/general/customers"

-- The time that a case may take: each try its timeout, with the longest wait between two.
local function time_allowed(case)
  local client = run.client_options(case)
  if not client.timeout then return QUICK end
  return (client.max_attempts or 3) * client.timeout + QUICK
end

local function slice(from, to)
  local ids = {}
  for n = from, to do ids[#ids + 1] = list.ids[n] end
  return ids
end

local function sorted(ids)
  local copy = {}
  for i, id in ipairs(ids) do copy[i] = id end
  table.sort(copy)
  return copy
end

local function joined(one, two)
  local ids = {}
  for _, part in ipairs { one, two } do
    for _, id in ipairs(part) do ids[#ids + 1] = id end
  end
  return ids
end

local function assert_distinct(ids)
  local seen = {}
  for _, id in ipairs(ids) do
    assert.is_nil(seen[id])
    seen[id] = true
  end
end

-- All customers, each once; in the list's order where nothing had to be read again.
local function assert_whole(ids, outcome)
  local wanted = outcome.ids or list.ids
  if wanted == "distinct" then
    assert_distinct(ids)
  elseif outcome.any_order then
    assert.same(sorted(wanted), sorted(ids))
  else
    assert.same(wanted, ids)
  end
end

-- Each page but the struck one was asked for once: what had arrived is not asked for again.
local function assert_asked_once(case, asked)
  if case.row.loose or case.place == "list" then return end
  for page = 1, list.pages do
    if page ~= list.page_of[case.place] then assert.equal(1, asked[page], "page " .. page) end
  end
end

local function warnings(events)
  local n = 0
  for _, event in ipairs(events) do
    if event.event == "warning" then n = n + 1 end
  end
  return n
end

local function assert_no_secrets(seen)
  local text = helper.everything { seen.err, seen.again, seen.events, seen.shown }
  assert.not_matches(list.token, text, 1, true)
  assert.not_matches(helper.client_secret, text, 1, true)
end

local function check_whole(case, seen, outcome)
  assert.is_nil(seen.err and tostring(seen.err))
  assert_whole(seen.ids, outcome)
  assert.is_nil(seen.rest_err)
  assert.same({}, seen.rest)
  assert.equal(outcome.missing or 0, seen.stats.missing)
  assert.equal(outcome.missing and 1 or 0, warnings(seen.events))
  if not outcome.again then
    assert.equal(1, seen.stats.readings)
    assert.equal(0, seen.stats.went_back)
  end
  assert_asked_once(case, seen.asked)
end

-- Where the error says that it happened.
local function check_place(case, err, outcome)
  assert.equal(list.page_of[case.place], err.page)
  if outcome.attempts ~= "any" then
    assert.equal(outcome.attempts or outcome.tries, err.attempts)
  end
  local at_token = case.place == "token" or case.place == "renewal"
  assert.matches(at_token and "/connect/token$" or CUSTOMERS, err.url)
  if outcome.retryable == "any" then return end
  if outcome.retryable ~= nil then
    assert.equal(outcome.retryable, err.retryable)
  elseif case.row.once and not outcome.asked_to_wait then
    assert.equal(case.row.once.whole or false, err.retryable)
  end
end

local function check_error(case, err, outcome)
  assert.is_true(avepoint.is_error(err), tostring(err))
  assert.equal(outcome.kind, err.kind, tostring(err))
  assert.is_true(#err.message > 10)
  assert.is_nil(tostring(err):find "[%z\1-\31\127]")
  assert.equal(outcome.status, outcome.status and err.status)
  assert.equal(outcome.code, outcome.code and err.code)
  assert.is_string(err.position)
  if case.place ~= "list" and not outcome.stays then check_place(case, err, outcome) end
  if outcome.asked_to_wait then
    assert.is_true(err.retry_after > 0.005 and err.retryable)
    assert.matches("max_retry_wait", err.message, 1, true)
  end
end

local function check_failed(case, seen, outcome)
  check_error(case, seen.err, outcome)
  assert.matches("spec/support/faults/run.lua:%d+$", seen.err.where)
  local page = list.page_of[case.place]
  local before = outcome.yields or page and (page - 1) * list.size
  if before == "distinct" then
    assert_distinct(seen.ids)
  elseif outcome.stays then
    assert.same(slice(1, before), sorted(seen.ids))
  else
    assert.same(slice(1, before), seen.ids)
  end
  for n = 1, seen.calls do -- called again, it fails again, and says the same
    check_error(case, seen.again[n], outcome)
    assert.equal(seen.err.position, seen.again[n].position)
  end
  if outcome.endless then return end
  assert.is_nil(seen.resumed_err and tostring(seen.resumed_err))
  if outcome.stays then
    assert.equal(outcome.kind, seen.rest_err and seen.rest_err.kind)
    assert.same({}, seen.rest)
    return
  end
  assert.is_nil(seen.rest_err and tostring(seen.rest_err))
  assert_whole(joined(seen.ids, seen.rest), outcome) -- it goes on where it stood
  if seen.by_position then assert.same(seen.rest, seen.resumed) end -- and so does another one
  assert_asked_once(case, seen.asked_after)
end

local function check(case)
  local outcome = case.expected
  local seen = run.case(case)
  local whole = outcome.whole or outcome.or_whole and not seen.err
  assert.is_true(seen.stats.seconds < time_allowed(case), seen.stats.seconds)
  if whole then
    check_whole(case, seen, outcome)
  else
    check_failed(case, seen, outcome)
  end
  if not (case.row.loose and whole) and not case.row.uncounted then
    assert.equal(outcome.tries, seen.tries, "tries")
  end
  assert_no_secrets(seen)
end

describe("the fault matrix", function()
  it("is as large as doc/consistency.md says", function()
    assert.matches(table_of.size(rows), helper.read(helper.top .. "/doc/consistency.md"), 1, true)
  end)
end)

describe("#matrix the fault matrix:", function()
  setup(rawserver.start)
  teardown(function()
    rawserver.stop()
    table_of.write(rows)
  end)

  local function add_case(row, call, place, mode)
    local outcome = row[mode]
    it(("%s (%s), %s at %s, %s: %s"):format(row.name, row.group, call, place, mode,
      table_of.words(outcome)), function()
      table_of.count(row, false)
      check { row = row, call = call, place = place, mode = mode,
        times = mode == "once" and 1 or -1, expected = outcome }
      table_of.count(row, true)
    end)
  end

  for _, row in ipairs(rows) do
    for _, mode in ipairs { "once", "spent" } do
      for _, place in ipairs(row[mode] and row.at or {}) do
        for _, call in ipairs(table_of.calls(row, place)) do
          if call == "customers" or not CHECKER then -- a checker sees the same C code in both
            add_case(row, call, place, mode)
          end
        end
      end
    end
  end
end)
