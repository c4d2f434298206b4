/* store.c - fuzzes the entries of a token store, which other processes write.
 *
 * Input: the entry, or behind a byte 1 a token that is packed as another process would pack it, so
 * that more is reached than the refusal of its hash. What is taken is sent as the bearer: it is the
 * token of an entry in good form, without a character that could end its header.
 * SPDX-License-Identifier: MIT */
#include "fuzz_client.h"

/* Lua: bearer() -> that of the request for customers; or nil. Nothing is answered. */
static int bearer(lua_State *L) {
  if (fake_find("/customers") == NULL) return 0;
  lua_pushstring(L, fake_bearer("/customers"));
  return 1;
}

static const char script[] =
    "local avepoint, core = require 'avepoint', require 'avepoint.core'\n"
    "local function entry_of(key, text)\n"
    "  local token = text:match '^\\1(.*)$'\n"
    "  if not token then return text, nil end\n"
    "  local ends = os.time() + 1000\n"
    "  return ('1 %d %s %s'):format(ends, core.hash(('%s %d %s'):format(key, ends, "
    "token:gsub('%z.*', ''))),\n"
    "    token), token\n"
    "end\n"
    "return function(text)\n"
    "  local key, entry, token\n"
    "  local store = {\n"
    "    get = function(_, k) key = k; entry, token = entry_of(k, text); return entry end,\n"
    "    put = function() error 'nothing is stored' end,\n"
    "    lock = function() return function() end end,\n"
    "  }\n"
    "  local client = avepoint.client { client_id = 'id', client_secret = 'secret-of-client',\n"
    "    base_url = 'https://a.example', token_url = 'https://a.example/token', endpoint = 'get',\n"
    "    token_store = store, driver = { wait = function() error('waits', 0) end } }\n"
    "  local list = client:customers()\n"
    "  local ok, err = pcall(list)\n"
    "  assert(not ok and err == 'waits', err)\n"
    "  local sent = bearer()\n"
    "  if sent then\n"
    "    assert(not sent:find '[^\\33-\\126]', 'the bearer holds what no header may')\n"
    "    assert(sent == token or entry:sub(-#sent) == sent, 'another token was sent')\n"
    "  else\n"
    "    assert(not token or token == '' or token:find '[^\\33-\\126]', 'a good token was "
    "refused')\n"
    "  end\n"
    "  client:close()\n"
    "end\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const luaL_Reg functions[] = {{"bearer", bearer}, {NULL, NULL}};
  static lua_State *L;
  if (L == NULL) L = fuzz_open(functions, script);
  fuzz_call(L, (const char *)data, size);
  return 0;
}
