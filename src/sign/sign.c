/* sign.c - the C module avepoint.sign: certificates and keys for signing in. Only this module's
 * files use OpenSSL, so that a client that signs in otherwise needs neither it nor them.
 *
 * SPDX-License-Identifier: MIT */
#include "../bind/compat.h"
#include "jwt.h"
#include "key.h"

#define KEY_NAME "avepoint.sign.key"
#define JWT_NAME "avepoint.sign.jwt"

static struct avp_key *to_key(lua_State *L) { return luaL_checkudata(L, 1, KEY_NAME); }

/* An optional field of the table at 1 that holds a path or a password. */
static const char *field(lua_State *L, const char *name) {
  const char *text = NULL;
  lua_getfield(L, 1, name);
  if (lua_type(L, -1) == LUA_TSTRING) text = lua_tostring(L, -1); /* the table keeps it alive */
  lua_pop(L, 1);
  return text;
}

/* Lua: sign.load { certificate =, private_key =, password =, now = } -> key, or nil and a sentence
 * that names the file and what to do. `now`: seconds since 1970. */
static int sign_load(lua_State *L) {
  struct avp_key_files files;
  struct avp_key *key;
  char message[768];
  luaL_checktype(L, 1, LUA_TTABLE);
  files.certificate = field(L, "certificate");
  files.private_key = field(L, "private_key");
  files.password = field(L, "password");
  luaL_argcheck(L, files.certificate != NULL, 1, "names no certificate");
  lua_getfield(L, 1, "now");
  key = lua_newuserdata(L, sizeof *key);
  memset(key, 0, sizeof *key);
  luaL_setmetatable(L, KEY_NAME);
  if (avp_key_load(key, &files, (int64_t)luaL_checknumber(L, -2), message, sizeof message)) {
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, message);
  return 2;
}

static int jwt__gc(lua_State *L) {
  avp_buf_free(lua_touserdata(L, 1));
  return 0;
}

/* Pushes an empty buffer that is wiped and freed whatever happens. */
static struct avp_buf *push_buffer(lua_State *L) {
  struct avp_buf *jwt = lua_newuserdata(L, sizeof *jwt);
  avp_buf_init(jwt, AVP_JWT_MAX);
  jwt->secret = true;
  luaL_setmetatable(L, JWT_NAME);
  return jwt;
}

/* Lua: key:assertion(client_id, audience, now) -> signed JWT, or nil and a message */
static int key_assertion(lua_State *L) {
  const struct avp_key *key = to_key(L);
  const char *client_id = luaL_checkstring(L, 2);
  const char *audience = luaL_checkstring(L, 3);
  int64_t now = (int64_t)luaL_checknumber(L, 4);
  struct avp_buf *jwt = push_buffer(L);
  if (key->pkey == NULL || !avp_jwt_sign(key, client_id, audience, now, jwt)) {
    lua_pushnil(L);
    lua_pushliteral(L, "OpenSSL could not sign the assertion");
    return 2;
  }
  lua_pushlstring(L, jwt->data, jwt->len);
  avp_buf_free(jwt);
  return 1;
}

/* Lua: key:thumbprint() -> SHA-1 of the certificate, upper-case hexadecimal */
static int key_thumbprint(lua_State *L) {
  lua_pushstring(L, to_key(L)->thumbprint);
  return 1;
}

/* Lua: key:expires() -> seconds since 1970 */
static int key_expires(lua_State *L) {
  avp_pushwhole(L, (double)to_key(L)->expires);
  return 1;
}

static int key__gc(lua_State *L) {
  avp_key_free(to_key(L));
  return 0;
}

static int key__tostring(lua_State *L) {
  lua_pushfstring(L, "avepoint.sign.key (%s)", to_key(L)->thumbprint);
  return 1;
}

static const luaL_Reg key_methods[] = {
    {"assertion", key_assertion},
    {"thumbprint", key_thumbprint},
    {"expires", key_expires},
    {NULL, NULL},
};

static const luaL_Reg key_meta[] = {
    {"__gc", key__gc},
    {"__tostring", key__tostring},
    {NULL, NULL},
};

AVP_EXPORT int luaopen_avepoint_sign(lua_State *L);

int luaopen_avepoint_sign(lua_State *L) {
  luaL_newmetatable(L, JWT_NAME);
  lua_pushcfunction(L, jwt__gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  luaL_newmetatable(L, KEY_NAME);
  luaL_setfuncs(L, key_meta, 0);
  lua_pushstring(L, KEY_NAME);
  lua_setfield(L, -2, "__name");
  lua_newtable(L);
  luaL_setfuncs(L, key_methods, 0);
  lua_setfield(L, -2, "__index");
  lua_newtable(L);
  lua_pushcfunction(L, sign_load);
  lua_setfield(L, -2, "load");
  return 1;
}
