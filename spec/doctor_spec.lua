-- The doctor: what it says of a machine where all is well, and of each part that is not; as a
-- function, from the command line, and in Neovim's :checkhealth.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local doctor = require "avepoint.doctor"
local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

-- The report as a table by name: { status, text }.
local function examine(options)
  local by_name = {}
  for _, line in ipairs(doctor.examine(options)) do
    by_name[line.name] = by_name[line.name] or { line.status, line.text }
  end
  return by_name
end

local function assert_line(line, status, text)
  assert.is_table(line)
  assert.equal(status, line[1], line[2])
  assert.matches(text, line[2], 1, true)
end

-- What doc/troubleshooting.md shows for scripts; `-l` makes a global from Lua 5.2 on.
local function command(id, more)
  local script = _VERSION == "Lua 5.1"
    and [[-e 'os.exit(require("avepoint").doctor() and 0 or 1)']]
    or "-lavepoint -e 'os.exit(avepoint.doctor())'"
  return helper.run_with(script, helper.environment(id, more))
end

describe("the doctor", function()
  it("finds nothing where all is well", function()
    local id = helper.scenario { customers = 42 }
    local report = examine(helper.options(id))
    for name, line in pairs(report) do
      assert.equal("ok", line[1], name .. ": " .. line[2])
    end
    for _, name in ipairs { "lua", "libcurl", "dns", "http2", "json", "proxy", "credential",
      "service", "trust", "sign-in", "clock", "list" } do
      assert.is_table(report[name], name)
    end
    assert_line(report.list, "ok", "42 customers")
    assert_line(report.list, "ok", "scope")
    assert_line(report.credential, "ok", "client_secret with client id demo-client")
    assert_line(report.trust, "ok", helper.ca_file)
    assert.equal(1, #helper.journal(id, "/token"))
    assert.equal(1, #helper.journal(id, "/customers"))
  end)

  it("prints a line each and tells whether all is well", function()
    local path = helper.temporary ".txt"
    local file = assert(io.open(path, "w"))
    local healthy, report = avepoint.doctor(helper.options(helper.scenario { customers = 1 }), file)
    file:close()
    assert.is_true(healthy)
    local lines = 0
    for line in helper.read(path):gmatch "[^\n]+" do
      lines = lines + 1
      assert.matches("^ok +%S+ +%S", line)
    end
    assert.equal(#report, lines)
  end)

  it("never shows a secret", function()
    local id = helper.scenario { customers = 1 }
    local all = helper.everything(doctor.examine(helper.options(id)))
    assert.not_matches(helper.client_secret, all, 1, true)
    all = helper.everything(doctor.examine(helper.options(id, { access_token = "hush-hush" })))
    assert.not_matches("hush-hush", all, 1, true)
    all = helper.everything(doctor.examine(helper.options(id,
      { proxy = "http://hush:hush-hush@127.0.0.1:1" })))
    assert.not_matches("hush", all, 1, true)
    assert.matches("127.0.0.1:1", all, 1, true)
  end)

  it("tells a failing sign-in from a failing list", function()
    local report = examine(helper.options(helper.scenario {}, { client_secret = "wrong-one" }))
    assert_line(report["sign-in"], "error", "invalid_client")
    assert.is_nil(report.list)
    report = examine(helper.options(helper.scenario { endpoints = { get = 403, batch = 403 } }))
    assert_line(report["sign-in"], "ok", "token")
    assert_line(report.list, "error", "elements.customers.read.all")
  end)

  it("does not sit out a long pause that the service asks for", function()
    local begun = os.time()
    local id = helper.scenario { customers = 1, faults = { { on = "page", times = -1, status = 429,
      headers = { ["Retry-After"] = "40" } } } }
    assert_line(examine(helper.options(id)).list, "error", "40")
    assert.is_true(os.time() - begun < 20)
  end)

  it("compares the clock with the server's", function()
    for offset, status in pairs { ["+600"] = "error", ["-600"] = "error", ["+5"] = "ok" } do
      local id = helper.scenario { faults = { { on = "page", status = 403, times = -1,
        headers = { Date = "date:" .. offset } } } }
      local report = examine(helper.options(id))
      assert_line(report.clock, status, offset == "+600" and "behind" or "")
    end
  end)

  it("names a certificate and its end", function()
    for days, status in pairs { [9] = "warning", [90] = "ok" } do
      local dir = helper.temporary ".keys"
      os.execute("mkdir -p " .. dir)
      os.execute(("cd %s && openssl req -x509 -subj /CN=x -days %d -nodes -newkey rsa:2048 "
        .. "-keyout k.pem -out c.pem 2>/dev/null"):format(dir, days))
      local id = helper.scenario { customers = 2, token = { certificates = { dir .. "/c.pem" } } }
      local report = examine(helper.options(id, { certificate = dir .. "/c.pem",
        private_key = dir .. "/k.pem" }))
      assert_line(report.certificate, status, os.date("!%Y-%m-%d", os.time() + days * 86400))
      assert_line(report.list, "ok", "2 customers")
    end
  end)

  it("names the variables of credentials that are set and not used", function()
    local out, code = command(helper.scenario { customers = 1 },
      { AVEPOINT_ACCESS_TOKEN = "hush-hush" })
    assert.equal(0, code, out)
    assert.matches("warning +credential +AVEPOINT_ACCESS_TOKEN is set too, and not used", out)
    assert.not_matches("hush-hush", out, 1, true)
    assert.not_matches(helper.client_secret, out, 1, true)
  end)

  it("misses lua-cjson", function()
    local out, code = helper.run([[
      package.preload.cjson = function() error("no such library", 0) end
      os.exit(require("avepoint").doctor() and 0 or 1)
    ]], helper.environment(helper.scenario { customers = 1 }))
    assert.equal(1, code, out)
    assert.matches("error +json +lua%-cjson is missing", out)
  end)
end)

describe("the doctor on a command line", function()
  it("prints the report and exits with 0 where all is well", function()
    local out, code = command(helper.scenario { customers = 5 })
    assert.equal(0, code, out)
    assert.matches("ok +list +5 customers", out)
  end)

  it("exits with 1 where something fails", function()
    local out, code = command(helper.scenario {}, { AVEPOINT_CLIENT_SECRET = false })
    assert.equal(1, code, out)
    assert.matches("error +settings +.*AVEPOINT_CLIENT_SECRET", out)
  end)
end)

describe("#hosts :checkhealth avepoint", function()
  it("shows the report", function()
    local base, token = helper.urls(helper.scenario { customers = 7 })
    local lines = hosts.nvim(([[
      vim.opt.runtimepath:append(%q)
      vim.env.AVEPOINT_BASE_URL, vim.env.AVEPOINT_TOKEN_URL = %q, %q
      vim.env.AVEPOINT_CA_FILE, vim.env.AVEPOINT_CLIENT_ID = %q, %q
      vim.env.AVEPOINT_CLIENT_SECRET = %q
      vim.cmd "checkhealth avepoint"
      finish(unpack(vim.api.nvim_buf_get_lines(0, 0, -1, false)))
    ]]):format(helper.top, base, token, helper.ca_file, helper.client_id, helper.client_secret))
    local text = table.concat(lines, "\n")
    assert.matches("OK:? list: 7 customers", text)
    assert.matches("LuaJIT", text, 1, true)
    assert.not_matches("ERROR", text, 1, true)
  end)
end)
