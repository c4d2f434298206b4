-- What is printed for people: listings, lists, customers and errors.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local helper = require "spec.helper"

-- What f(file) writes, in lines.
local function written(f)
  local path = helper.temporary ".txt"
  local file = assert(io.open(path, "wb"))
  f(file)
  file:close()
  local lines = {}
  for line in helper.read(path):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines, helper.read(path)
end

local function items(...)
  return helper.client({ raw_items = { ... } }):customers { endpoint = "get" }
end

-- Columns of a UTF-8 text on a terminal, where the characters of East Asia take two.
local function width(text)
  local _, continuing = text:gsub("[\128-\191]", "")
  local _, wide = text:gsub("[\227-\237]", "")
  return #text - continuing + wide
end

describe("show()", function()
  it("prints a table whose columns stand under each other", function()
    local client = helper.client { customers = 30 }
    local customers = client:customers():collect()
    local lines = written(function(file) client:customers():show(file) end)
    assert.equal(31, #lines)
    for i, customer in ipairs(customers) do
      assert.matches(customer.organization, lines[i + 1], 1, true)
    end
    local at = lines[1]:find("STATUS", 1, true)
    assert.is_truthy(at)
    for i, customer in ipairs(customers) do
      local name = lines[i + 1]
      local byte_at = name:find(customer.jobStatus, 1, true)
      local found = false
      while byte_at do
        found = found or width(name:sub(1, byte_at - 1)) == at - 1
        byte_at = name:find(customer.jobStatus, byte_at + 1, true)
      end
      assert.is_true(found, name)
    end
  end)

  it("says on a terminal that there is nothing; elsewhere nothing: cron sends no mail", function()
    local environment = helper.environment(helper.scenario { customers = 0 })
    local script = [[require("avepoint").customers():show()]]
    assert.equal("(none)\n", helper.run_on_terminal(script, 80, environment))
    assert.equal("", (helper.run(script, environment)))
  end)

  it("fits into the terminal, and into COLUMNS before that", function()
    for _, columns in ipairs { 20, 60, 80, 120, 200 } do
      for _, told in ipairs { false, columns } do
        local environment = helper.environment(helper.scenario { customers = 30 },
          { COLUMNS = told, NO_COLOR = 1 })
        local out = helper.run_on_terminal([[require("avepoint").customers():show()]],
          told and 77 or columns, environment)
        local widest, lines = 0, 0
        for line in out:gmatch "[^\n]+" do
          widest, lines = math.max(widest, width(line)), lines + 1
        end
        assert.is_true(lines >= 31, out)
        assert.is_true(widest <= columns, widest .. " columns")
        assert.matches("ORGANIZATION", out, 1, true)
      end
    end
  end)

  it("shows modes, tenants and what is absent", function()
    local lines = written(function(file)
      items([[{"id":"a","organization":"Acme","jobStatus":2,"managementMode":1,
        "tenants":[{"id":"t1","name":"one"},{"Id":"t2"}]}]], '{"id":"b"}'):show(file)
    end)
    assert.matches("Acme", lines[2], 1, true)
    assert.matches("Failed", lines[2], 1, true)
    assert.matches("partner", lines[2], 1, true)
    assert.matches("one, t2", lines[2], 1, true)
    assert.matches("^%-%s+%-", lines[3])
  end)

  it("lets no control character through", function()
    local lines, text = written(function(file)
      items([[{"id":"a","organization":"one\ntwo\r\u001b[31mred\u0007\t\u007f\u0000end",
        "ownerEmail":"\u0085\u009b31m","tenants":[{"id":"x","name":"t\nu"}]}]]):show(file)
    end)
    assert.equal(2, #lines)
    assert.is_nil(text:gsub("\n", ""):find "[%z\1-\31\127]")
    assert.is_nil(text:find "\194[\128-\159]") -- the C1 controls, which terminals obey too
    assert.matches("red", lines[2], 1, true)
  end)

  local rows = { '{"id":"a","organization":"Zürich Käse","jobStatus":1}',
    '{"id":"b","organization":"Zurich Kase","jobStatus":1}',
    '{"id":"c","organization":"' .. ("ä"):rep(300) .. '","jobStatus":1}' }

  -- The columns of the terminal at which the status stands, which must be the same for all.
  local function place_of(lines)
    local places = {}
    for i = 2, 4 do
      places[i - 1] = width(lines[i]:sub(1, lines[i]:find("Working", 1, true)))
    end
    assert.equal(places[1], places[2])
    assert.equal(places[1], places[3])
    return places[1]
  end

  it("keeps columns in line with names of several bytes, and cuts nothing in a file", function()
    local lines, text = written(function(file) items(rows[1], rows[2], rows[3]):show(file) end)
    assert.is_true(place_of(lines) > 300)
    assert.matches(("ä"):rep(300), text, 1, true)
  end)

  it("cuts long ones on the screen", function()
    local out = helper.run_on_terminal(
      [[require("avepoint").customers({ endpoint = "get" }):show()]], 100,
      helper.environment(helper.scenario { raw_items = rows }, { NO_COLOR = 1 }))
    local lines = {}
    for line in out:gmatch "[^\n]+" do
      lines[#lines + 1] = line
    end
    assert.is_true(place_of(lines) < 100)
  end)

  it("prints nothing but the head of an empty list, if that", function()
    local lines = written(function(file)
      helper.client({ customers = 0 }):customers():show(file)
    end)
    assert.is_true(#lines <= 1)
  end)

  it("prints what a map made of customers", function()
    local lines = written(function(file)
      helper.client({ customers = 3 }):customers():map(function(c)
        return c.organization .. "\27"
      end):show(file)
    end)
    assert.equal(3, #lines)
    assert.not_matches("\27", table.concat(lines), 1, true)
    local odd = written(function(file)
      helper.client({ customers = 3 }):customers():map(function() return false end):show(file)
    end)
    assert.same({ "false", "false", "false" }, odd)
  end)

  it("takes raw customers as well", function()
    local lines = written(function(file)
      local item = '{"id":"a","organization":null,"jobStatus":2,"tenants":null}'
      helper.client({ raw_items = { item } })
        :customers({ endpoint = "get", raw = true }):show(file)
    end)
    assert.equal(2, #lines)
    assert.not_matches("userdata", lines[2], 1, true)
  end)
end)

describe("avepoint.show", function()
  it("prints a listing, a list, a customer and anything else", function()
    local client = helper.client { customers = 3 }
    local list = client:customers():collect()
    local whole = written(function(file) client:customers():show(file) end)
    assert.same(whole, (written(function(file) avepoint.show(client:customers(), file) end)))
    assert.same(whole, (written(function(file) avepoint.show(list, file) end)))
    local lines = written(function(file) avepoint.show(list[1], file) end)
    local text = table.concat(lines, "\n")
    for field, value in pairs(list[1]) do
      assert.matches(field, text, 1, true)
      if type(value) ~= "table" then assert.matches(tostring(value), text, 1, true) end
    end
    assert.same({ "5" }, (written(function(file) avepoint.show(5, file) end)))
    assert.same({ "nil" }, (written(function(file) avepoint.show(nil, file) end)))
  end)

  it("prints an error with its fields", function()
    local client = helper.client { customers = 1, endpoints = { get = 403, batch = 403 } }
    local _, err = client:customers():next()
    local text = table.concat((written(function(file) avepoint.show(err, file) end)), "\n")
    for _, field in ipairs { "kind", "message", "status", "where", "request_id" } do
      assert.matches(field, text, 1, true)
    end
    assert.matches("forbidden", text, 1, true)
    assert.not_matches(helper.client_secret, text, 1, true)
  end)

  it("prints to standard output where no file is given", function()
    local out = helper.run([[
      local avepoint = require "avepoint"
      avepoint.show((avepoint.customers():take(1)))
      avepoint.customers():take(1):show()
    ]], helper.environment(helper.scenario { customers = 3 }))
    local _, lines = out:gsub("\n", "")
    assert.equal(4, lines)
    assert.equal(out:sub(1, #out / 2), out:sub(#out / 2 + 1))
  end)
end)
