/* json.c - finds lua-cjson, decodes replies, and says why a reply is no JSON (json.h).
 *
 * SPDX-License-Identifier: MIT */
#include "json.h"

#define MAX_DEPTH 64 /* of nesting in a reply; the API's replies have four levels */

/* Pushes require(name), or nil. */
static void try_require(lua_State *L, const char *name) {
  int result;
  lua_getglobal(L, "require");
  lua_pushstring(L, name);
  result = lua_pcall(L, 1, 1, 0);
  if (result == LUA_ERRMEM) lua_error(L); /* that does not mean that there is none */
  if (result != 0 || !lua_istable(L, -1)) {
    lua_pop(L, 1);
    lua_pushnil(L);
  }
}

/* Pushes Neovim's copy, or nil. */
static void try_neovim(lua_State *L) {
  lua_getglobal(L, "vim");
  if (!lua_istable(L, -1)) return;
  lua_getfield(L, -1, "json");
  lua_remove(L, -2);
}

/* Calls library.name(value) where the library at the top has such a setting; `value` below 0 is
 * the boolean false, 0 is true. */
static void set(lua_State *L, const char *name, int value) {
  lua_getfield(L, -1, name);
  if (!lua_isfunction(L, -1)) {
    lua_pop(L, 1);
    return;
  }
  if (value > 0) {
    lua_pushinteger(L, value);
  } else {
    lua_pushboolean(L, value == 0);
  }
  lua_call(L, 1, 0);
}

void json_open(lua_State *L, int state) {
  try_require(L, "cjson");
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    try_neovim(L);
  }
  if (!lua_istable(L, -1)) {
    luaL_error(L, "avepoint needs lua-cjson (Debian: lua-cjson; LuaRocks: lua-cjson)");
  }
  lua_getfield(L, -1, "new");
  if (lua_isfunction(L, -1)) { /* an instance of our own: settings must not touch the host's */
    lua_call(L, 0, 1);
    lua_remove(L, -2);
    set(L, "decode_invalid_numbers", -1);
    set(L, "decode_max_depth", MAX_DEPTH);
    set(L, "decode_array_with_array_mt", 0);
  } else {
    lua_pop(L, 1);
  }
  lua_getfield(L, -1, "decode");
  lua_setfield(L, state, "decode");
  lua_getfield(L, -1, "encode");
  lua_setfield(L, state, "encode");
  lua_getfield(L, -1, "array_mt");
  lua_setfield(L, state, "array_mt");
  lua_pop(L, 1);
}

int json_decode(lua_State *L, int state, const char *data, size_t len, const char *what,
                struct avp_err *err) {
  int result;
  const char *message;
  lua_getfield(L, state, "decode");
  lua_pushlstring(L, data != NULL ? data : "", len);
  result = lua_pcall(L, 1, 1, 0);
  if (result == 0) return 1;
  message = lua_tostring(L, -1);
  if (result == LUA_ERRMEM) {
    avp_err_set(err, AVP_ERR_MEMORY, "out of memory");
  } else if (message != NULL && strstr(message, "nested") != NULL) {
    avp_err_set(err, AVP_ERR_LIMIT, "%s is nested too deep (more than %d levels)", what, MAX_DEPTH);
  } else if (len > 0 && data[strspn(data, " \t\r\n")] == '<') {
    avp_err_set(err, AVP_ERR_PROTOCOL,
                "%s is a web page, not JSON: check base_url, token_url "
                "and proxies in between",
                what);
  } else {
    avp_err_set(err, AVP_ERR_PROTOCOL, "%s is not JSON: %.200s", what,
                len == 0          ? "it is empty"
                : message != NULL ? message
                                  : "");
  }
  lua_pop(L, 1);
  return 0;
}
