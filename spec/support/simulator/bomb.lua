-- A small gzip file that expands to as many blanks as one likes. One mebibyte is compressed with
-- a full flush, after which nothing refers back, so the same bytes can be repeated; only the
-- checksum has to be computed along. Needs the zlib that nginx is linked with.
-- SPDX-License-Identifier: MIT
local ffi = require "ffi"

ffi.cdef [[
  typedef struct {
    const uint8_t *next_in; unsigned avail_in; unsigned long total_in;
    uint8_t *next_out; unsigned avail_out; unsigned long total_out;
    const char *msg; void *state; void *zalloc; void *zfree; void *opaque;
    int data_type; unsigned long adler; unsigned long reserved;
  } simulator_zstream;
  const char *zlibVersion(void);
  int deflateInit2_(simulator_zstream *stream, int level, int method, int bits, int memory,
                    int strategy, const char *version, int size);
  int deflate(simulator_zstream *stream, int flush);
  int deflateEnd(simulator_zstream *stream);
  unsigned long crc32(unsigned long crc, const uint8_t *bytes, unsigned length);
]]

local BLOCK = 2 ^ 20
local HEADER = "\31\139\8\0\0\0\0\0\0\255"
local LAST_BLOCK = "\3\0" -- an empty final block
local DEFLATED, RAW, BEST, FULL_FLUSH = 8, -15, 9, 3

local function load_zlib()
  for _, name in ipairs { "libz.so.1", "z" } do
    local ok, library = pcall(ffi.load, name)
    if ok then return library end
  end
  return ffi.C
end

local function compressed(zlib, text)
  local stream = ffi.new "simulator_zstream"
  assert(zlib.deflateInit2_(stream, BEST, DEFLATED, RAW, 9, 0, zlib.zlibVersion(),
    ffi.sizeof(stream)) == 0)
  local room = #text + 1024
  local out = ffi.new("uint8_t[?]", room)
  stream.next_in, stream.avail_in = text, #text
  stream.next_out, stream.avail_out = out, room
  assert(zlib.deflate(stream, FULL_FLUSH) == 0)
  zlib.deflateEnd(stream)
  return ffi.string(out, room - stream.avail_out)
end

local function little_endian(number)
  local bytes = {}
  for i = 1, 4 do
    bytes[i] = string.char(number % 256)
    number = math.floor(number / 256)
  end
  return table.concat(bytes)
end

local made = {}

local M = {}

-- spaces(size): gzip data that expands to size blanks, rounded up to whole mebibytes
function M.spaces(size)
  local blocks = math.ceil(size / BLOCK)
  if not made[blocks] then
    local zlib = load_zlib()
    local text = (" "):rep(BLOCK)
    local crc = 0
    for _ = 1, blocks do crc = zlib.crc32(crc, text, BLOCK) end
    made[blocks] = HEADER .. compressed(zlib, text):rep(blocks) .. LAST_BLOCK
      .. little_endian(tonumber(crc)) .. little_endian(blocks * BLOCK % 2 ^ 32)
  end
  return made[blocks]
end

return M
