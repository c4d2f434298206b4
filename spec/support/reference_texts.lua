--- What the reference says of a function beyond its annotation: what it raises, and an example that
-- stands alone. reference.lua writes both into doc/reference.md; spec/readme_spec.lua runs the
-- examples.
-- SPDX-License-Identifier: MIT

local USE = "an argument error for wrong use"
local READS = "an `avepoint.Error` if something goes wrong"
local CALLS = READS .. ", or what the function raises"
local NOTHING = "nothing"
local OTHERS = "an argument error on a listing of other rows than customers"

local texts = {}

-- Adds a function's text. `example` begins behind `require "avepoint"`.
local function describe(name, raises, example)
  texts[name] = { raises = raises, example = 'local avepoint = require "avepoint"\n' .. example }
end

-- the module --------------------------------------------------------------------------------------

describe("avepoint.client", "an argument error for wrong options; `config` if a setting is missing "
  .. "or refused", [[
local client = avepoint.client { deadline = 300 } -- credentials from the environment
print(client:customers():total())
]])
describe("avepoint.customers", "an argument error for wrong options; `config` if the environment "
  .. "lacks a setting. Reading the listing raises an `avepoint.Error`", [[
for customer in avepoint.customers { page_size = 50 } do
  print(customer.organization)
end
]])
describe("avepoint.show", "an error if not all could be written; an `avepoint.Error` if the value "
  .. "is a listing that fails", [[
avepoint.show(avepoint.customers():first())
]])
describe("avepoint.progress", USE, [[
local listing = avepoint.customers { on_progress = avepoint.progress() }
print(listing:count())
]])
describe("avepoint.doctor", USE .. ". What fails is a line of the report, no error", [[
local healthy = avepoint.doctor()
os.exit(healthy and 0 or 1)
]])
describe("avepoint.logger", USE, [[
local client = avepoint.client { on_event = avepoint.logger("info", "json") }
print(client:customers():total())
]])
describe("avepoint.is_error", NOTHING, [[
local ok, err = pcall(avepoint.client, { base_url = "http://example.com" })
print(ok, avepoint.is_error(err), err.kind)
]])
describe("avepoint.async", NOTHING .. ": what `f` raises goes to `on_done`", [[
local uv = require "luv"
avepoint.async(function()
  return avepoint.customers():count()
end, print) -- nil and the number, or an error
uv.run()
]])

-- the client --------------------------------------------------------------------------------------

