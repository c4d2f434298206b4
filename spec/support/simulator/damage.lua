-- Faults of contents: each changes an answer that is otherwise sent as usual. The entries are
-- functions of the answer and the fault, by kind.
-- SPDX-License-Identifier: MIT
local bomb = require "bomb"

local DEPTH = 100000

local M = {}

function M.html(answer)
  answer.type = "text/html"
  answer.body = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\n"
    .. "<body><h1>Welcome</h1><p>Accept the terms of this network to go on.</p></body></html>\n"
end

function M.empty(answer)
  answer.body = nil
end

function M.truncated_json(answer)
  answer.body = answer.body:sub(1, math.floor(#answer.body / 2))
  answer.plain = true -- keeps Content-Length, which compression would drop
end

function M.invalid_utf8(answer)
  local _, last = answer.body:find('"organization":"', 1, true)
  last = last or answer.body:find('"', 1, true)
  answer.body = answer.body:sub(1, last) .. "\255\254\192\175" .. answer.body:sub(last + 1)
end

function M.deep_json(answer)
  answer.body = '{"data":' .. ("["):rep(DEPTH) .. ("]"):rep(DEPTH) .. "}"
end

-- The repeated members come last, so a decoder that lets the last one win reads the true page.
function M.duplicate_keys(answer)
  answer.body = '{"data":[],"metadata":{"pageIndex":0,"pageSize":0,"totalCount":0},'
    .. answer.body:sub(2)
end

function M.bomb(answer, fault)
  answer.body = bomb.spaces(fault.size or 2 ^ 30)
  answer.headers["Content-Encoding"] = "gzip"
end

return M
