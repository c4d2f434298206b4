-- The reads that the simulator serves beside the customers, as the documents have them. Asked with
-- curl, so that nothing of the library is needed.
-- SPDX-License-Identifier: MIT

local cjson = require "cjson"
local helper = require "spec.helper"

local CUSTOMERS = "/partner/external/v3/general/customers"
local SERVICES = CUSTOMERS .. "/services/batch"
local NOON = 1773576000 -- 2026-03-15, 12:00 UTC

local function curl(arguments)
  local pipe = io.popen(("env -u LD_PRELOAD curl -s --max-time 30 "
    .. "--cacert '%s' -w '\n%%{http_code}' %s"):format(helper.ca_file,
    arguments))
  local said = pipe:read "*a"
  pipe:close()
  local body, status = said:match "^(.*)\n(%d+)$"
  return tonumber(status), body ~= "" and cjson.decode(body) or nil
end

-- A function that asks a scenario: status and decoded body of a path. With a body it is a POST;
-- `false` is a POST without one.
local function service(fields, scope)
  local id = helper.scenario(fields)
  local base, token_url = helper.urls(id)
  local _, granted = curl(("'%s' -d 'grant_type=client_credentials&client_id=%s&client_secret=%s"
    .. "&scope=%s'"):format(token_url, helper.client_id, helper.client_secret,
    scope or "elements.customers.read.all elements.license.read.all elements.jobs.read.all "
    .. "elements.cbprotected.read.all"))
  return function(path, body)
    local sent = body == nil and "" or body and ("-H 'Content-Type: application/json' -d '%s'")
      :format(cjson.encode(body)) or "-X POST"
    return curl(("-H 'Authorization: Bearer %s' %s '%s%s'"):format(granted.access_token, sent, base,
      path))
  end, id
end

local function customer_ids(ask, count)
  local _, reply = ask(CUSTOMERS .. "?pageSize=" .. count)
  return helper.ids(reply.data)
end

local function jobs_of(id, query)
  return ("%s/%s/avpt-products/jobs/batch%s"):format(CUSTOMERS, id, query or "")
end

local function overview_of(id)
  return ("%s/%s/cloud-backup-m365/overview"):format(CUSTOMERS, id)
end

describe("a read of the simulator", function()
  it("needs the scope of its own", function()
    local scopes = { services = "license", jobs = "jobs", overview = "cbprotected",
      customers = "customers" }
    local ids = customer_ids(service { customers = 1 }, 1)
    for granted, word in pairs(scopes) do
      local ask = service({ customers = 1 }, "elements." .. word .. ".read.all")
      local statuses = {
        services = (ask(SERVICES, false)),
        jobs = (ask(jobs_of(ids[1]), false)),
        overview = (ask(overview_of(ids[1]))),
        customers = (ask(CUSTOMERS)),
      }
      for name, status in pairs(statuses) do
        assert.equal(name == granted and 200 or 403, status, name .. " with " .. word)
      end
    end
  end)

  it("takes the documented method, query and body only", function()
    local ask = service { customers = 1 }
    local id = customer_ids(ask, 1)[1]
    assert.equal(405, (ask(SERVICES)))
    assert.equal(405, (ask(jobs_of(id))))
    assert.equal(405, (ask(overview_of(id), {})))
    assert.equal(400, (ask(SERVICES .. "?pageSize=101", false)))
    assert.equal(400, (ask(jobs_of(id, "?page=1"), false)))
    assert.equal(400, (ask(jobs_of(id), { jobType = "7" })))
    assert.equal(400, (ask(SERVICES, { customerIds = id })))
    assert.equal(404, (ask(CUSTOMERS .. "/" .. id)))
  end)

  it("answers 404 for a customer that is not in the list", function()
    local ask = service { customers = 3, changes = { { before = 2, remove = 1 } } }
    local id = customer_ids(ask, 3)[1]
    assert.equal(200, (ask(jobs_of(id), false)))
    customer_ids(ask, 3)
    for _, gone in ipairs { id, "00000000-0000-4000-8000-000000000000", "services" } do
      assert.equal(404, (ask(jobs_of(gone), false)))
      assert.equal(404, (ask(overview_of(gone))))
    end
  end)

  it("is struck by the faults that name it, and by those of pages", function()
    local faults = { { on = "page", status = 500 } }
    for i, name in ipairs { "services", "jobs", "overview" } do
      faults[i + 1] = { on = name, status = 502 + i }
    end
    local ask = service { customers = 1, faults = faults, endpoints = { get = 501 } }
    local _, list = service { customers = 1 } (CUSTOMERS)
    local id = list.data[1].id
    assert.equal(500, (ask(SERVICES, false)))
    assert.equal(503, (ask(SERVICES, false)))
    assert.equal(504, (ask(jobs_of(id), false)))
    assert.equal(505, (ask(overview_of(id))))
    assert.equal(501, (ask(CUSTOMERS)))
    assert.equal(200, (ask(SERVICES, false)))
  end)
end)