describe("client:customers", "an argument error for wrong options; `closed`. Reading the listing "
  .. "raises an `avepoint.Error`", [[
local client = avepoint.client()
print(client:customers { drift = "strict" }:count())
]])
describe("client:customer", USE .. "; " .. READS, [[
local client = avepoint.client()
local id = client:customers():first().id
avepoint.show(client:customer(id))
]])
describe("client:list", "an argument error for wrong options or a path that is none; `closed`. "
  .. "Reading the listing raises an `avepoint.Error`", [[
local client = avepoint.client { scope = "elements.license.read.all" }
local path = "partner/external/v3/general/customers/services/batch"
for row in client:list(path, { method = "POST", id = "customerId" }):take(3) do
  print(row.organization, #row.products)
end
]])
describe("client:get", "an argument error for wrong options or a path that is none; " .. READS, [[
local client = avepoint.client()
local reply = client:get("partner/external/v3/general/customers", { pageSize = 5 })
print(#reply.data, reply.metadata.totalCount)
]])
describe("client:close", NOTHING, [[
local client = avepoint.client()
print(client:customers():first().organization)
client:close()
]])
describe("client:fd", NOTHING, [[
local client = avepoint.client()
print(client:fd()) -- nil: nothing has been sent yet
]])
describe("client:timeout", NOTHING, [[
local client = avepoint.client()
print(client:timeout()) -- nil: nothing is due
]])
describe("client:step", NOTHING, [[
local client = avepoint.client()
print(client:step()) -- false: nothing has come
]])

-- the listing -------------------------------------------------------------------------------------

describe("listing:next", NOTHING .. " but what your own functions raise", [[
local listing = avepoint.customers()
local customer, err = listing:next()
print(customer and customer.organization or err)
]])
describe("listing:where", "an argument error for an unknown field, status or mode", [[
local names = { "Failed", "No Backup Update" }
print(avepoint.customers():where({ jobStatus = names, countryOrRegion = "japan" }):count())
]])
describe("listing:filter", USE .. ". What the function raises, reading the listing raises", [[
local several = avepoint.customers():filter(function(c) return #c.tenants > 1 end)
print(several:count())
]])
describe("listing:map", USE .. ". What the function raises, reading the listing raises", [[
for name in avepoint.customers():map(function(c) return c.organization end):take(3) do
  print(name)
end
]])
describe("listing:take", USE, [[
avepoint.customers():take(5):show()
]])
describe("listing:skip", USE, [[
print(avepoint.customers():skip(100):first().organization)
]])
describe("listing:failed", OTHERS, [[
print(avepoint.customers():failed():count())
]])
describe("listing:needs_attention", OTHERS, [[
avepoint.customers():needs_attention():show()
]])
describe("listing:with_status", "an argument error for an unknown status", [[
print(avepoint.customers():with_status("Failed", "Working"):count())
]])
describe("listing:in_country", USE, [[
print(avepoint.customers():in_country("Japan", "Poland"):count())
]])
describe("listing:managed_by", "an argument error for an unknown mode", [[
print(avepoint.customers():managed_by("partner"):count())
]])
describe("listing:with_tenant", USE, [[
print(avepoint.customers():with_tenant("cedarstream"):count())
]])
describe("listing:search", USE, [[
avepoint.customers():search("hotels"):show()
]])
describe("listing:collect", READS, [[
local list = avepoint.customers():collect()
print(#list)
]])
describe("listing:first", READS, [[
local customer = avepoint.customers():failed():first()
print(customer and customer.organization or "none has failed")
]])
describe("listing:count", READS, [[
print(avepoint.customers():count())
]])
describe("listing:each", USE .. "; " .. CALLS, [[
avepoint.customers():take(3):each(function(customer)
  print(customer.organization)
end)
]])
describe("listing:group_by", "an argument error for an unknown field; " .. READS, [[
local by_country = avepoint.customers():group_by "countryOrRegion"
print(#by_country["Japan"])
]])
describe("listing:count_by", "an argument error for an unknown field; " .. READS, [[
avepoint.show(avepoint.customers():count_by "jobStatus")
]])
describe("listing:index_by", "an argument error for an unknown field; " .. READS, [[
local by_name = avepoint.customers():index_by "organization"
avepoint.show(by_name["Cedar Stream Properties S.p.A."])
]])
describe("listing:show", "an argument error for an unknown column; an error if not all could be "
  .. "written; " .. READS, [[
avepoint.customers():failed():show(io.stdout, { columns = { "organization", "ownerEmail" } })
]])
describe("listing:write", "an argument error for an unknown format or field; an error if not all "
  .. "is written; " .. READS, [[
print(avepoint.customers():write("customers.jsonl", "jsonl"))
]])
describe("listing:pages", "an argument error on a filtered listing. Its iterator raises an "
  .. "`avepoint.Error`", [[
for customers, metadata in avepoint.customers():pages() do
  print(#customers, metadata.totalCount)
end
]])
describe("listing:total", READS, [[
print(avepoint.customers():total())
]])
describe("listing:position", NOTHING, [[
local listing = avepoint.customers()
listing:take(20):collect()
print(avepoint.customers({ resume = listing:position() }):count()) -- those behind
]])
describe("listing:stats", NOTHING, [[
local listing = avepoint.customers()
listing:collect()
avepoint.show(listing:stats())
]])
describe("listing:close", NOTHING, [[
local listing = avepoint.customers()
print(listing().organization)
listing:close()
]])

-- loops -------------------------------------------------------------------------------------------

describe("uv.run", NOTHING .. ": what `f` raises goes to `on_done`", [[
local uv, driver = require "luv", require "avepoint.driver.uv"
driver.run(function()
  print(avepoint.customers():count())
end)
uv.run()
]])
describe("uv.in_task", NOTHING, [[
local uv, driver = require "luv", require "avepoint.driver.uv"
print(driver.in_task()) -- false
avepoint.async(function() print(driver.in_task()) end) -- true
uv.run()
]])
describe("task:cancel", NOTHING, [[
local uv = require "luv"
local task = avepoint.async(function()
  return avepoint.customers():count()
end, print) -- prints: avepoint: cancelled
task:cancel()
uv.run()
]])

return texts
