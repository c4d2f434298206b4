-- Programs that refuse globals which nobody declared (`strict.lua`, __index of _G raises) got an
-- error about `ngx` or `vim` in place of the module's own.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local STRICT = [[
setmetatable(_G, { __index = function(_, name) error("undeclared global " .. tostring(name), 2) end,
  __newindex = function(_, name) error("undeclared global " .. tostring(name) .. " set", 2) end })
]]

describe("a program that refuses undeclared globals", function()
  it("gets customers, errors, events, doctor, show, where they are asked for first", function()
    local client, id = helper.client { customers = 3 }
    client:close()
    local said, code = helper.run(STRICT .. [[
      local avepoint = require "avepoint"
      print(avepoint.customers():needs_attention():count() <= 3)
      avepoint.show(avepoint.customers())
      print(avepoint.doctor())
      avepoint.logger "info" { event = "page", page = 1, time = 0 }
      avepoint.logger("info", "json") { event = "page", page = 1, time = 0 }
      print(select(2, pcall(avepoint.client, { nonsense = 1 })))
      print(select(2, pcall(avepoint.client, { token_store = "tokens" })))
    ]], helper.environment(id))
    assert.equal(0, code, said)
    assert.not_matches("undeclared", said, 1, true)
    assert.matches("unknown option 'nonsense'", said, 1, true)
    assert.matches("this is not nginx", said, 1, true)
  end)

  it("gets the error object of a listing and of a client", function()
    local id = helper.scenario { faults = { { on = "page", status = 403, times = -1 } } }
    local said, code = helper.run(STRICT .. [[
      local avepoint = require "avepoint"
      local _, err = pcall(avepoint.customers())
      print(avepoint.is_error(err), err.kind)
      _, err = pcall(avepoint.client, { base_url = "http://example.org" })
      print(avepoint.is_error(err), err.kind)
    ]], helper.environment(id))
    assert.equal(0, code, said)
    assert.equal("true\tforbidden\ntrue\tconfig\n", said)
  end)

  it("is told where to find lua-cjson if that is missing", function()
    local said = helper.run(STRICT .. [[
      package.preload.cjson = function() error "none" end
      print(pcall(require "avepoint".client, { client_id = "x", client_secret = "y" }))
      package.preload.cjson = nil
      print(pcall(require "avepoint".doctor))
    ]])
    assert.not_matches("undeclared", said, 1, true)
    assert.matches("avepoint needs lua-cjson", said, 1, true)
  end)
end)
