/* token.c - fuzzes the reply of the token endpoint, and a page behind it: a client of Lua signs in
 * and lists, over a transport that answers with the input.
 *
 * Input: a byte for the status of the token reply, its body up to a byte 3, then the page's status
 * and body. A byte 1 stands for the client's secret. Whatever comes: a result, or an error object
 * without the secret; and no bearer with a character that could end its header.
 * SPDX-License-Identifier: MIT */
#include "fuzz_client.h"

#define SECRET "s3cret-of-client"

static struct input replies;

static int status_of(unsigned byte) {
  static const int statuses[] = {200, 400, 401, 403, 500, 204, 302, 429};
  return statuses[byte % 8];
}

static void answer(const char *part, int end) {
  struct fake_attempt *attempt = fake_find(part);
  struct avp_buf *body = &attempt->transfer.reply.body;
  char *text;
  size_t len;
  size_t i;
  attempt->transfer.reply.status = status_of(take_byte(&replies));
  text = end != 0 ? take_until(&replies, end, &len) : take_rest(&replies, &len);
  for (i = 0; i < len; i++) {
    (void)avp_buf_add(body, text[i] == 1 ? SECRET : &text[i], text[i] == 1 ? sizeof SECRET - 1 : 1);
  }
  fake_finish(attempt, CURLE_OK);
  free(text);
}

/* Lua: reply(): answers all that runs */
static int reply(lua_State *L) {
  (void)L;
  while (fake_find("/token") != NULL) answer("/token", 3);
  while (fake_find("/customers") != NULL) {
    const char *bearer = fake_bearer("/customers");
    MUST(bearer[0] != '\0');
    for (; *bearer != '\0'; bearer++) MUST(*bearer > ' ' && *bearer < 127);
    answer("/customers", 0);
  }
  if (fake != NULL && fake->early != NULL) fake_connected(CURLE_OK);
  return 0;
}

static const char script[] =
    "local avepoint = require 'avepoint'\n"
    "local function check(value)\n"
    "  if type(value) == 'string' and value:find('" SECRET "', 1, true) then\n"
    "    error 'the secret is shown'\n"
    "  end\n"
    "end\n"
    "return function()\n"
    "  local turns = 0\n"
    "  local client = avepoint.client { client_id = 'id', client_secret = '" SECRET "',\n"
    "    base_url = 'https://a.example', token_url = 'https://a.example/token', endpoint = 'get',\n"
    "    max_attempts = 1, on_event = function(e) check(e.message); check(e.url) end,\n"
    "    driver = { wait = function()\n"
    "      turns = turns + 1\n"
    "      if turns > 50 then error('it never ends', 0) end\n"
    "      reply()\n"
    "    end } }\n"
    "  local list = client:customers { drift = 'ignore', concurrency = 1 }\n"
    "  local rows = 0\n"
    "  while rows < 20 do\n"
    "    local ok, row = pcall(list)\n"
    "    if not ok then\n"
    "      if not avepoint.is_error(row) then error(row, 0) end\n"
    "      for _, value in pairs(row) do check(value) end\n"
    "      assert(type(row.message) == 'string' and row.message ~= '' and not row.message:find "
    "'%c')\n"
    "    end\n"
    "    if not ok or not row then break end\n"
    "    assert(type(row.id) == 'string' and type(row.tenants) ~= 'nil')\n"
    "    rows = rows + 1\n"
    "  end\n"
    "  client:close()\n"
    "end\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const luaL_Reg functions[] = {{"reply", reply}, {NULL, NULL}};
  static lua_State *L;
  if (L == NULL) L = fuzz_open(functions, script);
  replies.data = data;
  replies.left = size;
  fuzz_call(L, "", 0);
  return 0;
}
