--- How busted's results are printed: a dot a test, failures in full at the end, one line of counts.
-- SPDX-License-Identifier: MIT

return function(options)
  local busted = require "busted"
  local handler = require "busted.outputHandlers.base"()

  local function full_name(element)
    return handler.getFullName(element)
  end

  local function mark(text)
    io.stdout:write(text)
    io.stdout:flush()
  end

  -- Ctrl-C reaches the running test as an error; whoever types it means all of them.
  function handler.onError(_, _, message)
    if tostring(message):find "interrupted!" then
      os.exit(130, true)
    end
    return nil, true
  end

  function handler.testEnd(element, _, status)
    if status == "success" then
      mark "."
    elseif status == "pending" then
      mark "?"
    elseif status == "failure" then
      mark "F"
    else
      mark "E"
    end
    if os.getenv "AVP_NAMES" then
      mark((" %s (%.2f s)\n"):format(full_name(element), element.duration or 0))
    end
    return nil, true
  end

  local function describe(problem)
    local message = problem.message
    if type(message) ~= "string" then
      message = tostring(message)
    end
    local trace = problem.trace or {}
    print(("\nnot ok %s\n  %s:%s\n  %s"):format(problem.name or "?", trace.short_src or "?",
      trace.currentline or "?", (message:gsub("\n", "\n  "))))
    if trace.traceback and options.verbose then
      print(trace.traceback)
    end
  end

  function handler.suiteEnd()
    print()
    local broken = {}
    for _, list in ipairs { handler.failures, handler.errors } do
      for _, problem in ipairs(list) do
        describe(problem)
        broken[#broken + 1] = problem
      end
    end
    for _, problem in ipairs(handler.pendings) do
      describe(problem) -- nothing is left out without a word
    end
    local passed, failed = handler.successesCount, #broken + handler.pendingsCount
    print(("Specs: %d passed, %d failed"):format(passed, failed))
    local results = os.getenv "AVP_RESULTS"
    if results then
      local file = assert(io.open(results, "a"))
      file:write(passed, " ", failed, "\n")
      file:close()
    end
    return nil, true
  end

  busted.subscribe({ "error" }, handler.onError)
  busted.subscribe({ "test", "end" }, handler.testEnd, { predicate = handler.cancelOnPending })
  busted.subscribe({ "suite", "end" }, handler.suiteEnd)
  return handler
end
