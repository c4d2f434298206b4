-- The doctor called what curl's variables name the system's certificates.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

describe("the doctor", function()
  it("says which variable the trusted certificates come from", function()
    local ours = helper.ca_file
    local none = { CURL_CA_BUNDLE = "", SSL_CERT_FILE = "", SSL_CERT_DIR = "" }
    for words, variables in pairs {
      ["the certificates in " .. ours .. ", and no others"] = { AVEPOINT_CA_FILE = ours,
        CURL_CA_BUNDLE = "/x" },
      ["what curl trusts; CURL_CA_BUNDLE is " .. ours] = { CURL_CA_BUNDLE = ours,
        SSL_CERT_FILE = "/x", SSL_CERT_DIR = "/y" },
      ["what curl trusts; SSL_CERT_FILE is " .. ours .. ", SSL_CERT_DIR is /nowhere"] = {
        SSL_CERT_FILE = ours, SSL_CERT_DIR = "/nowhere" },
      ["what curl trusts; SSL_CERT_DIR is /nowhere"] = { SSL_CERT_DIR = "/nowhere" },
      ["the system's certificates"] = {},
    } do
      local environment = { AVEPOINT_CA_FILE = false }
      for _, set in ipairs { none, variables } do
        for name, value in pairs(set) do environment[name] = value end
      end
      local said = helper.run("require 'avepoint'.doctor()",
        helper.environment(helper.scenario { customers = 1 }, environment))
      assert.matches("trust       " .. words .. "\n", said, 1, true)
    end
  end)
end)
