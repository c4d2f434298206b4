-- The dashboard of examples/openresty as Chromium shows it. Not among the specs of `make test`,
-- since it needs a browser: `make browser`.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

local ONCE = "{ interval = 600, retry = 600, look = 0.02, lock = 60 }"
local pictures = helper.top .. "/build/browser"
os.execute("mkdir -p " .. pictures)

-- A browser needs a port; one that is taken lets nginx fail to start, so another is tried.
local function start(fields, settings)
  local id = helper.scenario(fields)
  for _ = 1, 20 do
    local port = math.random(20000, 32000)
    local ok, service = pcall(hosts.service, { id = id, settings = settings or ONCE,
      server = ("listen 127.0.0.1:%d;"):format(port) })
    if ok then
      service.url = ("http://127.0.0.1:%d/"):format(port)
      return service
    end
  end
  error "no port"
end

local function await(service, text)
  for _ = 1, 200 do
    if service.get("/customers"):find(text, 1, true) then
      return
    end
    os.execute "sleep 0.05"
  end
  error("never came: " .. text)
end

local function chromium(url, options)
  local profile, out = helper.temporary ".profile", helper.temporary ".dom"
  os.execute(("timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-quic "
    .. "--no-first-run --disable-background-networking --disable-component-update --disable-sync "
    .. "--disable-dev-shm-usage --hide-scrollbars --user-data-dir=%s --virtual-time-budget=3000 "
    .. "%s '%s' >%s 2>%s.err </dev/null"):format(profile, options, url, out, out))
  return helper.read(out), helper.read(out .. ".err")
end

local function dom(service, filter)
  return (chromium(service.url .. (filter or ""), "--dump-dom"))
end

local function picture(service, name, size, options)
  local path = ("%s/%s.png"):format(pictures, name)
  os.remove(path)
  chromium(service.url, ("--screenshot=%s --window-size=%s %s"):format(path, size, options or ""))
  local bytes = assert(helper.read(path), "no picture " .. name)
  assert.matches("^\137PNG", bytes)
  assert.is_true(#bytes > 20000, "an empty picture " .. name)
end

local function count(text, pattern)
  return select(2, text:gsub(pattern, ""))
end

describe("the dashboard", function()
  it("shows counts by status and all customers, the pressing ones first", function()
    local service = start { customers = 137 }
    finally(service.stop)
    await(service, '"total":137')
    local page = dom(service)
    assert.equal(137, count(page, '<tr role="row"><td'))
    assert.matches("55 of 137 need attention, as of %d+ seconds ago", page)
    assert.matches("<b>14</b><span>Failed</span>", page, 1, true)
    assert.matches("<b>68</b><span>Working</span>", page, 1, true)
    local first = page:match '<tbody.-<tr.-</tr>'
    assert.matches('class="badge bad">Failed<', first, 1, true)
    assert.matches('<div id="banner" role="alert" hidden="">', page, 1, true)
    assert.equal(0, count(page, "nonce=\"NONCE\""))
    picture(service, "wide", "1280,900")
    picture(service, "narrow", "420,1400")
    picture(service, "dark", "1280,900", "--blink-settings=preferredColorScheme=0")
  end)

  it("shows those of one status that a search finds", function()
    local service = start { customers = 137 }
    finally(service.stop)
    await(service, '"total":137')
    local page = dom(service, "#status=Failed")
    assert.equal(14, count(page, '<tr role="row"><td'))
    assert.matches("14 of 137, status Failed", page, 1, true)
    assert.matches('data-status="Failed" aria-pressed="true"', page, 1, true)
    page = dom(service, "#status=Failed&search=ATLAS")
    assert.equal(1, count(page, '<tr role="row"><td'))
    assert.matches("Atlas Station Logistics Inc.", page, 1, true)
    assert.matches("No customer matches.", dom(service, "#search=nobody"), 1, true)
  end)

  it("shows whatever a customer is called as text", function()
    local evil = '<script>document.title="taken"</script><img src=x onerror=alert(1)>'
    local service = start { items = {
      { id = "1", organization = evil, jobStatus = evil, ownerEmail = evil, countryOrRegion = evil,
        managementMode = 1, tenants = { { id = "t", name = evil } } },
      { id = "2", organization = "constructor", jobStatus = "__proto__" },
      { id = "3" },
    } }
    finally(service.stop)
    await(service, '"total":3')
    local page = dom(service)
    assert.equal(3, count(page, '<tr role="row"><td'))
    assert.matches("<title>Customers</title>", page, 1, true)
    assert.equal(1, count(page, "<script"))
    assert.equal(0, count(page, "<img"))
    assert.matches("&lt;script&gt;document.title=", page, 1, true)
    assert.matches("<span>__proto__</span>", page, 1, true)
  end)

  it("says that a list is out of date, and why", function()
    local service = start({ customers = 12, faults = {
      { on = "page", kind = "wait", seconds = 0 },
      { on = "page", status = 403, times = -1 },
    } }, "{ interval = 0.3, retry = 600, look = 0.02 }")
    finally(service.stop)
    await(service, '"stale":true')
    local page = dom(service)
    assert.matches('role="alert">This list is out of date, since it cannot be renewed: ', page, 1,
      true)
    assert.equal(12, count(page, '<tr role="row"><td'))
    picture(service, "stale", "1280,900")
  end)

  it("waits for the first list, and says why there is none", function()
    local service = start { token = { client_secret = "another" } }
    finally(service.stop)
    await(service, "invalid_client")
    local page = dom(service)
    assert.matches("There is no list yet: .*invalid_client", page)
    picture(service, "waiting", "1280,900")
  end)

  it("shows three thousand customers", function()
    local service = start { customers = 3000 }
    finally(service.stop)
    await(service, '"total":3000')
    assert.equal(3000, count(dom(service), '<tr role="row"><td'))
  end)
end)
