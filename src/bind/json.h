/* json.h - decodes replies with the JSON library that lua/avepoint/json.lua has found.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_JSON_H
#define AVP_BIND_JSON_H

#include "../core/ground/err.h"
#include "compat.h"

#define JSON_DEPTH 64 /* of nesting in a reply; the API's replies have four levels */

/* Whether the value at `index` is nil or the library's null. */
static inline int json_is_null(lua_State *L, int index) {
  int type = lua_type(L, index);
  return type == LUA_TNIL || type == LUA_TLIGHTUSERDATA || type == LUA_TUSERDATA;
}

/* Decodes the text on top of the stack and puts the value in its place. `state` is the stack index
 * of the client's table. On failure fills `err` (protocol, limit or memory; the message begins with
 * `what`), pops the text and returns 0. */
int json_decode(lua_State *L, int state, const char *what, struct avp_err *err);

#endif
