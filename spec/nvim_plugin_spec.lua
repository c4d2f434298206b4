-- The window and the commands of avepoint.nvim in a headless Neovim.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")
local window = dofile(helper.top .. "/spec/support/window.lua")

local folder

local function run(scenario, script, setup)
  local id = helper.scenario(scenario)
  return window.run(folder, helper.environment(id), script, setup), id
end

-- Six customers as nobody should name them.
local HOSTILE = [[{ "items": [
  { "id": "id-1", "organization": "日本電気株式会社 東京本社 情報システム部 第二営業統括本部 海外担当部",
    "jobStatus": "Failed", "countryOrRegion": "日本", "ownerEmail": "t@example.jp", "tenants": [] },
  { "id": "id-2", "organization": "a\u001b[31mb\nc\td\u202ee\u0085f\u2028g", "jobStatus": "Failed",
    "countryOrRegion": "\u009b2J", "ownerEmail": "e\u0301@example", "tenants": [] },
  { "id": "id-3", "organization": "", "jobStatus": "New \r Status", "countryOrRegion": null,
    "tenants": [{ "id": "t-1", "name": "one\ntwo" }, { "id": "t-2", "name": "three" }],
    "note": "undocumented" }
] }]]

describe("#hosts avepoint.nvim", function()
  setup(function()
    folder = window.folder()
  end)

  it("loads nothing else of avepoint before a command is used", function()
    local lines = run({ customers = 1 }, [[
      vim.cmd "AvepointCancel"
      local loaded = {}
      for name in pairs(package.loaded) do
        if name:find "^avepoint" then loaded[#loaded + 1] = name end
      end
      finish(unpack(loaded))
    ]], "{ width = 0.5 }")
    assert.same({ "avepoint.nvim" }, lines)
  end)

  it("refuses wrong options of its own by name", function()
    local lines = hosts.nvim([[
      local setup = require("avepoint.nvim").setup
      local function error_of(options) return (select(2, pcall(setup, options))) end
      finish(error_of { colour = "red" }, error_of { width = "wide" },
        vim.fn.exists ":AvepointCustomers")
    ]], { runtimepath = { folder } })
    assert.matches("unknown option 'colour' .known: client, listing, width, height.", lines[1])
    assert.matches("option 'width' must be a number", lines[2])
    assert.equal("0", lines[3])
  end)

  it("lets the user's own on_event hear of everything too", function()
    local lines = run({ customers = 3 }, [[
      vim.cmd "AvepointCustomers"
      once("done", function() finish(heard.request, heard.page) end, 3)
    ]], [[{ client = { on_event = function(event)
      heard = heard or {}
      heard[event.event] = (heard[event.event] or 0) + 1
    end } }]])
    assert.same({ "2", "1" }, lines) -- the token's request and the page's
  end)

  it("may be set up again: the reading under way ends", function()
    local lines = run({ customers = 3000, latency = 0.2 }, [[
      vim.cmd "AvepointCustomers"
      once("of 3000 customers, reading", function()
        require("avepoint.nvim").setup()
        when(function() return not status():find "reading" end, function()
          vim.schedule(function() finish(status()) end)
        end)
      end)
    ]])
    assert.matches("^%d+ of 3000 customers, failed", lines[1])
  end)

  it("may be set up again: the next reading signs in anew", function()
    local lines, id = run({ customers = 3 }, [[
      vim.cmd "AvepointCustomers"
      once("done", function()
        require("avepoint.nvim").setup { client = { client_secret = "another" } }
        press "r"
        once("failed", function() finish(list()[1]) end, 1)
      end, 3)
    ]])
    assert.matches("invalid_client", lines[1])
    assert.equal(2, #helper.journal(id, "/token"))
  end)
end)

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
      local lines = run(HOSTILE, ([[
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

describe("#hosts a key of the window", function()
  setup(function()
    folder = window.folder()
  end)

  it("shows a customer whole: <CR>", function()
    local lines = run(HOSTILE, [[
      vim.cmd "AvepointCustomers"
      once("done", function()
        press "G<CR>"
        when(function() return window_of "avepoint-customer" end, function()
          local text = text_of "avepoint-customer"
          press "<CR>"
          when(function() return not window_of "avepoint-customer" end, function()
            finish(vim.bo.filetype, unpack(text))
          end)
        end)
      end, 3)
    ]])
    assert.same({ "avepoint", "id            id-3", "organization  ", "jobStatus     New   Status",
      "tenants       one two (t-1)", "              three (t-2)", "note          undocumented" },
      lines)
  end)

  it("shows the customer that the filter left on that line", function()
    local lines = run({ customers = 100 }, [[
      vim.cmd "AvepointCustomers failed"
      once("done", function()
        press "j<CR>"
        when(function() return window_of "avepoint-customer" end, function()
          finish(list()[2], unpack(text_of "avepoint-customer"))
        end)
      end)
    ]])
    assert.equal(lines[1]:sub(1, 15), lines[3]:match("^organization +(.*)"):sub(1, 15))
    assert.matches("jobStatus +Failed", lines[5])
  end)

  it("copies a customer: y, and its id: Y, into the register that is named", function()
    local lines = run(HOSTILE, [[
      vim.cmd "AvepointCustomers"
      once("done", function()
        press 'yj"aY'
        when(function() return vim.fn.getreg "a" ~= "" end, function()
          finish(vim.fn.getreg "a", vim.fn.getregtype '"', unpack(vim.fn.getreg('"', 1, 1)))
        end)
      end, 3)
    ]])
    assert.same({ "id-2", "V", "id               id-1" }, { lines[1], lines[2], lines[3] })
    assert.equal(2 + 7, #lines)
  end)

  it("reads anew: r, with the same token", function()
    local lines, id = run({ customers = 300, changes = { { before = 5, insert = 1 } } }, [[
      vim.cmd "AvepointCustomers"
      once("300 of 300 customers, done", function()
        press "r"
        once("301 of 301 customers, done", function() finish(status()) end, 301)
      end, 300)
    ]])
    assert.matches("^301 of 301 customers, done", lines[1])
    assert.equal(1, #helper.journal(id, "/token"))
  end)

  it("reads anew from the start while the list is being read: r", function()
    local lines = run({ customers = 300, latency = 0.2 }, [[
      vim.cmd "AvepointCustomers"
      once("of 300 customers, reading", function()
        press "r"
        once("0 customers, reading", function()
          once("done", function() finish(status()) end, 300)
        end)
      end)
    ]])
    assert.matches("^300 of 300 customers, done", lines[1])
  end)

  it("reads anew, and hears no more of the reading that it ends: r", function()
    local lines = run({ customers = 300, latency = 0.4 }, [[
      vim.cmd "AvepointCustomers"
      once("of 300 customers, reading", function()
        press "r"
        once("0 customers, reading", function()
          local others = {}
          when(function()
            others[#others + 1] = not status():find "reading" and status() or nil
            return status():find "done"
          end, function() finish(#others, others[1]) end)
        end)
      end)
    ]])
    assert.equal("1", lines[1])
    assert.matches("^300 of 300 customers, done", lines[2])
  end)

  it("reads anew behind a failed reading, of which nothing stays: r", function()
    local lines = run({ customers = 300, latency = 0.5, faults = { { on = "page", page = 2,
      status = 403, times = 1 } } }, [[
      vim.cmd "AvepointCustomers"
      once("failed", function()
        press "r"
        once("0 customers, reading", function()
          local only = list()[1] -- no row has come
          once("done", function() finish(only, status()) end, 300)
        end, 1)
      end, 101)
    ]])
    assert.equal("", lines[1])
    assert.matches("^300 of 300 customers, done", lines[2])
  end)

  it("shows the keys: ?", function()
    local lines = run({ customers = 1 }, [[
      vim.cmd "AvepointCustomers"
      press "?"
      when(function() return window_of "avepoint-keys" end, function()
        local text = text_of "avepoint-keys"
        press "q"
        when(function() return not window_of "avepoint-keys" end, function()
          finish(window_of "avepoint" ~= nil, unpack(text))
        end)
      end)
    ]])
    assert.equal("true", lines[1])
    local text = table.concat(lines, "\n")
    for _, key in ipairs { "<CR>", "y", "Y", "f", "r", "<C%-c>", "%?", "q <Esc>" } do
      assert.matches("\n" .. key .. " +%l", text)
    end
  end)

  it("does nothing where no customer is", function()
    local lines = run({ customers = 0 }, [[
      vim.cmd "AvepointCustomers"
      once("done", function()
        press "y<CR>?"
        when(function() return window_of "avepoint-keys" end, function()
          finish(vim.fn.getreg '"', (window_of "avepoint-customer"))
        end)
      end, 1)
    ]])
    assert.same({ "", "nil" }, lines)
  end)
end)

describe("#hosts :AvepointFailed", function()
  setup(function()
    folder = window.folder()
  end)

  -- Follows the quickfix list to its second entry; gives its title, the entries' number, the buffer
  -- and the customer that the cursor is on.
  local LOOK = [[
    local function look()
      local list = vim.fn.getqflist { items = 1, title = 1 }
      local second = list.items[2]
      local wins = #vim.api.nvim_list_wins()
      local kind = vim.bo.buftype
      vim.cmd "cc 2"
      local lines = vim.api.nvim_buf_get_lines(0, second.lnum - 1, second.lnum + 4, false)
      finish(list.title, #list.items, wins, kind, vim.api.nvim_buf_get_name(0),
        vim.api.nvim_win_get_cursor(0)[1] == second.lnum, second.text, vim.bo.modifiable,
        unpack(lines))
    end
    local function put() return vim.fn.getqflist({ title = 1 }).title:find "failed" end
  ]]

  local function check(lines)
    local failed = tonumber(lines[1]:match "^(%d+) of 300 customers failed$")
    assert.is_true(failed > 1, lines[1])
    assert.same({ tostring(failed), "2", "quickfix" }, { lines[2], lines[3], lines[4] })
    assert.same({ "avepoint://failed", "true" }, { lines[5], lines[6] })
    assert.equal("false", lines[8])
    assert.matches("^id ", lines[9])
    local organization = lines[10]:match "^organization +(.*)"
    assert.equal(organization, lines[7]:sub(1, #organization))
    assert.matches("^jobStatus +Failed", lines[12])
  end

  it("reads the list and puts the failed ones into the quickfix list", function()
    local lines, id = run({ customers = 300 }, LOOK .. [[
      vim.cmd "AvepointFailed"
      when(put, look)
    ]])
    check(lines)
    assert.equal(4, #helper.journal(id, "/customers"))
  end)

  it("takes those of the window, once all have arrived, and closes it", function()
    local lines, id = run({ customers = 300, latency = 0.2 }, LOOK .. [[
      vim.cmd "AvepointCustomers"
      once("of 300 customers, reading", function()
        vim.cmd "AvepointFailed"
        when(put, look)
      end)
    ]])
    check(lines)
    assert.equal(4, #helper.journal(id, "/customers"))
  end)

  it("does not read again where the window has all", function()
    local lines, id = run({ customers = 300 }, LOOK .. [[
      vim.cmd "AvepointCustomers"
      once("done", function()
        vim.cmd "AvepointFailed"
        look()
      end, 300)
    ]])
    check(lines)
    assert.equal(4, #helper.journal(id, "/customers"))
  end)

  it("reads again where the window's reading was stopped", function()
    local lines = run({ customers = 300, latency = 0.2 }, LOOK .. [[
      vim.cmd "AvepointCustomers"
      once("of 300 customers, reading", function()
        vim.cmd "AvepointCancel | AvepointFailed"
        when(put, look)
      end)
    ]])
    check(lines)
  end)

  it("begins with an empty window where it reads again", function()
    local lines = run({ customers = 300, latency = 0.2 }, [[
      vim.cmd "AvepointCustomers"
      once("of 300 customers, reading", function()
        vim.cmd "AvepointCancel | AvepointFailed"
        finish(status())
      end)
    ]])
    assert.matches("^0 customers, reading", lines[1])
  end)

  it("goes on where the window is opened meanwhile", function()
    local lines = run({ customers = 300, latency = 0.2 }, LOOK .. [[
      vim.cmd "AvepointFailed"
      vim.defer_fn(function()
        vim.cmd "AvepointCustomers"
        when(put, look)
      end, 100)
    ]])
    check(lines)
  end)

  it("may be called again: the entries are those of the last reading", function()
    local lines = run({ items = {
      { id = "a", organization = "Once", jobStatus = "Failed" },
      { id = "b", organization = "Always", jobStatus = "Failed" },
    }, changes = { { before = 2, remove_id = "a" } } }, [[
      local function count() return #vim.fn.getqflist() end
      vim.cmd "AvepointFailed"
      when(function() return count() == 2 end, function()
        vim.cmd "cc 1"
        vim.cmd "AvepointFailed"
        when(function() return count() == 1 end, function()
          vim.cmd "cc 1"
          finish(unpack(vim.api.nvim_buf_get_lines(0, 0, 2, false)))
        end)
      end)
    ]])
    assert.same({ "id             b", "organization   Always" }, lines)
  end)

  it("empties the quickfix list where none has failed", function()
    local lines = run({ items = { { id = "a", organization = "A", jobStatus = "Working" } } }, [[
      vim.fn.setqflist { { text = "an old one" } }
      vim.cmd "copen"
      vim.cmd "AvepointFailed"
      when(function() return #vim.fn.getqflist() == 0 end, function()
        finish(vim.fn.getqflist({ title = 1 }).title, #vim.api.nvim_list_wins())
      end)
    ]])
    assert.same({ "0 of 1 customers failed", "1" }, lines)
  end)

  it("warns of customers that are missing", function()
    local lines = run({ customers = 30, total_add = 2 }, [[
      local said
      vim.notify = function(text, level) said = { text, level } end
      vim.cmd "AvepointFailed"
      when(function() return said end, function()
        finish(said[1], said[2] == vim.log.levels.WARN, vim.fn.getqflist({ title = 1 }).title)
      end)
    ]])
    assert.matches("^avepoint: .*2 customers", lines[1])
    assert.equal("true", lines[2])
    assert.matches("of 30 customers failed$", lines[3])
  end)

  it("says why the list cannot be read, and leaves the quickfix list", function()
    local lines = run({ customers = 500,
      faults = { { on = "page", page = 4, status = 403, times = -1 } } }, [[
      local said
      vim.notify = function(text, level) said = { text, level } end
      vim.fn.setqflist { { text = "an old one" } }
      vim.cmd "AvepointFailed"
      when(function() return said end, function()
        finish(said[1], said[2] == vim.log.levels.ERROR, vim.fn.getqflist()[1].text)
      end)
    ]])
    assert.matches("^avepoint: .*elements%.customers%.read%.all", lines[1])
    assert.same({ "true", "an old one" }, { lines[2], lines[3] })
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

describe("#hosts :checkhealth avepoint", function()
  setup(function()
    folder = window.folder()
  end)

  local HEALTH = [[
    vim.cmd "checkhealth avepoint"
    finish(unpack(vim.api.nvim_buf_get_lines(0, 0, -1, false)))
  ]]

  it("looks with the options that setup() was given", function()
    local environment = helper.environment(helper.scenario { customers = 7 })
    local secret = environment.AVEPOINT_CLIENT_SECRET
    environment.AVEPOINT_CLIENT_SECRET = nil
    local text = table.concat(window.run(folder, environment, HEALTH,
      ("{ client = { client_secret = %q } }"):format(secret)), "\n")
    assert.matches("OK:? list: 7 customers", text)
    assert.not_matches("ERROR", text, 1, true)
  end)

  it("says that the module is not built", function()
    os.remove(folder .. "/lua/avepoint/core.so")
    local text = table.concat(window.run(folder, {}, HEALTH), "\n")
    assert.matches("ERROR:? module: avepoint is not built for Neovim: run `make plugin`", text)
  end)
end)
