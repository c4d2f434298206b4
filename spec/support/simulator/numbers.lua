-- Numbers that look random but follow from an ordinal alone, and ids of which the ordinal can be
-- read back: the same ordinal always gives the same customer, job or product.
-- SPDX-License-Identifier: MIT
local bit = require "bit"
local ffi = require "ffi"

local band, bxor, lshift, rshift, tobit = bit.band, bit.bxor, bit.lshift, bit.rshift, bit.tobit

-- Product of two 32-bit numbers modulo 2^32: in halves, since a double holds 53 bits only.
local function multiply(a, b)
  return tobit(lshift(tobit(rshift(a, 16) * band(b, 0xffff)), 16) + band(a, 0xffff) * (b % 2 ^ 32))
end

local SPREAD = 0x2C1B3C6D
local MASK = 0x51A7E0D3

-- Newton's iteration for the inverse of an odd number modulo 2^32: each step doubles the bits.
local function inverse(number)
  local x = number
  for _ = 1, 5 do x = multiply(x, tobit(2 - multiply(number, x))) end
  return x
end

local UNSPREAD = inverse(SPREAD)

local function mix(number, salt)
  local hash = tobit(number * 31 + salt)
  hash = multiply(bxor(hash, rshift(hash, 16)), 0x45D9F3B)
  hash = multiply(bxor(hash, rshift(hash, 15)), 0x297A2D39)
  return bxor(hash, rshift(hash, 16))
end

local HEX = ffi.new("uint8_t[16]", { ("0123456789abcdef"):byte(1, 16) })
local DASH, FOUR = ("-"):byte(), ("4"):byte()
local text36 = ffi.new "uint8_t[36]"

local function put_hex(at, digits, number)
  for i = at + digits - 1, at, -1 do
    text36[i] = HEX[band(number, 15)]
    number = rshift(number, 4)
  end
end

-- The form of a random GUID (version 4), written digit by digit since ids are most of the work of
-- a page. The first eight digits are a permutation of the ordinal.
local function guid(ordinal, salt)
  local middle, last = mix(ordinal, salt + 1), mix(ordinal, salt + 2)
  put_hex(0, 8, bxor(multiply(ordinal, SPREAD), tobit(MASK + salt * 65599)))
  put_hex(9, 4, middle)
  put_hex(15, 3, rshift(middle, 16))
  put_hex(19, 4, band(last, 0x3fff) + 0x8000) -- the variant
  put_hex(24, 4, rshift(last, 16))
  put_hex(28, 8, mix(ordinal, salt + 3))
  text36[8], text36[13], text36[14], text36[18], text36[23] = DASH, DASH, FOUR, DASH, DASH
  return ffi.string(text36, 36)
end

-- The ordinal that an id stands for, nil for any other text.
local function ordinal_of(id)
  local digits = id:lower():match("^(%x%x%x%x%x%x%x%x)%-")
  if not digits then return nil end
  local ordinal = multiply(bxor(tobit(tonumber(digits, 16)), MASK), UNSPREAD) % 2 ^ 32
  if guid(ordinal, 0) ~= id:lower() then return nil end
  return ordinal
end

return { mix = mix, guid = guid, ordinal_of = ordinal_of }
