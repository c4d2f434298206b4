-- A prompt to look at customers by hand: a client, help, and values that can be read.
--
--     lua -i examples/repl.lua
--     > client:customers():failed():show()
--     > client:customers():search("fabrikam"):first()
--
-- On Lua 5.1, 5.2 and LuaJIT write `=` before an expression. Ctrl-C ends a call, Ctrl-D the prompt.
-- SPDX-License-Identifier: MIT

avepoint = require "avepoint"

help = setmetatable({}, { __tostring = function()
  return [[
client:customers()                      all customers; what follows can be chained
  :failed()  :needs_attention()  :in_country("Japan")  :search("text")  :take(10)
  :where { jobStatus = "Failed", managementMode = 1 }
  :show()  :count()  :count_by "jobStatus"  :collect()  :first()
  :write("customers.csv", "csv")        or "json", "jsonl"
client:customer("id")                   one customer, or nil
avepoint.doctor()                       tells what is wrong with the sign-in
Leave out `local`: it ends with its line.]]
end })

-- The prompt prints results with `print`: a plain table becomes readable. Listings and errors have
-- a text of their own.
local plain = print
function print(...)
  local value, meta = ..., getmetatable((...))
  if select("#", ...) == 1 and type(value) == "table" and not (meta and meta.__tostring) then
    return avepoint.show(value)
  end
  plain(...)
end

local ok, made = pcall(avepoint.client)
client = ok and made or nil
plain(ok and "`client` signs in when it is first used; `help` tells what to type."
  or tostring(made) .. "\nMore: avepoint.doctor(). Then: client = avepoint.client()")
