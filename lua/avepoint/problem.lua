--- Completes errors on their way to the user: adds the caller's line and, if the reply has one, the
-- service's own sentence. What happened and what to do was worded before, in C: by explain.c for
-- requests, by drift.c for a list that moved. Also raises the argument errors of wrong use.
-- SPDX-License-Identifier: MIT

local core = require "avepoint.core"

local problem = {}

--- What Lua raises when memory runs out.
problem.MEMORY = "not enough memory"

--- Returns whether what our own Lua raised, or tells of, is lack of memory. Where its stack cannot
-- grow, Lua's library (table.sort on Lua 5.2 and 5.3) speaks of an overflow, with a parenthesis
-- that a true one has not.
function problem.is_memory(raised)
  local text = tostring(raised)
  return text:find(problem.MEMORY, 1, true) ~= nil or text:find("stack overflow (", 1, true) ~= nil
end

local SAID = 300 -- most columns of words that are not ours

local here = debug.getinfo(1, "S").source:gsub("problem%.lua$", "")

--- File and line of the first function on the stack that is not ours, as error() would put it.
function problem.caller()
  for level = 3, 30 do
    local info = debug.getinfo(level, "Sl")
    if not info then
      return nil
    end
    if info.currentline > 0 and info.source:sub(1, #here) ~= here then
      return ("%s:%d"):format(info.short_src, info.currentline)
    end
  end
end

--- Raises an argument error (string.format rules) at the first line on the stack that is not ours.
function problem.misuse(...)
  local text = ("%s: %s"):format(problem.caller() or "avepoint", (...):format(select(2, ...)))
  error(core.clean(text), 0)
end

--- Returns somebody else's words as part of one line: they must not steer a terminal. nil if they
-- are no text, or empty.
function problem.words(value)
  if type(value) == "string" and value ~= "" then
    local text = core.clean(value)
    local _, bytes = core.fit(text, SAID)
    return text:sub(1, bytes)
  end
end
local words = problem.words

-- The sentence in an error body, whichever of the service's forms it has.
local function sentence(reply)
  if type(reply) ~= "table" then
    return words(reply)
  end
  local first = type(reply.errors) == "table" and reply.errors[1]
  local inner = type(reply.error) == "table" and reply.error.message
  return words(reply.message) or words(reply.error_description) or words(inner)
    or words(reply.error) or words(reply.detail) or words(reply.title)
    or words(type(first) == "table" and first.message)
end

--- Adds what the error's body says.
local function add_words(err, decode)
  local ok, reply = pcall(decode, err.body)
  if not ok then
    return
  end
  local said = sentence(reply)
  if said and not err.message:find(said, 1, true) then
    err.message = ("%s (the service says: %s)"):format(err.message, said)
  end
  if type(reply) == "table" and not err.request_id then
    err.request_id = words(reply.requestId) or words(reply.traceId)
  end
end

--- Completes an error object before the user gets it.
-- @param err an error object
-- @param state the client's table
function problem.complete(err, state)
  if err.kind == "memory" then -- one object for all, and nothing may be made now
    return err
  end
  err.where = err.where or problem.caller()
  if err.body and err.status ~= 200 then
    add_words(err, state.decode)
  end
  return err
end

--- Completes an error object and raises it. nginx prints an uncaught error table as "unknown
-- reason", so its log gets the line from us.
function problem.raise(err, state)
  problem.complete(err, state)
  local ngx = rawget(_G, "ngx")
  if type(ngx) == "table" and ngx.log then
    ngx.log(ngx.ERR, tostring(err))
  end
  error(err, 0)
end

--- Raises a `config` error object.
function problem.raise_config(message)
  problem.raise(core.config_error(message))
end

return problem
