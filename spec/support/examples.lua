-- Runs the examples that are scripts.
-- SPDX-License-Identifier: MIT

local helper = require "spec.helper"

local examples = {}

-- Runs an example. `more`: words of the command line before the script, variables.
function examples.run(name, id, arguments, more)
  more = more or {}
  return helper.run_with(("%s %s/examples/%s.lua %s"):format(more.before or "", helper.top, name,
    arguments or ""), helper.environment(id, more.environment))
end

-- The same as a command of the shell, whose streams are free.
function examples.command(name, id, arguments, more)
  more = more or {}
  local preload = os.getenv "LD_PRELOAD" -- a sanitizer's, which hosts.shell takes away
  local words = { "env", preload and "LD_PRELOAD=" .. preload }
  for variable, value in pairs(helper.environment(id, more.environment)) do
    words[#words + 1] = ("%s='%s'"):format(variable, value)
  end
  return ("%s %s %s %s/examples/%s.lua %s"):format(table.concat(words, " "), helper.lua,
    more.before or "", helper.top, name, arguments or "")
end

-- The lines of its output, without empty ones.
function examples.lines(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  return lines
end

return examples
