-- Which fault of a scenario strikes a request. Faults are tried in the order of the scenario and
-- the first that strikes is the one; those behind it do not count that request. What a fault then
-- does is in damage.lua (other contents) and wire.lua (other conduct of the connection).
-- SPDX-License-Identifier: MIT
local damage = require "damage"
local reply = require "reply"
local wire = require "wire"

local KNOWN = {}
for name in ([[
  name on page times every kind status headers body seconds interval size content rows comment
  lasting turns
]]):gmatch("%S+") do KNOWN[name] = true end

local PLACES = {}
for name in ("token page any get batch services jobs overview"):gmatch("%S+") do
  PLACES[name] = true
end

-- Kinds that paging.lua obeys while it puts the page together.
local PAGING = { repeat_page = true, drop_rows = true }

local M = {}

function M.check(list)
  for _, fault in ipairs(list) do
    for name in pairs(fault) do assert(KNOWN[name], "unknown field in a fault: " .. name) end
    assert(PLACES[fault.on], "a fault needs `on`: token, page, any or the name of a read")
    for _, one in ipairs(fault.turns or { fault }) do
      assert(one.status or one.kind, "a fault needs a status or a kind")
      assert(not one.kind or PAGING[one.kind] or damage[one.kind] or wire.kinds[one.kind],
        "unknown kind of fault: " .. tostring(one.kind))
    end
  end
end

-- endpoint: the name of a route of service.lua; page and last are nil for the token endpoint
local function concerns(fault, endpoint, page, last)
  local on = fault.on
  if on ~= "any" and on ~= endpoint and not (on == "page" and page) then return false end
  if fault.page == nil then return true end
  return page == (fault.page == "last" and last or fault.page)
end

-- A lasting fault ends when somebody says so: by a file beside the scenario's.
local function is_over(scene, fault)
  if not fault.lasting then return false end
  local file = io.open(scene.path .. ".over", "rb")
  if file then file:close() end
  return file ~= nil
end

-- pick(scene, endpoint, page, last): the fault that strikes, or nil
function M.pick(scene, endpoint, page, last)
  for _, fault in ipairs(scene.faults or {}) do
    local left = fault.times or 1
    if concerns(fault, endpoint, page, last) and (fault.struck or 0) ~= left
      and not is_over(scene, fault) then
      fault.seen = (fault.seen or 0) + 1
      if fault.seen % (fault.every or 1) == 0 then
        fault.struck = (fault.struck or 0) + 1
        local turns = fault.turns
        return turns and turns[(fault.struck - 1) % #turns + 1] or fault
      end
    end
  end
  return nil
end

local REPLACING = {
  html = true, empty = true, bomb = true, deep_json = true, endless_headers = true, reset = true,
}

-- Whether the fault takes the place of the answer: then nothing is listed or issued for it.
function M.replaces_answer(fault)
  return fault.status ~= nil or REPLACING[fault.kind] or false
end

-- apply(fault or nil, answer or nil): the answer as the fault leaves it; without an answer, the
-- one that the fault itself describes
function M.apply(fault, answer)
  if not fault then return answer end
  answer = answer or reply.from_fault(fault)
  if damage[fault.kind] and answer.status ~= 204 then damage[fault.kind](answer, fault) end
  answer.fault = fault
  return answer
end

function M.name(fault)
  return fault.name or fault.kind or "status " .. fault.status
end

return M
