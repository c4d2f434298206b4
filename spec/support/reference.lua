--- Writes doc/reference.md from the annotations in lua/avepoint/types.lua and from
-- reference_texts.lua, and the options in reference and annotations from lua/avepoint/options.lua;
-- checks that the annotations name all that is public and nothing else.
-- usage: reference.lua write|check     (with the module on the paths)
-- SPDX-License-Identifier: MIT

local options = require "avepoint.options"
local texts = dofile "spec/support/reference_texts.lua"

local TYPES = "lua/avepoint/types.lua"
local REFERENCE = "doc/reference.md"

local function lines_of(path)
  local lines = {}
  for line in io.lines(path) do
    lines[#lines + 1] = line
  end
  return lines
end

local function text_of(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

-- options -----------------------------------------------------------------------------------------

local OPTIONS = {
  ["avepoint.ClientOptions"] = options.client,
  ["avepoint.ListingOptions"] = options.listing,
  ["avepoint.ListOptions"] = options.list,
  ["avepoint.ShowOptions"] = options.show,
  ["avepoint.WriteOptions"] = options.write,
}

local type_of = {
  text = "string",
  ["function"] = "(%s)",
  ["text or function"] = "(string|%s)",
  ["text or table"] = "(string|%s)",
  ["text or boolean"] = "(string|%s)",
  table = "%s",
  word = "(%s)",
  ["word or table"] = "(%s)",
  boolean = "boolean",
  list = "string[]",
  integer = "integer",
  seconds = "number",
  wait = "number",
}

-- An option's type as editors read it.
local function option_type(option)
  local parts = {}
  for i, word in ipairs(option.words or {}) do
    parts[i] = ("%q"):format(word)
  end
  parts[#parts + 1] = option.as
  return type_of[option.kind]:format(table.concat(parts, "|")) .. "?"
end

local function default_of(option)
  if option.default == nil then
    return option.otherwise
  end
  return option.kind == "integer" and ("%d"):format(option.default)
    or type(option.default) == "string" and "`" .. option.default .. "`"
    or tostring(option.default)
end

local function variables_of(option)
  local names = option.variables or { option.variable }
  return #names > 0 and "`" .. table.concat(names, "`, `") .. "`" or nil
end

-- What stands behind an option's type: sentence, range, default, variables.
local function option_text(option)
  local text = option.text
  if option.kind == "integer" then
    text = ("%s From %d to %d."):format(text, option.min, option.max)
  end
  local default, variables = default_of(option), variables_of(option)
  text = default and ("%s Default: %s."):format(text, default) or text
  return variables and ("%s Environment: %s."):format(text, variables) or text
end

-- The text of types.lua with the fields of both classes of options as options.lua has them.
local function with_options(text)
  for class, list in pairs(OPTIONS) do
    local lines = {}
    for i, option in ipairs(list) do
      lines[i] = ("---@field %s %s %s\n"):format(option.name, option_type(option),
        option_text(option))
    end
    local _, from = assert(text:find("---@class " .. class .. "\n", 1, true))
    local to = assert(text:find("\n\n", from, true))
    text = text:sub(1, from) .. table.concat(lines) .. text:sub(to + 1)
  end
  return text
end

-- annotations -------------------------------------------------------------------------------------

-- A type and what stands behind it: "string? The text." The type ends at a blank outside brackets.
local function split_type(text)
  local depth, i = 0, 1
  while i <= #text do
    local c = text:sub(i, i)
    if c:find "[%(%[{<]" then
      depth = depth + 1
    elseif c:find "[%)%]}>]" then
      depth = depth - 1
    elseif c == " " and depth == 0 then
      local before, behind = text:sub(i - 1, i - 1), text:sub(i + 1, i + 1)
      if not before:find "[:,|]" and behind ~= "|" then
        return text:sub(1, i - 1), text:sub(i + 1)
      end
    end
    i = i + 1
  end
  return text, ""
end

local function new_block()
  return { text = {}, params = {}, returns = {}, fields = {}, variants = {} }
end

local take = {}

function take.class(block, rest)
  block.class = rest:match "^%S+"
end

function take.alias(block, rest)
  block.alias = rest
end

function take.field(block, rest)
  local name, tail = rest:match "^(%S+) (.*)$"
  if name ~= "[string]" then
    local kind, text = split_type(tail)
    table.insert(block.fields, { name = name, type = kind, text = text })
  end
end

function take.param(block, rest)
  local name, tail = rest:match "^(%S+) (.*)$"
  local kind, text = split_type(tail)
  table.insert(block.params, { name = name, type = kind, text = text })
end

take["return"] = function(block, rest)
  local kind, tail = split_type(rest)
  table.insert(block.returns, { name = tail:match "^%S*", type = kind,
    text = tail:match "^%S+ (.*)$" or "" })
end

function take.overload() end

function take.meta() end

-- The blocks of the file, in its order: classes, aliases and functions.
local function read()
  local blocks, block = {}, new_block()
  for _, line in ipairs(lines_of(TYPES)) do
    local tag, rest = line:match "^%-%-%-@(%a+) ?(.*)$"
    if tag then
      assert(take[tag], "unknown annotation @" .. tag)(block, rest)
    elseif line:match "^%-%-%-|" then
      table.insert(block.variants, line:match '^%-%-%-| "(.-)"')
    elseif line:match "^%-%-%-" then
      table.insert(block.text, line:sub(4))
    elseif line:match "^function" then
      block.owner, block.mark, block.name = line:match "^function ([%w_]+)([.:])([%w_]+)"
      blocks[#blocks + 1], block = block, new_block()
    elseif line == "" or line:match "^local" then
      block.variable = line:match "^local ([%w_]+) = {}"
      if block.class or block.alias then
        blocks[#blocks + 1] = block
      end
      block = new_block()
    end
  end
  return blocks
end

-- reference ---------------------------------------------------------------------------------------

-- The classes in the reference's order, by their parts.
local PARTS = {
  { "The module", "avepoint" },
  { "Client and listing", "avepoint.Client", "avepoint.Listing" },
  { "Options", "avepoint.ClientOptions", "avepoint.ListingOptions", "avepoint.ListOptions",
    "avepoint.GetOptions", "avepoint.ShowOptions", "avepoint.WriteOptions" },
  { "Values", "avepoint.Customer", "avepoint.Tenant", "avepoint.JobStatus", "avepoint.Error",
    "avepoint.ErrorKind", "avepoint.Event", "avepoint.Stats", "avepoint.Finding" },
  { "Loops and stores", "avepoint.driver.uv", "avepoint.Task", "avepoint.Driver",
    "avepoint.TokenStore" },
}

local HEAD = [[
# Reference

Every name of the module. Generated from [the annotations](../lua/avepoint/types.lua) by `make
reference`; [listing](listing.md) and [configuration](configuration.md) tell the same in order.

`?` behind a type means that the value may be left out or nil. Wrong use (a wrong type, an unknown
option, a number out of range) raises an argument error, a text. What goes wrong in the world raises
an [`avepoint.Error`](#avepointerror), an object; its kinds are in [errors](errors.md).

]]

local function escaped(text)
  return (text:gsub("|", "\\|"))
end

local function option_table(out, list)
  out[#out + 1] = "| option | type | environment | default | meaning |\n|---|---|---|---|---|"
  for _, option in ipairs(list) do
    local range = option.min and (", %d to %d"):format(option.min, option.max) or ""
    out[#out + 1] = ("| `%s` | `%s`%s | %s | %s | %s |"):format(option.name,
      escaped(option_type(option)), range, variables_of(option) or "none",
      default_of(option) or "none", option.text)
  end
  out[#out + 1] = ""
end

local function field_table(out, fields)
  out[#out + 1] = "| field | type | meaning |\n|---|---|---|"
  for _, field in ipairs(fields) do
    out[#out + 1] = ("| `%s` | `%s` | %s |"):format(field.name, escaped(field.type),
      escaped(field.text))
  end
  out[#out + 1] = ""
end

-- A function as it is called: its name, and with its parameters.
local function called(block)
  local owner = ({ Client = "client", Listing = "listing", Task = "task" })[block.owner]
    or block.owner
  local names = {}
  for i, param in ipairs(block.params) do
    names[i] = param.name
  end
  local name = owner .. block.mark .. block.name
  return name, ("%s(%s)"):format(name, table.concat(names, ", "))
end

-- A link to each class of this page that a type names.
local function links(kind, anchors)
  local parts = {}
  for class in kind:gmatch "avepoint%.%u%w+" do
    if anchors[class] and not class:find "Listing$" and not class:find "Customer$" then
      parts[#parts + 1] = (" See [`%s`](#%s)."):format(class, anchors[class])
    end
  end
  return table.concat(parts)
end

local function describe_values(out, values, word, anchors)
  for _, value in ipairs(values) do
    local text = value.text ~= "" and value.text:gsub("%.?$", ".") or ""
    out[#out + 1] = ("- %s`%s`: `%s`. %s%s"):format(word, value.name, value.type, text,
      links(value.type, anchors)):gsub("%.  ", ". "):gsub("%s+$", "")
  end
end

local function write_function(out, block, anchors)
  local name, signature = called(block)
  local more = assert(texts[name], name .. " has no text in spec/support/reference_texts.lua")
  out[#out + 1] = ("#### `%s`\n"):format(signature)
  out[#out + 1] = table.concat(block.text, " "):gsub("  ", "\n\n") .. "\n"
  describe_values(out, block.params, "", anchors)
  describe_values(out, block.returns, "returns ", anchors)
  out[#out + 1] = ("- raises %s\n"):format(more.raises)
  local mark = more.example:find('require "luv"', 1, true) and "<!-- luv -->\n" or ""
  out[#out + 1] = ("%s```lua\n%s```\n"):format(mark, more.example)
end

local function write_class(out, block, anchors)
  out[#out + 1] = ("### `%s`\n"):format(block.class or block.alias)
  if #block.text > 0 then
    out[#out + 1] = table.concat(block.text, " ") .. "\n"
  end
  if OPTIONS[block.class] then
    option_table(out, OPTIONS[block.class])
  elseif #block.fields > 0 then
    field_table(out, block.fields)
  end
  if #block.variants > 0 then
    out[#out + 1] = "`" .. table.concat(block.variants, "`, `") .. "`\n"
  end
  for _, f in ipairs(block.functions) do
    write_function(out, f, anchors)
  end
end

-- The classes and aliases by name, each with its functions.
local function by_class(blocks)
  local classes, owners = {}, {}
  for _, block in ipairs(blocks) do
    if block.name then
      table.insert(owners[block.owner].functions, block)
    else
      block.functions = {}
      classes[block.class or block.alias] = block
      owners[block.variable or false] = block
    end
  end
  return classes
end

-- Gives each heading its anchor, as forges make them, by class and by signature. Returns the
-- contents too.
local function contents_of(classes)
  local anchors, taken, lines = {}, {}, {}
  local function anchor(heading)
    local base = heading:lower():gsub("[^%w_ -]", ""):gsub(" ", "-")
    taken[base] = (taken[base] or -1) + 1
    return taken[base] == 0 and base or ("%s-%d"):format(base, taken[base])
  end
  for _, part in ipairs(PARTS) do
    lines[#lines + 1] = ("- [%s](#%s)"):format(part[1], anchor(part[1]))
    for i = 2, #part do
      local class, names = assert(classes[part[i]], part[i]), {}
      anchors[part[i]] = anchor(part[i])
      for _, f in ipairs(class.functions) do
        local _, signature = called(f)
        names[#names + 1] = ("[`%s`](#%s)"):format(f.name, anchor(signature))
      end
      lines[#lines + 1] = ("  - [`%s`](#%s)%s"):format(part[i], anchors[part[i]],
        #names > 0 and ": " .. table.concat(names, ", ") or "")
    end
  end
  return anchors, table.concat(lines, "\n")
end

local function render(blocks)
  local classes = by_class(blocks)
  local anchors, contents = contents_of(classes)
  local out = { HEAD .. contents .. "\n" }
  for _, part in ipairs(PARTS) do
    out[#out + 1] = ("## %s\n"):format(part[1])
    for i = 2, #part do
      write_class(out, classes[part[i]], anchors)
      classes[part[i]] = nil
    end
  end
  local left = next(classes)
  assert(not left, tostring(left) .. " has no place in the reference")
  return (table.concat(out, "\n"):gsub("\n\n\n+", "\n\n"))
end

-- check -------------------------------------------------------------------------------------------

local failed = false

-- Holds the names that a class is annotated with against those that there are.
local function compare(what, annotated, present)
  for name in pairs(present) do
    if not annotated[name] then
      print(("%s: %s has no annotation in %s"):format(what, name, TYPES))
      failed = true
    end
  end
  for name in pairs(annotated) do
    if not present[name] then
      print(("%s: %s annotates what is not there: %s"):format(what, TYPES, name))
      failed = true
    end
  end
end

-- All names of a class: its fields and functions.
local function annotated(blocks, class)
  local names, variable = {}, nil
  for _, block in ipairs(blocks) do
    if block.class == class then
      variable = block.variable
      for _, field in ipairs(block.fields) do
        names[field.name] = true
      end
    elseif block.owner and block.owner == variable then
      names[block.name] = true
    end
  end
  return names
end

local function keys(t)
  local names = {}
  for name in pairs(t) do
    if name == "_VERSION" or name:sub(1, 1) ~= "_" then
      names[name] = true
    end
  end
  return names
end

-- The names that C sources register: what `pattern` finds between two marks of the file.
local function names_in(path, first, last, pattern)
  local text = text_of(path)
  local from = assert(text:find(first, 1, true), first)
  local to = assert(text:find(last, from, true), last)
  local names = {}
  for name in text:sub(from, to):gmatch(pattern) do
    names[name] = true
  end
  return names
end

local function check_all(blocks)
  local avepoint = require "avepoint"
  local client = avepoint.client { access_token = "made-up" }
  local listing = client:customers()
  local set = 'set_%a+%(L, "([%w_]+)"'
  compare("avepoint", annotated(blocks, "avepoint"), keys(avepoint))
  compare("client", annotated(blocks, "avepoint.Client"), keys(getmetatable(client).__index))
  local methods = require("avepoint.listing").methods
  compare("listing", annotated(blocks, "avepoint.Listing"), keys(methods))
  compare("stats", annotated(blocks, "avepoint.Stats"), keys(listing:stats()))
  compare("customer", annotated(blocks, "avepoint.Customer"),
    keys(require("avepoint.customer").fields))
  local fields = names_in("src/bind/error.c", "void push_table(", "\n}\n", set)
  fields.body, fields.retryable, fields.where = true, true, true
  compare("error", annotated(blocks, "avepoint.Error"), fields)
  local event = names_in("src/bind/client.c", "int core_next_event(", "\n}\n", set)
  event.time = true
  compare("event", annotated(blocks, "avepoint.Event"), event)
  client:close()
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function check_same(path, text)
  if text_of(path) ~= text then
    print(path .. " is not what `make reference` writes")
    failed = true
  end
end

local types = with_options(text_of(TYPES))
if arg[1] == "write" then
  write(TYPES, types)
  write(REFERENCE, render(read()))
else
  check_all(read())
  check_same(TYPES, types)
  check_same(REFERENCE, render(read()))
end
os.exit(not failed)
