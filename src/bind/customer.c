/* customer.c - see customer.h.
 *
 * SPDX-License-Identifier: MIT */
#include "customer.h"

#define MAX_DEPTH 128 /* of nesting; deeper than any that json.c lets through */

const char *const customer_status_names[AVP_STATUS_COUNT] = {
    "N/A",
    "Working",
    "Failed",
    "Waiting for Configuration",
    "Multiple Issues Found",
    "Finished with Exception",
    "No Backup Update",
};

static int same_text(const char *a, const char *b) {
  for (; *a != '\0' && *b != '\0'; a++, b++) {
    char x = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a;
    char y = *b >= 'A' && *b <= 'Z' ? (char)(*b + 32) : *b;
    if (x != y) return 0;
  }
  return *a == *b;
}

static int code_of_name(const char *name) {
  int code;
  for (code = 0; code < AVP_STATUS_COUNT; code++) {
    if (same_text(name, customer_status_names[code])) return code;
  }
  if (same_text(name, "No Backup Updates")) return 6; /* the spelling of the batch page */
  if (name[0] >= '0' && name[0] < '0' + AVP_STATUS_COUNT && name[1] == '\0') return name[0] - '0';
  return -1;
}

int customer_status_code(lua_State *L, int index) {
  double n;
  if (lua_type(L, index) == LUA_TSTRING) return code_of_name(lua_tostring(L, index));
  if (lua_type(L, index) != LUA_TNUMBER) return -1;
  n = lua_tonumber(L, index);
  return floor(n) == n && n >= 0 && n < AVP_STATUS_COUNT ? (int)n : -1;
}

/* Leaves jobStatus a name (or text that nobody knows) and sets jobStatusCode. */
static void normalise_status(lua_State *L, int index) {
  int code;
  lua_getfield(L, index, "jobStatus");
  code = customer_status_code(L, -1);
  if (code >= 0) {
    lua_pushstring(L, customer_status_names[code]);
    lua_setfield(L, index, "jobStatus");
    lua_pushinteger(L, code);
  } else {
    if (lua_type(L, -1) == LUA_TNUMBER) {
      lua_tostring(L, -1); /* in place: 9 becomes "9" */
      lua_pushvalue(L, -1);
      lua_setfield(L, index, "jobStatus");
    }
    lua_pushnil(L);
  }
  lua_setfield(L, index, "jobStatusCode");
  lua_pop(L, 1);
}

static void rename_field(lua_State *L, int index, const char *from, const char *to) {
  lua_getfield(L, index, from);
  if (!lua_isnil(L, -1)) {
    lua_getfield(L, index, to);
    if (lua_isnil(L, -1)) {
      lua_pushvalue(L, -2);
      lua_setfield(L, index, to);
    }
    lua_pop(L, 1);
    lua_pushnil(L);
    lua_setfield(L, index, from);
  }
  lua_pop(L, 1);
}

static void normalise_tenants(lua_State *L, int index, int array_mt) {
  int i;
  int n;
  lua_getfield(L, index, "tenants");
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, index, "tenants");
  }
  if (lua_istable(L, -1)) {
    n = (int)lua_rawlen(L, -1);
    for (i = 1; i <= n; i++) {
      lua_rawgeti(L, -1, i);
      if (lua_istable(L, -1)) {
        rename_field(L, lua_gettop(L), "Id", "id");
        rename_field(L, lua_gettop(L), "Name", "name");
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

static int normalise_table(lua_State *L, int index, int depth, struct avp_err *err);

/* The value on top of the stack, whose key lies below it: pushes what is to stand in its place, or
 * gives 0 with nothing pushed where it stays. Gives -1 after an error. */
static int normalise_value(lua_State *L, int depth, struct avp_err *err) {
  switch (lua_type(L, -1)) {
  case LUA_TNUMBER: {
    double n = lua_tonumber(L, -1);
    if (n - n != 0) {
      avp_err_set(err, AVP_ERR_PROTOCOL, "the reply holds a number that is not finite");
      return -1;
    }
    if (!avp_is_whole_float(L, -1)) return 0;
    avp_pushwhole(L, n);
    return 1;
  }
  case LUA_TTABLE:
    return normalise_table(L, lua_gettop(L), depth + 1, err) ? 0 : -1;
  case LUA_TLIGHTUSERDATA:
  case LUA_TUSERDATA: /* the library's null; in a list it keeps its place */
    if (lua_type(L, -2) != LUA_TSTRING) return 0;
    lua_pushnil(L);
    return 1;
  default:
    return 0;
  }
}

static int normalise_table(lua_State *L, int index, int depth, struct avp_err *err) {
  luaL_checkstack(L, 8, "JSON nested too deep");
  if (depth > MAX_DEPTH) {
    avp_err_set(err, AVP_ERR_LIMIT, "the reply is nested too deep");
    return 0;
  }
  lua_pushnil(L);
  while (lua_next(L, index)) {
    int result = normalise_value(L, depth, err);
    if (result < 0) return 0;
    if (result >
        0) { /* key, old, new: assigning to a field that exists is allowed in a traversal */
      lua_pushvalue(L, -3);
      lua_insert(L, -2);
      lua_rawset(L, index);
    }
    lua_pop(L, 1);
  }
  return 1;
}

int customer_normalise_fields(lua_State *L, int index, struct avp_err *err) {
  int top = lua_gettop(L);
  int done = normalise_table(L, lua_absindex(L, index), 0, err);
  lua_settop(L, top);
  return done;
}

int customer_normalise(lua_State *L, int index, int array_mt, struct avp_err *err) {
  index = lua_absindex(L, index);
  if (!customer_normalise_fields(L, index, err)) return 0;
  normalise_status(L, index);
  normalise_tenants(L, index, array_mt);
  return 1;
}
