--- What listing:write has written, as other programs read it.
-- SPDX-License-Identifier: MIT

local assert = require "luassert"
local cjson = require "cjson"
local helper = require "spec.helper"

local files = {}

--- Runs a shell command and returns its output.
function files.output_of(command, ...)
  local pipe = assert(io.popen(command:format(...), "r"))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

--- The rows of a CSV file as Python reads them.
function files.read_csv(path)
  local script = helper.temporary ".py"
  helper.write(script, [[
import csv, json, sys
with open(sys.argv[1], newline="", encoding="utf-8") as file:
    print(json.dumps(list(csv.reader(file, strict=True))))
]])
  return cjson.decode(files.output_of("python3 %s %s", script, path))
end

--- The rows as objects by the header.
function files.read_objects(path)
  local rows, objects = files.read_csv(path), {}
  for r = 2, #rows do
    objects[r - 1] = {}
    assert.equal(#rows[1], #rows[r])
    for i, name in ipairs(rows[1]) do
      objects[r - 1][name] = rows[r][i]
    end
  end
  return objects, rows[1]
end

--- The values of a JSON or JSON lines file as jq reads them.
function files.read_json(path)
  local list = {}
  for line in files.output_of("jq -c . %s", path):gmatch "[^\n]+" do
    list[#list + 1] = cjson.decode(line)
  end
  return list
end

--- Writes what is left of a listing to a new file. Returns its path and how many rows.
function files.written(listing, format, options)
  local path = helper.temporary("." .. format)
  return path, listing:write(path, format, options)
end

--- Returns a function that makes listings of the same customers, one at each call.
-- @param items customers, or their JSON
function files.source(items, more)
  local texts = {}
  for i, item in ipairs(items) do
    texts[i] = type(item) == "string" and item or cjson.encode(item)
  end
  return function()
    return helper.client({ raw_items = texts }, more):customers { endpoint = "get" }
  end
end

return files
