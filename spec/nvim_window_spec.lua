-- The window of :AvepointCustomers in a headless Neovim.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local window = dofile(helper.top .. "/spec/support/window.lua")

local folder

local function run(...)
  return window.read(folder, ...)
end

describe("#hosts the window", function()
  setup(function()
    folder = window.folder()
  end)

  it("fills while the loop goes on", function()
    local lines, id = run({ customers = 1000, latency = 0.05 }, ([[
      local stall = dofile(%q)
      local partial
      vim.cmd "AvepointCustomers" -- loads libcurl, which takes some ten milliseconds, once
      local first = status()
      local stop = stall.watch()
      once("of 1000 customers, reading", function() partial = status() end)
      once("1000 of 1000 customers, done", function()
        local longest = stop()
        finish(first, partial, status(), list()[1], text_of "avepoint-frame"[3], longest)
      end, 1000)
    ]]):format(helper.top .. "/spec/support/stall.lua"))
    assert.matches("^0 customers, reading", lines[1])
    assert.matches("^%d+ of 1000 customers, reading", lines[2])
    assert.matches("^1000 of 1000 customers, done in %d.*%? keys", lines[3])
    assert.matches("^Pacific Park Energy B%.V%. +Working +Netherlands +%S", lines[4])
    assert.matches("^ORGANIZATION +STATUS +COUNTRY +OWNER", lines[5])
    io.write(("\n  nvim: longest stall while the window fills: %.1f ms\n"):format(lines[6]))
    assert.is_true(tonumber(lines[6]) < 250)
    assert.equal(11, #helper.journal(id, "/customers")) -- one behind a full last page
  end)

  it("filters what has arrived and what arrives, key by key", function()
    local lines = run({ customers = 600, latency = 0.4 }, [[
      vim.cmd "AvepointCustomers FAILED"
      once("of 600 customers, ", function() -- some hundred have arrived
        press "f japan"
        when(function() return text_of "avepoint-frame"[2] == "Filter: FAILED japan" end, function()
          local mode, early = vim.fn.mode(), #list()
          press "<CR>"
          once("shown, done", function()
            local wrong, narrow = 0, #list()
            for _, line in ipairs(list()) do
              if not line:find "Failed +Japan" then wrong = wrong + 1 end
            end
            press "f<C-u><CR>"
            local function closed() return #list() == 600 and not window_of "avepoint-filter" end
            when(closed, function()
              finish(mode, early <= narrow, narrow, wrong, #list(), vim.fn.mode())
            end)
          end)
        end)
      end)
    ]])
    assert.same({ "i", "true" }, { lines[1], lines[2] })
    assert.is_true(tonumber(lines[3]) > 0 and tonumber(lines[3]) < 60)
    assert.same({ "0", "600", "n" }, { lines[4], lines[5], lines[6] })
  end)

  it("marks the failed ones", function()
    local lines = run({ customers = 100 }, [[
      vim.cmd "AvepointCustomers"
      once("done", function()
        local _, buffer = window_of "avepoint"
        local names = vim.api.nvim_get_namespaces().avepoint
        local marked, failed = 0, 0
        for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(buffer, names, 0, -1,
            { details = true })) do
          if mark[4].hl_group == "AvepointFailed" then
            local line = list()[mark[2] + 1]
            marked = marked + (line:sub(mark[3] + 1, mark[4].end_col) == "Failed" and 1 or 1000)
          end
        end
        for _, line in ipairs(list()) do
          failed = failed + (line:find " Failed " and 1 or 0)
        end
        finish(marked, failed)
      end, 100)
    ]])
    assert.equal(lines[2], lines[1])
    assert.is_true(tonumber(lines[1]) > 0)
  end)

  it("marks what else needs attention, an unknown status and a missing one too", function()
    local lines = run([[{ "items": [
      { "id": "a", "organization": "A", "jobStatus": "Working" },
      { "id": "b", "organization": "B", "jobStatus": "No Backup Update" },
      { "id": "c", "organization": "C", "jobStatus": "N/A" },
      { "id": "d", "organization": "D", "jobStatus": "New Status" },
      { "id": "e", "organization": "E" }
    ] }]], [[
      vim.cmd "AvepointCustomers"
      once("done", function()
        local _, buffer = window_of "avepoint"
        local marks, groups = vim.api.nvim_buf_get_extmarks(buffer,
          vim.api.nvim_get_namespaces().avepoint, 0, -1, { details = true }), {}
        for _, mark in ipairs(marks) do
          groups[#groups + 1] = list()[mark[2] + 1]:sub(1, 1) .. " " .. mark[4].hl_group
        end
        finish(unpack(groups))
      end, 5)
    ]])
    assert.same({ "B AvepointAttention", "D AvepointAttention", "E AvepointAttention" }, lines)
  end)

  it("keeps its columns under each other, whatever the names are", function()
    for _, columns in ipairs { 60, 80, 120, 200 } do
      local lines = run(window.HOSTILE, ([[
        vim.o.columns = %d
        vim.cmd "AvepointCustomers"
        once("done", function()
          local width = vim.api.nvim_win_get_width((window_of "avepoint"))
          local head, wrong = text_of "avepoint-frame"[3], {}
          local at = vim.fn.strdisplaywidth(head:match "^(.-)STATUS")
          for i, line in ipairs(list()) do
            local before = line:match "^(.-)Failed" or line:match "^(.-)New   Status"
            if vim.fn.strdisplaywidth(before) ~= at or vim.fn.strdisplaywidth(line) ~= width
              or line:find "[%%c]" or line:find("\226\128", 1, true) then
              wrong[#wrong + 1] = line
            end
          end
          finish(#wrong, wrong[1], list()[3])
        end, 3)
      ]]):format(columns))
      assert.same({ "0", "nil" }, { lines[1], lines[2] })
      assert.matches("^%- +New   Status", lines[3])
    end
  end)

  it("stops at :AvepointCancel, and keeps what has arrived", function()
    for _, stop in ipairs { "vim.cmd 'AvepointCancel'" } do
      local lines, id = run({ customers = 3000, latency = 0.2 }, ([[
        vim.cmd "AvepointCustomers"
        once("of 3000 customers, reading", function()
          %s
          once("cancelled", function()
            local kept = tonumber(status():match "%%d+")
            when(function() return #list() == kept end, function()
              vim.defer_fn(function() finish(status(), kept, kept == #list()) end, 600)
            end)
          end)
        end)
      ]]):format(stop))
      assert.matches("^%d+ of 3000 customers, cancelled", lines[1])
      assert.is_true(tonumber(lines[2]) >= 100)
      assert.equal("true", lines[3])
      assert.is_true(#helper.journal(id, "/customers") < 15)
    end
  end)

  for _, key in ipairs { "q", "<Esc>", ":q<CR>" } do
    it("closes and cancels at " .. key, function()
      local lines, id = run({ customers = 3000, latency = 0.2 }, ([[
        vim.cmd "AvepointCustomers"
        once("of 3000 customers, reading", function()
          press %q
          when(function() return #vim.api.nvim_list_wins() == 1 end, function()
            vim.defer_fn(function() finish(#vim.api.nvim_list_wins()) end, 600)
          end)
        end)
      ]]):format(key))
      assert.same({ "1" }, lines)
      assert.is_true(#helper.journal(id, "/customers") < 15)
    end)
  end

  it("opens once, with the same token", function()
    local lines, id = run({ customers = 300, latency = 0.2 }, [[
      vim.cmd "AvepointCustomers"
      once("of 300 customers, reading", function()
        vim.cmd "AvepointCustomers failed"
        once("shown, done", function() finish(#vim.api.nvim_list_wins(), status()) end)
      end)
    ]])
    assert.equal("3", lines[1])
    assert.matches("^300 of 300 customers, %d+ shown, done", lines[2])
    assert.equal(1, #helper.journal(id, "/token"))
  end)

  it("that is closed before it was filled says nothing", function()
    local lines = run({ customers = 3 }, [[
      vim.v.errmsg = ""
      vim.cmd "AvepointCustomers | AvepointCustomers"
      once("done", function() finish(vim.v.errmsg, #vim.api.nvim_list_wins()) end, 3)
    ]])
    assert.same({ "", "3" }, lines)
  end)

  it("follows the screen's size", function()
    local lines = run({ customers = 50 }, [[
      vim.cmd "AvepointCustomers"
      once("done", function()
        vim.o.columns, vim.o.lines = 60, 15
        vim.cmd "doautocmd VimResized"
        when(function() return #list() == 50 and #list()[1] < 70 end, function()
          local id = window_of "avepoint"
          finish(text_of "avepoint-frame"[3], vim.api.nvim_win_get_width(id))
        end)
      end, 50)
    ]])
    assert.matches("^ORGANIZATION +STATUS +$", lines[1])
    assert.equal("52", lines[2])
  end)

  it("says what it waits for", function()
    local lines = run({ customers = 200, faults = {
      { on = "page", page = 2, times = 1, status = 429, headers = { ["Retry-After"] = "1" } },
    } }, [[
      local waited
      vim.cmd "AvepointCustomers"
      once("waiting", function() waited = status() end)
      once("done", function() finish(waited) end, 200)
    ]])
    assert.matches("waiting 1 s before the next try %(throttled%)", lines[1])
  end)
end)

describe("#hosts the window's last line says", function()
  setup(function()
    folder = window.folder()
  end)

  -- Gives the last line, the number of lines, and the status, at the end of the reading.
  local function last_line(scenario, given)
    given = given or {}
    local environment = given.environment or helper.environment(helper.scenario(scenario))
    local lines = window.run(folder, environment, ([[
      vim.cmd "AvepointCustomers %s"
      once(%q, function() finish(list()[#list()], #list(), status()) end, %d)
    ]]):format(given.words or "", given.status or "failed", given.n or 1), given.setup)
    return lines[1], lines[3]
  end

  it("why the service refuses, behind what has arrived", function()
    local text, status = last_line({ customers = 500,
      faults = { { on = "page", page = 4, status = 403, times = -1 } } }, { n = 301 })
    assert.matches("elements%.customers%.read%.all", text)
    assert.matches("^300 of 500 customers, failed, the last line says why", status)
  end)

  it("that the secret is wrong, and where a new one is made", function()
    local text = last_line(nil, { environment = helper.environment(
      helper.scenario { customers = 1 }, { AVEPOINT_CLIENT_SECRET = "wrong-secret" }) })
    assert.matches("does not know this client id and secret.*a new one is made under", text)
    assert.not_matches("wrong-secret", text, 1, true)
  end)

  it("that credentials are missing", function()
    assert.matches("AVEPOINT_CLIENT_ID", (last_line(nil, { environment = {} })))
  end)

  it("that an option is wrong", function()
    assert.matches("page_size", (last_line({ customers = 1 },
      { setup = "{ client = { page_size = 5 } }" })))
  end)

  it("that there are no customers", function()
    assert.matches("^No customers%. The app registration's scope", (last_line({ customers = 0 },
      { status = "done" })))
  end)

  it("that the filter lets none through", function()
    assert.matches("^No customer holds all words", (last_line({ customers = 5 },
      { status = "done", words = "nobody at all" })))
  end)

  it("that the service counts more than it lists", function()
    local text, status = last_line({ customers = 30, total_add = 2 }, { status = "done", n = 31 })
    assert.matches("2 customers", text)
    assert.matches("the last line has a warning", status)
  end)

  it("that the module is not built", function()
    os.remove(folder .. "/lua/avepoint/core.so")
    assert.equal("avepoint is not built for Neovim: run `make plugin` in its folder",
      (last_line { customers = 1 }))
  end)
end)
