/* page.c - fuzzes the decoder of pages: lua-cjson's values through the walk over the rows.
 *
 * The first byte chooses the form of the list, and whether the rest is JSON or makes JSON: each
 * byte of it a word or a sign, so that more than the parser's refusals is reached.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "bind/page.h"

int luaopen_avepoint_core(lua_State *L);

static const char *const words[] = {"{",
                                    "}",
                                    "[",
                                    "]",
                                    ",",
                                    ":",
                                    "\"data\"",
                                    "\"metadata\"",
                                    "\"id\"",
                                    "\"tenants\"",
                                    "\"Id\"",
                                    "\"Name\"",
                                    "\"name\"",
                                    "\"jobStatus\"",
                                    "\"jobStatusCode\"",
                                    "\"totalCount\"",
                                    "\"pageSize\"",
                                    "{\"data\":[",
                                    "],\"metadata\":{",
                                    "{\"id\":\"a\",",
                                    "{\"id\":",
                                    "\"tenants\":[{",
                                    "}]",
                                    "null",
                                    "true",
                                    "false",
                                    "1",
                                    "-0",
                                    "1e308",
                                    "1e400",
                                    "0.5",
                                    "9007199254740993",
                                    "\"1\"",
                                    "\"Failed\"",
                                    "\"\"",
                                    "\"\\u0000\"",
                                    "\"\\ud800\"",
                                    "[[[[[[[[",
                                    "]]]]]]]]",
                                    "{\"a\":{\"a\":{\"a\":",
                                    "}}}",
                                    "\"0a1b2c3d-0000-1111-2222-333344445555\"",
                                    "\"x\":",
                                    "4",
                                    "2",
                                    "{}",
                                    "[]",
                                    "\"totalCount\":1"};

#define WORDS (sizeof words / sizeof words[0])

static char *spell(const struct input *in, size_t *len) {
  char *text = malloc(in->left * 40 + 1);
  size_t used = 0;
  size_t i;
  MUST(text != NULL);
  for (i = 0; i < in->left; i++) {
    const char *word = words[in->data[i] % WORDS];
    memcpy(text + used, word, strlen(word));
    used += strlen(word);
  }
  *len = used;
  return text;
}

/* All numbers are finite, all whole ones integers, no field is null. */
static void check_values(lua_State *L, int value, bool in_list, int depth) {
  MUST(depth < 200 && lua_checkstack(L, 8));
  switch (lua_type(L, value)) {
  case LUA_TNUMBER:
    MUST(lua_tonumber(L, value) - lua_tonumber(L, value) == 0);
    MUST(lua_isinteger(L, value) || floor(lua_tonumber(L, value)) != lua_tonumber(L, value) ||
         fabs(lua_tonumber(L, value)) > 9007199254740992.0);
    break;
  case LUA_TLIGHTUSERDATA:
    MUST(in_list);
    break;
  case LUA_TTABLE:
    for (lua_pushnil(L); lua_next(L, value) != 0; lua_pop(L, 1)) {
      check_values(L, lua_gettop(L), lua_type(L, -2) == LUA_TNUMBER, depth + 1);
    }
    break;
  default:
    break;
  }
}

static void check_row(lua_State *L, const struct listing_form *form) {
  MUST(lua_istable(L, -1));
  if (form->id != NULL) {
    MUST(lua_getfield(L, -1, form->id) != LUA_TNIL);
    lua_pop(L, 1);
  }
  if (form->raw) return;
  check_values(L, lua_gettop(L), false, 0);
  if (!form->customers) return;
  MUST(lua_getfield(L, -1, "tenants") != LUA_TNIL);
  lua_pop(L, 1);
  MUST(lua_getfield(L, -1, "jobStatus") != LUA_TNUMBER);
  lua_pop(L, 1);
}

