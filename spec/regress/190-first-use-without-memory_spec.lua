-- Modules that are loaded when they are first needed: where memory ran out meanwhile, the error was
-- a sentence about a module that cannot be loaded, or a `config` error about what is not installed,
-- and Lua 5.1 and LuaJIT refused the module from then on. (torture_spec.lua lets each allocation
-- fail; this stands for LuaJIT too, which takes no allocator of ours.)
-- SPDX-License-Identifier: MIT

local certificates = require "spec.support.certificates"
local helper = require "spec.helper"

local SCRIPT = [[
local avepoint = require "avepoint"
local out = { write = function() end }
local certificate = os.getenv "CERTIFICATE"
local client
local function use_certificate()
  return avepoint.client { client_id = "a", certificate = certificate .. ".pem",
    private_key = certificate .. ".key" }
end
local function write()
  local _, err = pcall(client.customers(client).write, client:customers(), out, "nonsense")
  if not tostring(err):find "nonsense" then error(err, 0) end
end
local function draw()
  avepoint.progress(out)
end
local function list()
  client = avepoint.client()
end
local function show()
  avepoint.show(1, out)
end
local function run()
  avepoint.async(function() end)
end

-- What needs a module; whether that is the module loaded first, or one behind it.
for _, case in ipairs { { "cjson", list }, { "avepoint.csv", write }, { "avepoint.progress", draw },
  { "avepoint.grid", show }, { "avepoint.sign", use_certificate }, { "luv", run } } do
  local name, use = case[1], case[2]
  assert(not package.loaded[name], name)
  package.preload[name] = function() error("not enough memory", 0) end
  local ok, err = pcall(use)
  assert(not ok and avepoint.is_error(err) and err.kind == "memory", name .. tostring(err))
  package.preload[name] = nil
  for other, value in pairs(package.loaded) do
    assert(type(value) ~= "userdata", other)
  end
  if name ~= "luv" then use() end
end
print "done"
]]

describe("a module that is loaded at first use while memory is out", function()
  it("is a memory error, and is loaded by the next call", function()
    local environment = helper.environment(helper.scenario { customers = 1 },
      { CERTIFICATE = certificates.make { key = "rsa:2048", names = false } })
    local said, code = helper.run(SCRIPT, environment)
    assert.equal(0, code, said)
    assert.equal("done\n", said)
  end)
end)
