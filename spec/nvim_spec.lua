-- Neovim as a host: how long its loop stands still, tasks that are cancelled, fail, share the loop,
-- generators of the user's own, the main context, and places where waiting is impossible. Figures
-- are printed; the bounds are wide, since a test must hold on a busy machine. make bench-nvim
-- measures.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

local SIMULATOR = helper.top .. "/spec/support/simulator"

-- What stands before each script: `options` of a client, by the id of a scenario.
local function prelude(id)
  local base, token = helper.urls(id)
  return ([[
    local avepoint = require "avepoint"
    local uv = require "avepoint.driver.uv"
    local loop = vim.uv or vim.loop
    local stall = dofile(%q)
    local function make_client(more)
      return avepoint.client(vim.tbl_extend("force", { base_url = %q, token_url = %q,
        ca_file = %q, client_id = %q, client_secret = %q }, more or {}))
    end
  ]]):format(helper.top .. "/spec/support/stall.lua", base, token, helper.ca_file,
    helper.client_id, helper.client_secret)
end

local function run(id, script, given)
  return hosts.nvim(prelude(id) .. script, given)
end

-- Shows a figure of the run.
local function report(...)
  io.write(("\n  nvim: " .. (...)):format(select(2, ...)), "\n")
end

describe("#hosts Neovim's loop", function()
  it("goes on while 10,000 customers are listed, each into a line of a buffer", function()
    local id = helper.scenario { customers = 10000, latency = 0.05 }
    local lines = run(id, ([[
      local client = make_client()
      local stop = stall.watch()
      uv.run(function()
        local ids = {}
        for customer in client:customers { page_size = 100 } do
          ids[#ids + 1] = customer.id
          vim.api.nvim_buf_set_lines(0, #ids - 1, #ids, false, { customer.organization })
        end
        return ids
      end, function(err, ids)
        local longest, ticks = stop()
        finish(err, stall.wrong_id(ids, 10000, %q), longest, ticks,
          vim.api.nvim_buf_line_count(0))
      end)
    ]]):format(SIMULATOR))
    assert.equal("nil", lines[1])
    assert.equal("nil", lines[2])
    report("longest stall of 10,000 customers at 50 ms a page: %.1f ms", tonumber(lines[3]))
    assert.equal("10000", lines[5])
    assert.is_true(tonumber(lines[3]) < 250, "the loop stood still for " .. lines[3] .. " ms")
    assert.is_true(tonumber(lines[4]) > 100, "the timer fired only " .. lines[4] .. " times")
    assert.equal(101, #helper.journal(id, "/customers")) -- one behind a full last page
  end)

  it("stands still with a client told to block, which is what the others avoid", function()
    local id = helper.scenario { customers = 10000, latency = 0.05 }
    local lines = run(id, [[
      local client = make_client { driver = "blocking" }
      local stop = stall.watch()
      uv.run(function()
        return client:customers():count()
      end, function(err, n)
        finish(err, n, (stop()))
      end)
    ]])
    assert.same({ "nil", "10000" }, { lines[1], lines[2] })
    report("longest stall of the same listing, blocking: %.1f ms", tonumber(lines[3]))
    assert.is_true(tonumber(lines[3]) >= 1000)
  end)

  it("carries ten listings in about the time of one", function()
    local id = helper.scenario { customers = 600, latency = 0.3 }
    local lines = run(id, [[
      local function list(n, on_done)
        local begun, left, slowest = loop.hrtime(), n, 0
        local count = 0
        for _ = 1, n do
          local client = make_client()
          uv.run(function()
            return client:customers():count()
          end, function(err, m)
            left, count = left - 1, count + (err and 0 or m)
            if left == 0 then on_done((loop.hrtime() - begun) / 1e9, count) end
          end)
        end
      end
      list(1, function(alone, one)
        list(10, function(together, ten)
          finish(one, ten, alone, together)
        end)
      end)
    ]])
    assert.same({ "600", "6000" }, { lines[1], lines[2] })
    local alone, together = tonumber(lines[3]), tonumber(lines[4])
    report("ten listings at once %.2f s, one alone %.2f s: %.2f times", together, alone,
      together / alone)
    assert.is_true(together <= 2.5 * alone)
  end)

  it("carries ten listings of one client", function()
    local id = helper.scenario { customers = 300, latency = 0.05 }
    local lines = run(id, ([[
      local client, left, wrong = make_client { concurrency = 16 }, 10, {}
      for _ = 1, 10 do
        uv.run(function()
          local ids = {}
          for customer in client:customers() do ids[#ids + 1] = customer.id end
          return ids
        end, function(err, ids)
          left = left - 1
          wrong[#wrong + 1] = err or stall.wrong_id(ids, 300, %q)
          if left == 0 then finish(#wrong, wrong[1]) end
        end)
      end
    ]]):format(SIMULATOR))
    assert.same({ "0", "nil" }, lines)
    assert.equal(1, #helper.journal(id, "/token"))
  end)
end)

describe("#hosts a task", function()
  it("that is cancelled leaves nothing in flight", function()
    local id = helper.scenario { customers = 3000, latency = 0.1 }
    local lines = run(id, [[
      local client, n = make_client(), 0
      local task = uv.run(function()
        for _ in client:customers() do n = n + 1 end
      end, function(err)
        local held = n
        vim.defer_fn(function() finish(err, held == n, client:fd(), client:timeout()) end, 500)
      end)
      local timer = loop.new_timer()
      timer:start(0, 5, vim.schedule_wrap(function()
        if n >= 100 and not timer:is_closing() then
          timer:close()
          task:cancel()
        end
      end))
    ]])
    assert.same({ "avepoint: cancelled", "true" }, { lines[1], lines[2] })
    assert.equal("nil", lines[4]) -- nothing is to be done at any time
    local asked = helper.journal(id, "/customers")
    assert.is_true(#asked < 12, #asked .. " pages were asked for")
  end)

  it("that is cancelled before it began does not begin", function()
    local lines = run("none", [[
      local begun = false
      local task = uv.run(function() begun = true end, function(err)
        vim.defer_fn(function() finish(err, begun) end, 50)
      end)
      task:cancel()
      task:cancel()
    ]])
    assert.same({ "avepoint: cancelled", "false" }, lines)
  end)

  it("gives an error of its body to on_done, and without on_done to the loop", function()
    local lines, said = run(helper.scenario { customers = 30 }, [[
      local client = make_client()
      uv.run(function()
        for customer in client:customers() do error("seen " .. #customer.id) end
      end)
      uv.run(function()
        for _ in client:customers() do error { mine = true } end
      end, function(err)
        vim.defer_fn(function() finish(err.mine) end, 300)
      end)
    ]])
    assert.same({ "true" }, lines)
    assert.matches("seen 36", said)
  end)

  it("gives an error of the service as an error object", function()
    local lines = run(helper.scenario {
      customers = 30,
      faults = { { on = "page", status = 403, times = -1 } },
    }, [[
      local client = make_client { endpoint = "get" }
      uv.run(function()
        return client:customers():first()
      end, function(err)
        finish(avepoint.is_error(err), err.kind, err.status)
      end)
    ]])
    assert.same({ "true", "forbidden", "403" }, lines)
  end)

  it("may be one of several: each client has its own", function()
    local lines = run(helper.scenario { customers = 250, latency = 0.05 }, [[
      local done = {}
      for i = 1, 3 do
        local client = make_client()
        local listings = { client:customers(), client:customers { page_size = 10 * i } }
        for _, listing in ipairs(listings) do
          uv.run(function() return listing:count() end, function(err, n)
            done[#done + 1] = err or n
            if #done == 6 then finish(table.concat(done, " ")) end
          end)
        end
      end
    ]])
    assert.same({ "250 250 250 250 250 250" }, lines)
  end)

  it("may run in Neovim as it quits", function()
    local lines = run(helper.scenario { customers = 3000, latency = 0.3 }, [[
      local client = make_client()
      uv.run(function() client:customers():count() end)
      vim.defer_fn(function() finish "quits" end, 400)
    ]])
    assert.same({ "quits" }, lines)
  end)
end)

-- The user's coroutine yields pairs; what comes out of it must be these and nothing of ours.
local generator = [[
  local function pairs_of(listing)
    return coroutine.wrap(function()
      for customer in listing do coroutine.yield("mine", customer.id) end
    end)
  end
  local function consume(listing)
    local ids, foreign = {}, 0
    for word, id in pairs_of(listing) do
      ids[#ids + 1] = id
      if word ~= "mine" then foreign = foreign + 1 end
    end
    return ids, foreign
  end
]]

describe("#hosts a generator of the user's own", function()
  it("gets only its own values outside a task", function()
    local id = helper.scenario { customers = 350, latency = 0.05 }
    local lines = run(id, generator .. ([[
      local ids, foreign = consume(make_client():customers())
      finish(foreign, stall.wrong_id(ids, 350, %q))
    ]]):format(SIMULATOR))
    assert.same({ "0", "nil" }, lines)
  end)

  it("gets only its own values inside a task", function()
    local id = helper.scenario { customers = 350, latency = 0.05 }
    local lines = run(id, generator .. ([[
      uv.run(function()
        return consume(make_client():customers())
      end, function(err, ids, foreign)
        finish(err, foreign, stall.wrong_id(ids, 350, %q))
      end)
    ]]):format(SIMULATOR))
    assert.same({ "nil", "0", "nil" }, lines)
  end)
end)

describe("#hosts Neovim's main context", function()
  it("keeps timers going", function()
    local lines = run(helper.scenario { customers = 500, latency = 0.1 }, [[
      local client = make_client()
      local stop = stall.watch()
      local scheduled = 0
      local timer = loop.new_timer()
      timer:start(0, 10, vim.schedule_wrap(function() scheduled = scheduled + 1 end))
      local n = client:customers():count()
      timer:close()
      local longest, ticks = stop()
      finish(n, ticks, scheduled, longest)
    ]])
    assert.equal("500", lines[1])
    assert.is_true(tonumber(lines[2]) >= 30, "the timer fired only " .. lines[2] .. " times")
    assert.is_true(tonumber(lines[3]) >= 5, "vim.schedule ran only " .. lines[3] .. " times")
    report("longest stall of 500 customers outside a task: %.1f ms", tonumber(lines[4]))
  end)

  it("is interrupted by Ctrl-C, which leaves nothing in flight and the listing usable", function()
    local id = helper.scenario { customers = 500, latency = 0.7 }
    local lines = run(id, [[
      local client = make_client()
      local listing = client:customers()
      local timer = loop.new_timer()
      timer:start(300, 0, function() vim.api.nvim_input "<C-c>" end)
      local ok, err = pcall(listing)
      local idle = client:timeout() == nil
      local customer = listing()
      finish(tostring(ok), tostring(err), tostring(idle), #customer.id)
    ]])
    assert.same({ "false", "avepoint: interrupted", "true", "36" }, lines)
  end)

  it("watches the descriptor of no client that was closed meanwhile", function()
    local lines = run(helper.scenario { customers = 10, latency = 20 }, [[
      local client = make_client()
      local watched, left, new_poll = {}, 0, loop.new_poll
      loop.new_poll = function(...)
        watched[#watched + 1] = new_poll(...)
        return watched[#watched]
      end
      vim.defer_fn(function()
        client:close()
        for _, poll in ipairs(watched) do
          left = left + (poll:is_closing() and 0 or 1)
        end
      end, 300)
      local _, err = client:customers():next()
      finish(err.kind, #watched > 0, left)
    ]])
    assert.same({ "closed", "true", "0" }, lines)
  end)

  it("and a fast event cannot wait, but says what to do", function()
    local lines = run(helper.scenario { customers = 10 }, [[
      local timer = loop.new_timer()
      local client = make_client()
      timer:start(0, 0, function()
        local ok, err = pcall(client.customers(client).first, client:customers())
        vim.schedule(function() finish(tostring(ok), tostring(err)) end)
      end)
    ]])
    assert.equal("false", lines[1])
    assert.matches("fast event .* vim%.schedule, or run the loop in a task", lines[2])
  end)

  it("and the module may be loaded in a fast event", function()
    local lines = hosts.nvim [[
      local timer = (vim.uv or vim.loop).new_timer()
      timer:start(0, 0, function()
        local ok, avepoint = pcall(require, "avepoint")
        vim.schedule(function() finish(tostring(ok), ok and avepoint._VERSION or avepoint) end)
      end)
    ]]
    assert.equal("true", lines[1])
    assert.matches("^avepoint ", lines[2])
  end)
end)

-- Nothing but what the loop still has to do keeps uv.run() from coming back.
describe("#hosts plain luv", function()
  local function luv(id, script)
    local path = helper.temporary ".lua"
    helper.write(path, ("vim = nil; local uv_loop = require 'luv'\n%s"):format((prelude(id)
      :gsub("vim%.uv or vim%.loop", "uv_loop"):gsub("local stall[^\n]*\n", "")
      :gsub("avepoint%.client%(vim%.tbl_extend%(\"force\", ", "avepoint.client((")
      :gsub(", more or {}%)%)", "))"))) .. script)
    return (hosts.shell(("LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' "
      .. "LUA_CPATH='%s/build/luajit/?.so;;' timeout 60 luajit %s"):format(helper.top, helper.top,
      helper.top, path)))
  end

  it("is left by its loop when the task ends: an idle client does not keep it alive", function()
    local said = luv(helper.scenario { customers = 250, latency = 0.05 }, [[
      local client = make_client()
      uv.run(function()
        print(client:customers():count())
      end)
      loop.run()
      print(client:fd() ~= nil, "left")
    ]])
    assert.equal("250\ntrue\tleft\n", said)
  end)

  it("is left when a task is cancelled in the midst", function()
    local said = luv(helper.scenario { customers = 250, latency = 20 }, [[
      local client = make_client()
      local task = uv.run(function() client:customers():count() end, print)
      local timer = loop.new_timer()
      timer:start(200, 0, function() timer:close() task:cancel() end)
      loop.run()
      print "left"
    ]])
    assert.equal("avepoint: cancelled\nleft\n", said)
  end)
end)

describe("#hosts a look-up that hangs", function()
  local library = helper.top .. "/build/hang.so" -- names that end in .hang are never found

  local function hanging(script)
    return run("none", [[
      local client = avepoint.client { base_url = "https://name.hang", token_url =
        "https://name.hang/token", client_id = "x", client_secret = "y", max_attempts = 1,
        connect_timeout = 0.3 }
      local begun = loop.hrtime()
      local function seconds() return (loop.hrtime() - begun) / 1e9 end
    ]] .. script, { environment = { LD_PRELOAD = library } })
  end

  local function check(lines, what)
    assert.equal(what, lines[1])
    assert.is_true(tonumber(lines[2]) < 10, "it took " .. lines[2] .. " seconds")
  end

  it("does not delay a timeout", function()
    check(hanging [[
      uv.run(function()
        return client:customers():first()
      end, function(err) finish(err.kind, seconds()) end)
    ]], "timeout")
    check(hanging [[
      local _, err = client:customers():next()
      finish(err.kind, seconds())
    ]], "timeout")
  end)

  it("does not delay cancel", function()
    check(hanging [[
      local task = uv.run(function()
        return client:customers():first()
      end, function(err) finish(err, seconds()) end)
      vim.defer_fn(function() task:cancel() end, 100)
    ]], "avepoint: cancelled")
  end)

  it("does not delay close", function()
    check(hanging [[
      uv.run(function()
        return client:customers():first()
      end, function(err) finish(err.kind, seconds()) end)
      vim.defer_fn(function() client:close() end, 100)
    ]], "closed")
  end)
end)
