--- Prints a table of tables.lua for reading.
-- SPDX-License-Identifier: MIT

local function print_row(row, widths)
  local cells = {}
  for i, cell in ipairs(row) do
    cells[i] = cell .. (" "):rep(widths[i] - #cell)
  end
  print(("  " .. table.concat(cells, "  ")):match "^(.-)%s*$")
end

return function(one)
  local widths = {}
  for _, row in ipairs { one.head, table.unpack(one.rows) } do
    for i, cell in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, #cell)
    end
  end
  print("\n" .. one.title)
  print_row(one.head, widths)
  for _, row in ipairs(one.rows) do
    print_row(row, widths)
  end
end
