--- For specs of avepoint's window in a headless Neovim: a folder as a user has it, and Lua that
-- looks at the screen as a person does.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"
local hosts = dofile(helper.top .. "/spec/support/hosts.lua")

local window = {}

--- Stands before each script: the screen, and what a person sees on it.
window.prelude = [[
  vim.o.columns, vim.o.lines = 120, 40
  local function window_of(filetype)
    for _, id in ipairs(vim.api.nvim_list_wins()) do
      local buffer = vim.api.nvim_win_get_buf(id)
      if vim.bo[buffer].filetype == filetype then return id, buffer end
    end
  end
  local function text_of(filetype)
    local id, buffer = window_of(filetype)
    return id and vim.api.nvim_buf_get_lines(buffer, 0, -1, false) or {}
  end
  local function status() return text_of "avepoint-frame"[1] or "" end
  local function list() return text_of "avepoint" end
  -- Calls `follow` as soon as the condition holds; in the loop, so that keys are worked off.
  local function when(holds, follow)
    local timer = (vim.uv or vim.loop).new_timer()
    timer:start(0, 10, vim.schedule_wrap(function()
      if not timer:is_closing() and holds() then
        timer:close()
        follow()
      end
    end))
  end
  -- The same once the status holds the text and, with n, the list has so many lines.
  local function once(text, follow, n)
    when(function()
      return status():find(text, 1, true) and (n == nil or #list() == n)
    end, follow)
  end
  local press = vim.api.nvim_input
]]

--- Customers as nobody should name them: the fields of a scenario.
window.HOSTILE = [[{ "items": [
  { "id": "id-1", "organization": "日本電気株式会社 東京本社 情報システム部 第二営業統括本部 海外担当部",
    "jobStatus": "Failed", "countryOrRegion": "日本", "ownerEmail": "t@example.jp", "tenants": [] },
  { "id": "id-2", "organization": "a\u001b[31mb\nc\td\u202ee\u0085f\u2028g", "jobStatus": "Failed",
    "countryOrRegion": "\u009b2J", "ownerEmail": "e\u0301@example", "tenants": [] },
  { "id": "id-3", "organization": "", "jobStatus": "New \r Status", "countryOrRegion": null,
    "tenants": [{ "id": "t-1", "name": "one\ntwo" }, { "id": "t-2", "name": "three" }],
    "note": "undocumented" }
] }]]

--- Makes a folder in which the module stands as `make plugin` puts it, from the build at hand.
function window.folder()
  local folder = helper.temporary ".plugin"
  local said, code = hosts.shell(("mkdir -p %s && cp -R %s/lua %s && cp "
    .. "%s/build/luajit/avepoint/*.so %s/lua/avepoint/"):format(folder, helper.top, folder,
    helper.top, folder))
  assert(code == 0, said)
  return folder
end

--- Runs a script in a Neovim that has this folder and has called setup(). Returns what the script
-- passed to finish(), as lines.
-- @param setup the text of setup's argument; nil: none
function window.run(folder, environment, script, setup)
  return hosts.nvim(("%s\nrequire('avepoint.nvim').setup(%s)\n%s"):format(window.prelude,
    setup or "", script), { runtimepath = { folder }, environment = environment })
end

--- The same with the variables of a new scenario. Returns its id too.
function window.read(folder, scenario, script, setup)
  local id = helper.scenario(scenario)
  return window.run(folder, helper.environment(id), script, setup), id
end

return window