describe("the services of all customers", function()
  it("are one row a customer, paged, all values of products texts", function()
    local ask = service { customers = 120 }
    local ids, found, products = customer_ids(ask, 120), {}, 0
    for page, count in ipairs { 50, 50, 20, 0 } do
      local status, reply = ask(SERVICES .. "?pageIndex=" .. page, {})
      assert.equal(200, status)
      assert.same({ pageIndex = page, pageSize = 50, totalCount = 120 }, reply.metadata)
      assert.equal(count, #reply.data)
      for _, row in ipairs(reply.data) do
        found[#found + 1] = row.customerId
        for _, product in ipairs(row.products) do
          products = products + 1
          for _, value in pairs(product) do
            assert.equal("string", type(value))
          end
        end
      end
    end
    assert.same(ids, found)
    assert.is_true(products > 120)
  end)

  it("may be asked for by id", function()
    local ask = service { customers = 9 }
    local ids = customer_ids(ask, 9)
    local _, reply = ask(SERVICES, { customerIds = { ids[7], ids[2] } })
    assert.equal(2, reply.metadata.totalCount)
    assert.equal(ids[2], reply.data[1].customerId)
    assert.equal(ids[7], reply.data[2].customerId)
  end)

  it("move with the list", function()
    local ask, id = service { customers = 5, total_add = 1,
      changes = { { before = 2, remove = 1 } },
      faults = { { on = "services", page = 3, kind = "drop_rows" } } }
    local _, before = ask(SERVICES .. "?pageSize=2", {})
    local _, behind = ask(SERVICES .. "?pageSize=2&pageIndex=2", {})
    assert.equal(6, before.metadata.totalCount)
    assert.equal(5, behind.metadata.totalCount)
    local _, last = ask(SERVICES .. "?pageSize=1&pageIndex=3", {})
    assert.same({}, last.data)
    assert.equal(2, helper.journal(id, "/services/batch")[2].list)
  end)
end)

describe("the jobs of a customer", function()
  -- All jobs of so many customers.
  local function all_jobs(ask, count)
    local jobs = {}
    for _, id in ipairs(customer_ids(ask, count)) do
      local _, reply = ask(jobs_of(id), {})
      assert.equal(#reply.data, reply.metadata.totalCount)
      for _, job in ipairs(reply.data) do jobs[#jobs + 1] = job end
    end
    return jobs
  end

  it("have counters as text, numbers as codes, times near the service's", function()
    local failed, ids = 0, {}
    for _, job in ipairs(all_jobs(service { customers = 20, now = NOON }, 20)) do
      assert.is_nil(ids[job.jobId])
      ids[job.jobId] = true
      for _, name in ipairs { "total", "failed", "successful", "skipped", "warning" } do
        assert.matches("^%d+$", job[name .. "Count"])
        assert.equal("string", type(job[name .. "Count"]))
      end
      for _, name in ipairs { "jobType", "jobModule", "status" } do
        assert.equal("number", type(job[name]))
      end
      assert.matches("^2026%-03%-%d%dT%d%d:%d%d:%d%dZ$", job.startTime)
      assert.is_true(job.startTime < "2026-03-15T12" and job.startTime > "2026-03-10")
      assert.equal(job.status == 1, job.endTime == "N/A")
      if job.status == 3 and job.startTime:sub(1, 10) == "2026-03-14" then failed = failed + 1 end
    end
    assert.equal(6, failed) -- two in twenty, three jobs a day each
  end)

  it("are the same each time, newest first, in pages", function()
    local ask = service { customers = 1, now = NOON, jobs = 230 }
    local id = customer_ids(ask, 1)[1]
    local starts = {}
    for page, count in ipairs { 100, 100, 30, 0 } do
      local _, reply = ask(jobs_of(id, "?pageSize=100&pageIndex=" .. page), {})
      assert.equal(count, #reply.data)
      assert.equal(230, reply.metadata.totalCount)
      for _, job in ipairs(reply.data) do
        assert.is_true(#starts == 0 or job.startTime < starts[#starts])
        starts[#starts + 1] = job.startTime
      end
      local _, again = ask(jobs_of(id, "?pageSize=100&pageIndex=" .. page), {})
      assert.same(reply, again)
    end
  end)

  it("may be asked for by type and module", function()
    local ask = service { customers = 1, jobs = 90 }
    local id = customer_ids(ask, 1)[1]
    local _, exchange = ask(jobs_of(id), { jobType = 7, jobModule = 303 })
    local _, nothing = ask(jobs_of(id), { jobType = 7, jobModule = 501 })
    assert.is_true(#exchange.data > 5 and #exchange.data < 90)
    for _, job in ipairs(exchange.data) do
      assert.same({ 7, 303 }, { job.jobType, job.jobModule })
    end
    assert.same({ 0, 0 }, { #nothing.data, nothing.metadata.totalCount })
  end)
end)

describe("the overview of a customer's backups", function()
  it("has a row for each module, or none", function()
    local ask = service { customers = 4 }
    local ids = customer_ids(ask, 4)
    local _, reply = ask(overview_of(ids[1]) .. "?pageSize=3&pageIndex=2")
    assert.equal(5, reply.metadata.totalCount)
    assert.equal(2, #reply.data)
    assert.equal(ids[1], reply.data[1].customerId)
    assert.equal("Cloud Backup for Microsoft 365", reply.data[1].serviceType)
    assert.equal("number", type(reply.data[1].totalScannedObjects))
    local _, none = ask(overview_of(ids[4]))
    assert.same({ 0, 0 }, { #none.data, none.metadata.totalCount })
  end)
end)