static void check_page(lua_State *L, const struct decoded_page *decoded,
                       const struct listing_form *form) {
  size_t i;
  MUST(lua_istable(L, decoded->at) && lua_istable(L, decoded->at + 1));
  MUST(lua_rawlen(L, decoded->at) == decoded->page.rows);
  MUST(lua_rawlen(L, decoded->at + 2) >= decoded->page.rows * sizeof *decoded->ids);
  MUST(!decoded->page.has_total || decoded->page.total >= 0);
  for (i = 1; i <= decoded->page.rows; i++) {
    lua_rawgeti(L, decoded->at, (lua_Integer)i);
    check_row(L, form);
    lua_pop(L, 1);
    MUST(decoded->ids[i - 1].print != 0 || form->id == NULL);
  }
}

/* Lua: decode(state, text, form, set, digest) */
static int decode(lua_State *L) {
  struct listing_form *form = lua_touserdata(L, 3);
  uint64_t *digest = lua_touserdata(L, 5);
  struct decoded_page decoded;
  struct avp_buf body = {0};
  struct avp_err err;
  size_t i;
  body.data = (char *)(uintptr_t)lua_tolstring(L, 2, &body.len);
  memset(&decoded, 0, sizeof decoded);
  avp_err_set(&err, AVP_OK, "%s", "");
  if (page_decode(L, 1, &body, form, lua_touserdata(L, 4), &decoded, &err)) {
    check_page(L, &decoded, form);
    for (i = 0; i < decoded.page.rows; i++) *digest = *digest * 31 + decoded.ids[i].print;
  } else {
    MUST(err.kind == AVP_ERR_PROTOCOL || err.kind == AVP_ERR_LIMIT);
    MUST(err.message[0] != '\0' && strlen(err.message) < sizeof err.message);
    *digest = (uint64_t)err.kind;
  }
  return 0;
}

static lua_State *open_state(void) {
  static const char script[] = "local state = {}\n"
                               "require 'avepoint.json'.open(state)\n"
                               "local customer = require 'avepoint.customer'\n"
                               "state.status_codes = customer.status_codes\n"
                               "state.status_names = customer.status_names\n"
                               "return state\n";
  lua_State *L = luaL_newstate();
  MUST(L != NULL);
  luaL_openlibs(L);
  luaL_requiref(L, "avepoint.core", luaopen_avepoint_core, 0);
  lua_settop(L, 0);
  if (luaL_dostring(L, script)) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    abort(); /* see make fuzz */
  }
  return L;
}

/* Decodes twice: the same page has the same ids. */
static void check_text(lua_State *L, const char *text, size_t len, struct listing_form *form,
                       struct avp_idset *set) {
  uint64_t digests[2] = {0, 0};
  int i;
  for (i = 0; i < 2; i++) {
    lua_settop(L, 1);
    lua_pushcfunction(L, decode);
    lua_pushvalue(L, 1);
    lua_pushlstring(L, text, len);
    lua_pushlightuserdata(L, form);
    lua_pushlightuserdata(L, set);
    lua_pushlightuserdata(L, &digests[i]);
    if (lua_pcall(L, 5, 0, 0) != 0) {
      fprintf(stderr, "%s\n", lua_tostring(L, -1));
      abort(); /* errors are returned */
    }
  }
  MUST(digests[0] == digests[1]);
  lua_settop(L, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static lua_State *L;
  static struct avp_idset *set;
  struct input in = {data, size};
  struct listing_form form = {"data", "metadata", "id", true, false};
  unsigned flags = take_byte(&in);
  size_t len;
  char *text;
  if (L == NULL) {
    L = open_state();
    set = avp_idset_new();
  }
  form.customers = (flags & 1) == 0;
  form.raw = (flags & 2) != 0;
  if (!form.customers && (flags & 4)) form.id = NULL;
  text = flags & 8 ? take_rest(&in, &len) : spell(&in, &len);
  check_text(L, text, len, &form, flags & 16 ? set : NULL);
  free(text);
  return 0;
}
