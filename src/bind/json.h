/* json.h - the JSON library of a client: its own instance of lua-cjson, or Neovim's copy of it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_JSON_H
#define AVP_BIND_JSON_H

#include "../core/ground/err.h"
#include "compat.h"

/* Whether the value at `index` is nil or the library's null. */
static inline int json_is_null(lua_State *L, int index) {
  int type = lua_type(L, index);
  return type == LUA_TNIL || type == LUA_TLIGHTUSERDATA || type == LUA_TUSERDATA;
}

/* Finds the library and stores in the table at `state`: decode, encode, and array_mt where the
 * library marks arrays. Raises if there is no library. */
void json_open(lua_State *L, int state);

/* Decodes bytes and pushes the value. On failure fills `err` (protocol, limit or memory; the
 * message begins with `what`), pushes nothing and returns 0. */
int json_decode(lua_State *L, int state, const char *data, size_t len, const char *what,
                struct avp_err *err);

#endif
