/* error.c - turns what went wrong into the error object that users get (error.h).
 *
 * SPDX-License-Identifier: MIT */
#include "error.h"

#define MEMORY_OBJECT "avepoint.error.memory"

static void set_string(lua_State *L, const char *field, const char *text) {
  if (text == NULL || text[0] == '\0') return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, field);
}

static void set_number(lua_State *L, const char *field, double n, int present) {
  if (!present) return;
  avp_pushwhole(L, n);
  lua_setfield(L, -2, field);
}

static void push_table(lua_State *L, const struct avp_err *err, const char *position) {
  lua_createtable(L, 0, 12);
  set_string(L, "kind", avp_err_kind_name(err->kind));
  set_string(L, "message", err->message);
  set_number(L, "status", err->status, err->status != 0);
  set_number(L, "code", err->curl, err->curl != 0);
  set_string(L, "code", err->code);
  set_number(L, "attempts", err->attempts, err->attempts != 0);
  set_number(L, "retry_after", err->retry_after, err->retry_after >= 0);
  set_number(L, "page", (double)err->page, err->page != 0);
  set_string(L, "url", err->url);
  set_string(L, "request_id", err->request_id);
  set_string(L, "position", position);
  if (err->body_len > 0) {
    lua_pushlstring(L, err->body, err->body_len);
    lua_setfield(L, -2, "body");
  }
  lua_pushboolean(L, err->retryable);
  lua_setfield(L, -2, "retryable");
  luaL_setmetatable(L, AVP_ERROR_NAME);
}

void error_push_memory(lua_State *L) { lua_getfield(L, LUA_REGISTRYINDEX, MEMORY_OBJECT); }

int error_raise_memory(lua_State *L) {
  error_push_memory(L);
  return lua_error(L);
}

void error_push(lua_State *L, const struct avp_err *err, const char *position) {
  if (err->kind == AVP_ERR_MEMORY) {
    error_push_memory(L);
  } else {
    push_table(L, err, position);
  }
}

/* Lua: tostring(err) -> one line */
static int error__tostring(lua_State *L) {
  luaL_Buffer out;
  const char *kind;
  const char *message;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_getfield(L, 1, "kind");
  lua_getfield(L, 1, "message");
  kind = lua_tostring(L, 2);
  message = lua_tostring(L, 3);
  luaL_buffinit(L, &out);
  luaL_addstring(&out, "avepoint: ");
  luaL_addstring(&out, kind != NULL ? kind : "error");
  luaL_addstring(&out, ": ");
  luaL_addstring(&out, message != NULL ? message : "");
  luaL_pushresult(&out);
  return 1;
}

int error_config(lua_State *L) {
  struct avp_err err;
  avp_err_set(&err, AVP_ERR_CONFIG, "%s", luaL_checkstring(L, 1));
  error_push(L, &err, NULL);
  return 1;
}

int error_is(lua_State *L) {
  int same = 0;
  luaL_checkany(L, 1);
  if (lua_type(L, 1) == LUA_TTABLE && lua_getmetatable(L, 1)) {
    luaL_getmetatable(L, AVP_ERROR_NAME);
    same = lua_rawequal(L, -1, -2);
  }
  lua_pushboolean(L, same);
  return 1;
}

void error_open(lua_State *L) {
  struct avp_err err;
  luaL_newmetatable(L, AVP_ERROR_NAME);
  lua_pushcfunction(L, error__tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushstring(L, AVP_ERROR_NAME);
  lua_setfield(L, -2, "__name");
  lua_pop(L, 1);
  avp_err_set(&err, AVP_ERR_MEMORY, "out of memory");
  push_table(L, &err, NULL);
  lua_setfield(L, LUA_REGISTRYINDEX, MEMORY_OBJECT);
}
