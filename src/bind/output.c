/* output.c - files that are whole or not there (output.h).
 *
 * A method that fails returns nil and why. One that was neither committed nor discarded is
 * discarded by the collector.
 * SPDX-License-Identifier: MIT */
#include "output.h"

#include <errno.h>

#include "../core/ground/output.h"
#include "class.h"

#define OUTPUT_NAME "avepoint.output"

static struct avp_output *to_output(lua_State *L) { return luaL_checkudata(L, 1, OUTPUT_NAME); }

static struct avp_output *to_open_output(lua_State *L) {
  struct avp_output *out = to_output(L);
  if (out->file == NULL) luaL_error(L, "avepoint: this output has ended");
  return out;
}

/* `failure` is 0 or errno. */
static int result(lua_State *L, int failure) {
  if (failure == 0) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, strerror(failure));
  return 2;
}

/* Lua: core.output(path) -> output, or nil and why not */
static int core_output(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  struct avp_output *out = lua_newuserdata(L, sizeof *out);
  int failure;
  out->file = NULL;
  luaL_setmetatable(L, OUTPUT_NAME);
  failure = avp_output_open(out, path);
  return failure == 0 ? 1 : result(L, failure);
}

/* Lua: output:write(text) */
static int output_write(lua_State *L) {
  struct avp_output *out = to_open_output(L);
  size_t len;
  const char *text = luaL_checklstring(L, 2, &len);
  return result(L, fwrite(text, 1, len, out->file) == len ? 0 : errno);
}

/* Lua: output:commit(): the file takes its place */
static int output_commit(lua_State *L) { return result(L, avp_output_commit(to_open_output(L))); }

/* Lua: output:discard(), also __gc: as if it had never been. May be called twice. */
static int output_discard(lua_State *L) {
  avp_output_discard(to_output(L));
  return 0;
}

static const luaL_Reg methods[] = {
    {"write", output_write},
    {"commit", output_commit},
    {"discard", output_discard},
    {NULL, NULL},
};

void output_open(lua_State *L) {
  define_class(L, OUTPUT_NAME, methods, output_discard, "output", core_output);
}
