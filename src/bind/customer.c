/* customer.c - mends numbers, nulls, status and tenants (customer.h).
 * SPDX-License-Identifier: MIT */
#include "customer.h"

#define MAX_DEPTH 128 /* of nesting; deeper than any that JSON_DEPTH lets through */

/* Leaves jobStatus a name (or text, if it is unknown) and sets jobStatusCode. */
static void mend_status(lua_State *L, int customer, int codes, int names) {
  lua_getfield(L, customer, "jobStatus");
  lua_pushvalue(L, -1);
  lua_gettable(L, codes);
  if (!lua_isnil(L, -1)) {
    lua_pushvalue(L, -1);
    lua_rawget(L, names);
    lua_replace(L, -3);
  } else if (lua_type(L, -2) == LUA_TNUMBER) {
    lua_tostring(L, -2); /* in place: 9 becomes "9" */
  }
  lua_setfield(L, customer, "jobStatusCode");
  lua_setfield(L, customer, "jobStatus");
}

/* Moves a field of the table on top of the stack to another name, unless that is taken. */
static void rename_field(lua_State *L, const char *from, const char *to) {
  lua_getfield(L, -1, to);
  lua_getfield(L, -2, from);
  if (!lua_isnil(L, -1)) {
    if (lua_isnil(L, -2)) {
      lua_pushvalue(L, -1);
      lua_setfield(L, -4, to);
    }
    lua_pushnil(L);
    lua_setfield(L, -4, from);
  }
  lua_pop(L, 2);
}

static void mend_tenants(lua_State *L, int customer, int array_mt) {
  int i;
  lua_getfield(L, customer, "tenants");
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, customer, "tenants");
  }
  if (lua_istable(L, -1)) {
    for (i = 1; i <= (int)lua_rawlen(L, -1); i++) {
      lua_rawgeti(L, -1, i);
      if (lua_istable(L, -1)) {
        rename_field(L, "Id", "id");
        rename_field(L, "Name", "name");
      }
      lua_pop(L, 1);
    }
    if (lua_istable(L, array_mt)) {
      lua_pushvalue(L, array_mt);
      lua_setmetatable(L, -2);
    }
  }
  lua_pop(L, 1);
}

static bool fail(struct avp_err *err, enum avp_err_kind kind, const char *message) {
  avp_err_set(err, kind, "%s", message);
  return false;
}

/* A value that is mended replaces the old one, which a traversal allows for a field that exists. */
bool customer_mend_values(lua_State *L, int depth, struct avp_err *err) {
  int table = lua_gettop(L);
  double n;
  luaL_checkstack(L, 8, "JSON nested too deep");
  if (depth > MAX_DEPTH) return fail(err, AVP_ERR_LIMIT, "the reply is nested too deep");
  lua_pushnil(L);
  while (lua_next(L, table)) {
    bool replace = false;
    switch (lua_type(L, -1)) {
    case LUA_TNUMBER:
      n = lua_tonumber(L, -1);
      if (n - n != 0) {
        return fail(err, AVP_ERR_PROTOCOL, "the reply holds a number that is not finite");
      }
      replace = avp_is_whole_float(L, -1);
      if (replace) avp_pushwhole(L, n);
      break;
    case LUA_TTABLE:
      if (!customer_mend_values(L, depth + 1, err)) return false;
      break;
    case LUA_TLIGHTUSERDATA:
    case LUA_TUSERDATA: /* the library's null; in a list it keeps its place */
      replace = lua_type(L, -2) == LUA_TSTRING;
      if (replace) lua_pushnil(L);
      break;
    default:
      break;
    }
    if (replace) {
      lua_pushvalue(L, -3);
      lua_insert(L, -2);
      lua_rawset(L, table);
    }
    lua_pop(L, 1);
  }
  return true;
}

bool customer_mend(lua_State *L, int helpers, struct avp_err *err) {
  int customer = lua_gettop(L);
  if (!customer_mend_values(L, 0, err)) return false;
  mend_status(L, customer, helpers + 1, helpers + 2);
  mend_tenants(L, customer, helpers);
  return true;
}
