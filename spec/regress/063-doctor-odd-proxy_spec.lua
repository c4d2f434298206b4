-- The doctor printed the password of a proxy that is written without a scheme where the password
-- holds a slash: a proxy that libcurl refuses, so just when the doctor is asked.
-- SPDX-License-Identifier: MIT

local doctor = require "avepoint.doctor"
local helper = require "spec.helper"

describe("the doctor", function()
  it("shows no password of a proxy, however it is written", function()
    for _, proxy in ipairs { "u:PASSW@h:1", "u:a/PASSW@h:1", "http://u:a/PASSW@h", "PASSW@",
      "u:a@PASSW@h", "x://u:PASSW@h y" } do
      local options = helper.options(helper.scenario {}, { proxy = proxy, timeout = 1 })
      for _, line in ipairs(doctor.examine(options)) do
        assert.not_matches("PASSW", line.text, 1, true)
      end
    end
  end)
end)
