/* compat.h - lets the C code compile against Lua 5.1 to 5.4 and LuaJIT.
 *
 * The code is written against 5.4's names; what an older header lacks is a macro here. The only
 * file with a version test.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_COMPAT_H
#define AVP_COMPAT_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#if defined(__GNUC__)
#define AVP_EXPORT __attribute__((visibility("default")))
#else
#define AVP_EXPORT
#endif

#if LUA_VERSION_NUM < 502

#define lua_rawlen(L, i)           lua_objlen((L), (i))
#define lua_getuservalue(L, i)     lua_getfenv((L), (i))
#define lua_setuservalue(L, i)     lua_setfenv((L), (i))
#define luaL_checkversion(L)       ((void)(L))
#define luaL_setfuncs(L, list, n)  luaL_register((L), NULL, (list))
#define luaL_setmetatable(L, name) (luaL_getmetatable((L), (name)), lua_setmetatable((L), -2))

#endif

/* The file at `i`, or NULL if it is closed. */
static inline FILE *avp_open_file(lua_State *L, int i) {
#if LUA_VERSION_NUM >= 502
  const luaL_Stream *stream = luaL_checkudata(L, i, LUA_FILEHANDLE);
  return stream->closef != NULL ? stream->f : NULL;
#else
  FILE *const *file = luaL_checkudata(L, i, LUA_FILEHANDLE);
  return *file;
#endif
}

/* The Lua that this object was compiled for. */
#if defined(LUA_JITLIBNAME)
#define AVP_BUILT_FOR "LuaJIT"
#else
#define AVP_BUILT_FOR LUA_VERSION
#endif

/* Whether Lua would hold this number as an integer if it had come from Lua itself. */
static inline bool avp_is_whole(double n) {
  return LUA_VERSION_NUM >= 503 && floor(n) == n && fabs(n) <= 9007199254740992.0;
}

/* Pushes a whole number as an integer where Lua has integers; anything else as it is. */
static inline void avp_pushwhole(lua_State *L, double n) {
  if (avp_is_whole(n)) {
    lua_pushinteger(L, (lua_Integer)n);
  } else {
    lua_pushnumber(L, n);
  }
}

/* Whether the number at `i` is a float that avp_pushwhole would turn into an integer. */
static inline bool avp_is_whole_float(lua_State *L, int i) {
#if LUA_VERSION_NUM >= 503
  return !lua_isinteger(L, i) && avp_is_whole(lua_tonumber(L, i));
#else
  (void)L;
  (void)i;
  return false;
#endif
}

#endif
