-- Who put the key or the secret itself where its path is asked for read it in the error's message,
-- and in the doctor's report.
-- SPDX-License-Identifier: MIT

local avepoint = require "avepoint"
local doctor = require "avepoint.doctor"
local helper = require "spec.helper"

local KEY = "-----BEGIN PRIVATE KEY-----\nTUlJRXZRSUJBREFOQmdrcWhr\n-----END PRIVATE KEY-----\n"
local ONE_LINE = KEY:gsub("\n", " ")
local BARE = "TUlJRXZRSUJBREFOQmdrcWhr"

local function assert_silent(text)
  for _, part in ipairs { "BEGIN", BARE:sub(1, 8), BARE:sub(-8) } do
    assert.is_nil(text:find(part, 1, true), text)
  end
end

local function report_of(options)
  local parts = {}
  for _, line in ipairs(doctor.examine(options)) do
    parts[#parts + 1] = line.text
  end
  return table.concat(parts, "\n")
end

describe("the text of a file in the place of its path is never quoted:", function()
  local pem = helper.temporary ".pem"
  setup(function()
    os.execute("unset LD_PRELOAD; openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x "
      .. "-keyout /dev/null -out " .. pem .. " 2>/dev/null")
  end)

  for _, text in ipairs { KEY, ONE_LINE, BARE } do
    local options = {
      certificate = { client_id = "me", certificate = text },
      private_key = { client_id = "me", certificate = pem, private_key = text },
    }
    if text ~= BARE then
      options.ca_file = { client_id = "me", client_secret = "x", ca_file = text }
    end
    for name, given in pairs(options) do
      it(name .. " " .. #text, function()
        local err = helper.error_of(avepoint.client, given)
        assert.equal("config", err.kind)
        assert.matches(name .. " cannot be read", err.message, 1, true)
        assert_silent(helper.everything(err))
        assert_silent(report_of(given))
      end)
    end

    it("in a variable " .. #text, function()
      for name, more in pairs { AVEPOINT_CLIENT_SECRET_FILE = "AVEPOINT_CLIENT_SECRET_FILE",
        AVEPOINT_PRIVATE_KEY = "private_key", AVEPOINT_CERTIFICATE = "certificate" } do
        local out, code = helper.run([[
          local avepoint = require "avepoint"
          print(pcall(avepoint.client))
          print(avepoint.doctor())
        ]], { AVEPOINT_CLIENT_ID = "me", AVEPOINT_CERTIFICATE = pem, [name] = text })
        assert.equal(0, code)
        assert.matches("^false\tavepoint: config: " .. more, out)
        assert_silent(out)
      end
    end)
  end
end)
