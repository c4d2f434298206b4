/* fuzz_client.h - a Lua state with the whole library, over the fake transport of the unit tests:
 * what the fuzzer answers comes as if from the network.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_FUZZ_CLIENT_H
#define AVP_FUZZ_CLIENT_H

#include <lauxlib.h>
#include <lualib.h>

#include "fuzz.h"

#include "fake_transport.h"

int luaopen_avepoint_core(lua_State *L);

/* Runs `script`, which returns the function that fuzz_call calls. */
static inline lua_State *fuzz_open(const luaL_Reg *functions, const char *script) {
  lua_State *L = luaL_newstate();
  MUST(L != NULL);
  check_name = "fuzz";
  luaL_openlibs(L);
  luaL_requiref(L, "avepoint.core", luaopen_avepoint_core, 0);
  for (; functions->name != NULL; functions++) lua_register(L, functions->name, functions->func);
  lua_settop(L, 0);
  if (luaL_dostring(L, script)) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    abort();
  }
  return L;
}

/* Calls that function with the text; it raises where something is not as it must be. */
static inline void fuzz_call(lua_State *L, const char *text, size_t len) {
  lua_settop(L, 1);
  lua_pushvalue(L, 1);
  lua_pushlstring(L, text, len);
  if (lua_pcall(L, 1, 0, 0) != 0) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    abort();
  }
  MUST(check_failures == 0);
}

#endif
