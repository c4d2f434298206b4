/* error.c - turns what went wrong into the error object that users get (error.h).
 * SPDX-License-Identifier: MIT */
#include "error.h"

#include "../core/ground/text.h"
#include "fields.h"

#define ERROR_NAME    "avepoint.error"
#define MEMORY_OBJECT "avepoint.error.memory"

/* Sets a text in which a server's words may stand: they must not steer a terminal. Cleaned only
 * here, behind everything that looks for secrets in them. */
static void set_clean(lua_State *L, const char *field, const char *text) {
  char copy[sizeof((struct avp_err *)0)->message];
  size_t len = strlen(text);
  memcpy(copy, text, len);
  copy[avp_text_clean(copy, len)] = '\0';
  set_text(L, field, copy);
}

static void push_table(lua_State *L, const struct avp_err *err, const char *position) {
  lua_createtable(L, 0, 12);
  set_text(L, "kind", avp_err_kind_name(err->kind));
  set_clean(L, "message", err->message);
  set_number(L, "status", err->status, 0);
  set_number(L, "code", err->curl, 0);
  set_clean(L, "code", err->code);
  set_number(L, "attempts", err->attempts, 0);
  set_number(L, "retry_after", err->retry_after, -1);
  set_number(L, "page", (double)err->page, 0);
  set_text(L, "url", err->url);
  set_clean(L, "request_id", err->request_id);
  set_text(L, "position", position);
  if (err->body_len > 0) {
    lua_pushlstring(L, err->body, err->body_len);
    lua_setfield(L, -2, "body");
  }
  set_boolean(L, "retryable", err->retryable);
  luaL_setmetatable(L, ERROR_NAME);
}

void error_push_memory(lua_State *L) { lua_getfield(L, LUA_REGISTRYINDEX, MEMORY_OBJECT); }

int error_raise_memory(lua_State *L) {
  error_push_memory(L);
  return lua_error(L);
}

void error_check_stack(lua_State *L, int n) {
  if (!lua_checkstack(L, n)) error_raise_memory(L);
}

void error_push(lua_State *L, const struct avp_err *err, const char *position) {
  if (err->kind == AVP_ERR_MEMORY) {
    error_push_memory(L);
  } else {
    push_table(L, err, position);
  }
}

void error_push_text(lua_State *L, enum avp_err_kind kind, const char *message) {
  struct avp_err err;
  avp_err_set(&err, kind, "%s", message);
  error_push(L, &err, NULL);
}

/* Lua: tostring(err) -> one line */
static int error__tostring(lua_State *L) {
  const char *kind;
  const char *message;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_getfield(L, 1, "kind");
  lua_getfield(L, 1, "message");
  kind = lua_tostring(L, -2);
  message = lua_tostring(L, -1);
  lua_pushfstring(L, "avepoint: %s: %s", kind != NULL ? kind : "error",
                  message != NULL ? message : "");
  return 1;
}

/* Lua: config_error(message) -> a `config` error object */
static int core_config_error(lua_State *L) {
  error_push_text(L, AVP_ERR_CONFIG, luaL_checkstring(L, 1));
  return 1;
}

/* Lua: is_error(value) -> boolean */
static int core_is_error(lua_State *L) {
  bool same = false;
  luaL_checkany(L, 1);
  if (lua_type(L, 1) == LUA_TTABLE && lua_getmetatable(L, 1)) {
    luaL_getmetatable(L, ERROR_NAME);
    same = lua_rawequal(L, -1, -2);
  }
  lua_pushboolean(L, same);
  return 1;
}

void error_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"config_error", core_config_error}, {"is_error", core_is_error}, {NULL, NULL}};
  struct avp_err err;
  luaL_setfuncs(L, functions, 0);
  luaL_newmetatable(L, ERROR_NAME);
  lua_pushcfunction(L, error__tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
  avp_err_set(&err, AVP_ERR_MEMORY, "out of memory");
  push_table(L, &err, NULL);
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, MEMORY_OBJECT);
  lua_setfield(L, -2, "memory_error");
}
