/* compat.h - lets the C code compile against Lua 5.1 to 5.4 and LuaJIT.
 *
 * The code is written against 5.4's names; what an older header lacks is given here under a name
 * of ours, and the official name is a macro for it. The only file with a version test.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_COMPAT_H
#define AVP_COMPAT_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <math.h>
#include <string.h>

#if defined(__GNUC__)
#define AVP_EXPORT __attribute__((visibility("default")))
#else
#define AVP_EXPORT
#endif

#if LUA_VERSION_NUM < 502

#define lua_rawlen(L, i)           lua_objlen((L), (i))
#define lua_absindex(L, i)         avp_absindex((L), (i))
#define luaL_setfuncs(L, list, n)  avp_setfuncs((L), (list), (n))
#define luaL_testudata(L, i, name) avp_testudata((L), (i), (name))
#define luaL_setmetatable(L, name) (luaL_getmetatable((L), (name)), lua_setmetatable((L), -2))

static inline int avp_absindex(lua_State *L, int i) {
  return i > 0 || i <= LUA_REGISTRYINDEX ? i : lua_gettop(L) + i + 1;
}

/* No upvalues: `n` is always 0 here. */
static inline void avp_setfuncs(lua_State *L, const luaL_Reg *list, int n) {
  (void)n;
  for (; list->name != NULL; list++) {
    lua_pushcfunction(L, list->func);
    lua_setfield(L, -2, list->name);
  }
}

static inline void *avp_testudata(lua_State *L, int i, const char *name) {
  void *p = lua_touserdata(L, i);
  int same;
  if (p == NULL || !lua_getmetatable(L, i)) return NULL;
  luaL_getmetatable(L, name);
  same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same ? p : NULL;
}

#endif

/* Raises where the host is another Lua than this object was compiled for and yet could load it. */
static inline void avp_checkversion(lua_State *L) {
#if LUA_VERSION_NUM >= 502
  luaL_checkversion(L);
#else
  (void)L;
#endif
}

/* The Lua that this object was compiled for. */
#if defined(LUA_JITLIBNAME)
#define AVP_BUILT_FOR "LuaJIT"
#else
#define AVP_BUILT_FOR LUA_VERSION
#endif

/* A userdata's own table: an environment in 5.1, a user value since. */
static inline void *avp_newuserdata(lua_State *L, size_t size) {
#if LUA_VERSION_NUM >= 504
  return lua_newuserdatauv(L, size, 1);
#else
  return lua_newuserdata(L, size);
#endif
}

/* Takes a table from the top of the stack. */
static inline void avp_setuservalue(lua_State *L, int i) {
#if LUA_VERSION_NUM >= 504
  lua_setiuservalue(L, i, 1);
#elif LUA_VERSION_NUM >= 502
  lua_setuservalue(L, i);
#else
  lua_setfenv(L, i);
#endif
}

static inline void avp_getuservalue(lua_State *L, int i) {
#if LUA_VERSION_NUM >= 504
  lua_getiuservalue(L, i, 1);
#elif LUA_VERSION_NUM >= 502
  lua_getuservalue(L, i);
#else
  lua_getfenv(L, i);
#endif
}

/* Pushes a whole number as an integer where Lua has integers; anything else as it is. */
static inline void avp_pushwhole(lua_State *L, double n) {
#if LUA_VERSION_NUM >= 503
  if (floor(n) == n && n >= -9007199254740992.0 && n <= 9007199254740992.0) {
    lua_pushinteger(L, (lua_Integer)n);
    return;
  }
#endif
  lua_pushnumber(L, n);
}

/* Whether the number at `i` is a float that avp_pushwhole would turn into an integer. */
static inline int avp_is_whole_float(lua_State *L, int i) {
#if LUA_VERSION_NUM >= 503
  double n;
  if (lua_isinteger(L, i)) return 0;
  n = lua_tonumber(L, i);
  return floor(n) == n && n >= -9007199254740992.0 && n <= 9007199254740992.0;
#else
  (void)L;
  (void)i;
  return 0;
#endif
}

#endif
