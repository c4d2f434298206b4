-- Only some of what steers a terminal was taken out: C1 controls as single bytes, characters that
-- turn the direction of text around, invisible ones and line separators went through into tables,
-- and all but C0 into errors, since there the service's words stand.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

-- Escapes of JSON, and bytes that are no UTF-8.
local HOSTILE = { "\\u0000", "\\u001b[31m", "\\u0007", "\\r", "\\n", "\\t", "\\u007f", "\\u0085",
  "\\u009b31m", "\\u202e", "\\u202a", "\\u2066", "\\u2069", "\\u200e", "\\u200f", "\\u061c",
  "\\u200b", "\\u200d", "\\u2060", "\\ufeff", "\\u2028", "\\u2029", "\\u00ad", "\\udb40\\udc41",
  "\155", "\133", "\144", "\255" }

-- What must be nowhere, as patterns.
local STEERING = { "[%z\1-\9\11-\31\127]", "\194[\128-\159]", "\194\173", "\226\128[\139-\143]",
  "\226\128[\168-\174]", "\226\129[\160-\175]", "\239\187\191", "\216\156", "\243\160[\128\129]",
  "\155", "\255" }

local function check(text, what)
  for _, pattern in ipairs(STEERING) do
    assert.is_nil(text:find(pattern), ("%s: %q in %q"):format(what, pattern, text))
  end
end

-- "<a>", what is hostile and "<z>", so that the blank between is seen.
local function words(escape)
  return "<a>" .. escape .. "<z>"
end

local function shown(value)
  local parts = {}
  avepoint.show(value, { write = function(_, ...)
    for _, part in ipairs { ... } do parts[#parts + 1] = part end
  end })
  return table.concat(parts)
end

describe("what steers a terminal is a blank", function()
  it("in tables and of one customer", function()
    local items = {}
    for i, escape in ipairs(HOSTILE) do
      items[i] = ([[{"id":"%d","organization":"%s","jobStatus":"%s","tenants":[{"id":"t%s",
        "name":"n%s"}],"odd%s":1}]]):format(i, words(escape), words(escape), escape, escape, escape)
    end
    local list = helper.client({ raw_items = items }):customers({ endpoint = "get" }):collect()
    assert.equal(#HOSTILE, #list)
    check(shown(list), "table")
    assert.equal(#HOSTILE + 1, select(2, shown(list):gsub("\n", "")))
    for i, customer in ipairs(list) do
      local text = shown(customer)
      check(text, HOSTILE[i])
      assert.matches("<a>[ ?].*<z>", text)
      assert.equal(5, select(2, text:gsub("\n", ""))) -- a line for each field
    end
  end)

  it("in counts, keys, lists of texts and texts", function()
    for _, escape in ipairs { "\27[31m", "\155", "\226\128\174", "\n" } do
      local text = words(escape)
      for _, value in ipairs { { [text] = 3 }, { [text] = "x" }, { x = { y = text, [text] = 1 } },
        { text } } do
        check(shown(value), escape)
        assert.matches("<a>[ ].*<z>", shown(value))
        assert.equal(1, select(2, shown(value):gsub("\n", "")))
      end
      check(shown(text), escape)
    end
  end)

  it("in an error's words of the service, its request id, its body when shown", function()
    for _, escape in ipairs(HOSTILE) do
      local id = helper.scenario { faults = { { on = "get", status = 403, times = -1,
        body = ([[{"message":"%s","requestId":"%s"}]]):format(words(escape), words(escape)) } } }
      local err = select(2, avepoint.client(helper.options(id))
        :customers({ endpoint = "get" }):next())
      assert.equal("forbidden", err.kind)
      check(tostring(err), escape)
      check(err.message, escape)
      check(err.request_id or "", escape)
      check(shown(err), escape)
      assert.matches("the service says: <a>[ ?].*<z>", err.message)
    end
  end)

  it("in what the identity server says", function()
    for _, escape in ipairs(HOSTILE) do
      local id = helper.scenario { faults = { { on = "token", status = 400, times = -1,
        body = ([[{"error":"odd%s","error_description":"%s"}]]):format(escape, words(escape)) } } }
      local err = select(2, avepoint.client(helper.options(id)):customers():next())
      assert.equal("auth", err.kind)
      for _, text in ipairs { tostring(err), err.message, tostring(err.code), shown(err) } do
        check(text, escape)
      end
      assert.matches("<a>[ ?].*<z>", err.message)
    end
  end)

  it("in argument errors and lines of the log", function()
    for _, text in ipairs { "\27[31m", "\155", "\226\128\174" } do
      check(helper.error_of(avepoint.client, { ["odd" .. text] = 1 }), text)
      check(require("avepoint.log").line { event = "warning", message = words(text) }, text)
    end
  end)

  it("but what joins emoji, and letters of scripts that join, stays", function()
    local coder, persian = "\240\159\145\169\226\128\141\240\159\146\187",
      "\217\133\219\140\226\128\140\216\174"
    assert.equal(coder .. "\n", shown { coder })
    assert.equal(persian .. "\n", shown { persian })
  end)

  it("and no secret comes out of it, echoed with such characters in it", function()
    local secret = "\239\187\191hQ7~s3cret\226\128\174of-the-client"
    local id = helper.scenario { faults = { { on = "token", status = 400, times = -1,
      body = ([[{"error":"odd","error_description":"not %s"}]]):format(secret) } } }
    local err = select(2, avepoint.client(helper.options(id, { client_secret = secret }))
      :customers():next())
    assert.not_matches("s3cret", helper.everything(err), 1, true)
  end)
end)
