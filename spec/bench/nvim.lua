-- Inside Neovim: measures its loop while customers are listed, and appends lines "name value" to
-- the file that BENCH_OUT names. spec/bench/nvim starts it and takes the medians.
-- SPDX-License-Identifier: MIT
-- luacheck: read globals vim

local loop = vim.uv or vim.loop
local stall = dofile(os.getenv "BENCH_TOP" .. "/spec/support/stall.lua")

local begun = loop.hrtime()
local avepoint = require "avepoint"
local loaded = (loop.hrtime() - begun) / 1e6
local uv = require "avepoint.driver.uv"

local function put(name, value)
  vim.fn.writefile({ ("%s %.3f"):format(name, value) }, os.getenv "BENCH_OUT", "a")
end

local count = 0

-- A client of a new scenario of the simulator.
local function make_client(scenario, more)
  count = count + 1
  local id = ("bench-%d-%d"):format(loop.getpid(), count)
  local folder = os.getenv "SIMULATOR_DIR"
  vim.fn.writefile({ vim.json.encode(scenario) }, ("%s/scenarios/%s.json"):format(folder, id))
  local base = os.getenv "AVEPOINT_BASE_URL" .. "/~" .. id
  return avepoint.client(vim.tbl_extend("force", { base_url = base, token_url = base
    .. "/connect/token", client_id = os.getenv "AVEPOINT_CLIENT_ID",
    client_secret = os.getenv "AVEPOINT_CLIENT_SECRET" }, more or {}))
end

-- Calls start(done) and waits until it calls done; gives what that gets.
local function await(start)
  local co = coroutine.running()
  start(vim.schedule_wrap(function(...)
    assert(coroutine.resume(co, ...))
  end))
  return coroutine.yield()
end

local LONG = { customers = 10000, latency = 0.05, journal = false } -- 100 pages of 100

-- Runs the body in a task; gives the longest stall (ms), the seconds, and what the body gave.
local function in_task(body)
  return await(function(done)
    local from, stop = loop.hrtime(), stall.watch()
    uv.run(body, function(err, ...)
      assert(err == nil, err)
      done((stop()), (loop.hrtime() - from) / 1e9, ...)
    end)
  end)
end

local function measure_idle()
  put("idle", (await(function(done)
    local stop = stall.watch()
    vim.defer_fn(function() done((stop())) end, 1000)
  end)))
end

local function measure_task()
  local client, n = make_client(LONG), 0
  local longest, seconds = in_task(function()
    for customer in client:customers() do
      n = n + 1
      vim.api.nvim_buf_set_lines(0, n - 1, n, false, { customer.organization })
    end
  end)
  assert(n == 10000)
  put("task", longest)
  put("task_seconds", seconds)
end

-- The time of each page's rows, from bytes to tables: what the core takes for them in all.
local function measure_decoding()
  local client = make_client(LONG)
  local listing = client:customers()
  local next_row, pages, sum, n = listing._next, {}, 0, 0
  function listing._next(reader)
    local from = loop.hrtime()
    local row, err, word = next_row(reader)
    if row then
      sum, n = sum + (loop.hrtime() - from) / 1e6, n + 1
      if n % 100 == 0 then
        pages[#pages + 1], sum = sum, 0
      end
    end
    return row, err, word
  end
  local longest = in_task(function() return listing:count() end)
  table.sort(pages)
  put("bare", longest)
  put("decoding", pages[50])
  put("decoding_longest", pages[#pages])
end

local function measure_window()
  local scenario = make_client(LONG)
  scenario:close()
  local base = ("%s/~bench-%d-%d"):format(os.getenv "AVEPOINT_BASE_URL", loop.getpid(), count)
  local nvim = require "avepoint.nvim"
  nvim.setup { client = { base_url = base, token_url = base .. "/connect/token" } }
  put("window", (await(function(done)
    nvim.open()
    local stop = stall.watch()
    local timer = loop.new_timer()
    timer:start(50, 50, vim.schedule_wrap(function()
      if vim.api.nvim_buf_line_count(0) == 10000 and not timer:is_closing() then
        timer:close()
        done((stop()))
        vim.cmd "quit"
      end
    end))
  end)))
end

-- Outside a task: `auto` waits with vim.wait, `blocking` in the operating system.
local function measure_outside(name, driver)
  local client = make_client(LONG, { driver = driver })
  local from, stop = loop.hrtime(), stall.watch()
  assert(client:customers():count() == 10000)
  put(name, (stop()))
  put(name .. "_seconds", (loop.hrtime() - from) / 1e9)
end

local SHORT = { customers = 1000, latency = 0.3, journal = false } -- ten pages

local function list_at_once(n)
  local clients = {}
  for i = 1, n do
    clients[i] = make_client(SHORT)
  end
  return await(function(done)
    local from, left = loop.hrtime(), n
    for i = 1, n do
      uv.run(function()
        return clients[i]:customers():count()
      end, function(err, m)
        assert(err == nil and m == 1000, err)
        left = left - 1
        if left == 0 then
          done((loop.hrtime() - from) / 1e9)
        end
      end)
    end
  end)
end

local function measure_ten()
  local slowest = 0
  for _ = 1, 3 do
    slowest = math.max(slowest, (list_at_once(1)))
  end
  local ten = list_at_once(10)
  put("alone", slowest)
  put("ten", ten)
  put("ratio", ten / slowest)
end

coroutine.wrap(function()
  put("load", loaded)
  local ok, err = pcall(function()
    measure_idle()
    measure_task()
    measure_decoding()
    measure_window()
    measure_outside("outside", "auto")
    measure_outside("blocking", "blocking")
    measure_ten()
  end)
  if not ok then
    io.stderr:write(tostring(err), "\n")
  end
  vim.cmd(ok and "qa!" or "cq!")
end)()
