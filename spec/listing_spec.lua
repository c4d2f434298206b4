-- Listings: lazy, read once, and asking for no page that nobody needs.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local is_54 = _VERSION == "Lua 5.4" or _VERSION == "Lua 5.5"

-- Lets a client do whatever it would do by itself.
local function settle(client)
  for _ = 1, 20 do
    client:step()
    os.execute "sleep 0.005"
  end
end

describe("a listing", function()
  it("sends nothing before the first customer is asked for", function()
    local client, id = helper.client { customers = 23 }
    local listing = client:customers { page_size = 5 }
    listing = listing:where({ jobStatus = "Working" }):map(tostring):skip(1):take(3)
    settle(client)
    assert.same({}, helper.journal(id))
    assert.is_string(listing())
    assert.is_true(#helper.journal(id) >= 2)
  end)

  it("asks for one token and one page for first()", function()
    local client, id = helper.client { customers = 250 }
    local listing = client:customers()
    local one = listing:first()
    local two = listing:first()
    settle(client)
    assert.not_equal(one.id, two.id)
    assert.equal(2, #helper.journal(id))
    assert.equal(1, #helper.journal(id, "/connect/token"))
    assert.same({ 1 }, helper.pages(id))
    assert.equal(250, 2 + listing:count())
  end)

  it("asks for no page ahead before the second customer", function()
    local client, id = helper.client { customers = 50 }
    local listing = client:customers { page_size = 5 }
    listing()
    settle(client)
    assert.same({ 1 }, helper.pages(id))
    listing()
    settle(client)
    local pages = helper.pages(id)
    assert.is_true(#pages > 1 and #pages <= 5, table.concat(pages, " "))
    assert.equal(48, listing:count())
  end)

  it("asks for each page once, and for one beyond a last one that is full", function()
    for _, total in ipairs { 1, 4, 5, 6, 20, 23 } do
      for _, concurrency in ipairs { 1, 2, 4, 8 } do
        local client, id = helper.client { customers = total }
        local list = client:customers({ page_size = 5, concurrency = concurrency }):collect()
        assert.equal(total, helper.distinct(list))
        local pages, wanted = helper.pages(id), {}
        for page = 1, math.floor(total / 5) + 1 do
          wanted[page] = page
        end
        table.sort(pages)
        assert.same(wanted, pages)
      end
    end
  end)

  it("keeps at most `concurrency` requests in flight, and as many where it can", function()
    for _, concurrency in ipairs { 1, 3 } do
      local client, id = helper.client({ customers = 60, latency = 0.03 },
        { concurrency = concurrency })
      local first, second = client:customers { page_size = 5 }, client:customers { page_size = 5 }
      for _ = 1, 60 do
        assert.is_truthy(first())
        assert.is_truthy(second())
      end
      local entries, most = helper.journal(id, "/customers"), 0
      for _, one in ipairs(entries) do
        local n = 0
        for _, other in ipairs(entries) do
          if other.time <= one.time and other.answered > one.time + 0.005 then
            n = n + 1
          end
        end
        most = math.max(most, n)
      end
      assert.equal(concurrency, most)
    end
  end)

  it("keeps the server's order", function()
    local client = helper.client { customers = 60, latency = 0.01 }
    local one = helper.ids(client:customers({ page_size = 7 }):collect())
    local other = helper.ids(client:customers({ concurrency = 1 }):collect())
    assert.same(other, one)
  end)

  it("goes on after break where it stood", function()
    local client = helper.client { customers = 23 }
    local listing, seen = client:customers { page_size = 5 }, {}
    for _, n in ipairs { 1, 2, 5, 9 } do
      for customer in listing do
        seen[#seen + 1] = customer
        n = n - 1
        if n == 0 then break end
      end
    end
    for customer in listing do
      seen[#seen + 1] = customer
    end
    assert.equal(23, #seen)
    assert.same(helper.ids(client:customers():collect()), helper.ids(seen))
  end)

  it("goes on after an error in the loop's body", function()
    local client = helper.client { customers = 8 }
    local listing = client:customers { page_size = 3 }
    assert.matches("mine", helper.error_of(function()
      for _ in listing do error "mine" end
    end))
    assert.equal(7, listing:count())
  end)

  it("is one value, whatever gives it", function()
    local client = helper.client { customers = 3 }
    local listing = client:customers()
    for _, make in ipairs { function() return client:customers() end,
      function() return listing:where {} end, function() return listing:filter(print) end,
      function() return listing:map(print) end, function() return listing:take(1) end,
      function() return listing:skip(1) end, function() return listing:failed() end,
      function() return listing:needs_attention() end, function() return listing:search "x" end,
      function() return listing:with_status "Failed" end,
      function() return listing:in_country "Peru" end,
      function() return listing:managed_by "partner" end,
      function() return listing:with_tenant "x" end, function() return listing:pages() end } do
      assert.equal(1, select("#", make()))
    end
  end)

  if is_54 then
    it("cancels what is in flight when the variable that holds it is left", function()
      local client, id = helper.client { customers = 20, faults = { { on = "page", page = 2,
        kind = "wait", seconds = 20 } } }
      local run = load [[
        local made, wait = ...
        local listing <close> = made
        local n = 0
        for _ in listing do
          n = n + 1
          if n == 2 then
            wait()
            break
          end
        end
      ]]
      local listing = client:customers { page_size = 5, concurrency = 1 }
      run(listing, function()
        for _ = 1, 200 do
          client:step()
          if #helper.pages(id) > 1 then break end
          os.execute "sleep 0.005"
        end
      end)
      local begun = os.time()
      assert.equal(18, listing:count())
      assert.is_true(os.time() - begun < 10)
      assert.same({ 1, 2, 2, 3, 4, 5 }, helper.pages(id))
    end)

    it("and a client can be closed by a variable", function()
      local client = helper.client { customers = 12 }
      local run = load [[
        local client, listing = ...
        do
          local l <close> = listing
          l()
        end
        local rest = listing:count()
        do local c <close> = client end
        return rest
      ]]
      local listing = client:customers { page_size = 5 }
      assert.equal(11, run(client, listing))
      assert.equal("closed", helper.error_of(client.customers, client).kind)
    end)
  else
    it("is one value", function()
      local client = helper.client { customers = 3 }
      local function count(...) return select("#", ...) end
      assert.equal(1, count(client:customers()))
      assert.equal(1, count(client:customers():take(1)))
      assert.equal(1, count(client:customers():failed()))
    end)
  end

  it("is read once: all methods share one cursor, and nil is for ever", function()
    local client, id = helper.client { customers = 12 }
    local listing, seen = client:customers { page_size = 5 }, {}
    seen[1] = listing()
    seen[2] = (listing:next())
    for customer in listing:take(3) do seen[#seen + 1] = customer end
    seen[#seen + 1] = listing:first()
    for _, customer in ipairs(listing:take(2):collect()) do seen[#seen + 1] = customer end
    listing:each(function(customer) seen[#seen + 1] = customer end)
    assert.equal(12, #seen)
    assert.equal(12, helper.distinct(seen))
    local requests = #helper.journal(id)
    for _ = 1, 3 do
      assert.is_nil(listing())
      assert.equal(2, select("#", listing:next(), nil))
      assert.same({}, listing:collect())
      assert.equal(0, listing:count())
      assert.is_nil(listing:first())
    end
    assert.equal(requests, #helper.journal(id))
    client:close()
    assert.is_nil(listing())
  end)

  it("is a callable table", function()
    local listing = helper.client({ customers = 1 }):customers()
    assert.is_table(listing)
    assert.is_function(getmetatable(listing).__call)
  end)
end)
