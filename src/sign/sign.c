/* sign.c - the C module avepoint.sign: what signing in with a certificate needs of OpenSSL. The
 * assertion itself is built in lua/avepoint/certificate.lua. Only this folder uses OpenSSL, so that
 * a client that signs in otherwise does not need it.
 * SPDX-License-Identifier: MIT */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include "../bind/compat.h"
#include "key.h"

#define KEY_NAME "avepoint.sign.key"
#define NOW_MAX  1e12 /* seconds since 1970; that is as far as OpenSSL's clock can be asked */

static struct avp_key *to_key(lua_State *L) { return luaL_checkudata(L, 1, KEY_NAME); }

/* Pushes a field of the table at 1. No metatable is asked: its function could make texts that
 * nobody keeps alive. */
static void push_field(lua_State *L, const char *name) {
  lua_pushstring(L, name);
  lua_rawget(L, 1);
}

/* An optional field of the table at 1 that holds a path or a password. */
static const char *field(lua_State *L, const char *name) {
  const char *text = NULL;
  push_field(L, name);
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
  push_field(L, "now");
  luaL_argcheck(L, lua_isnumber(L, -1) && fabs(lua_tonumber(L, -1)) < NOW_MAX, 1, "now is no time");
  key = lua_newuserdata(L, sizeof *key);
  memset(key, 0, sizeof *key);
  luaL_setmetatable(L, KEY_NAME);
  if (avp_key_load(key, &files, (int64_t)lua_tonumber(L, -2), message, sizeof message)) {
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, message);
  return 2;
}

/* Lua: sign.random(count) -> that many unpredictable bytes, at most 64 */
static int sign_random(lua_State *L) {
  unsigned char bytes[64];
  lua_Number count = luaL_checknumber(L, 1);
  luaL_argcheck(L, count >= 1 && count <= (lua_Number)sizeof bytes, 1, "1 to 64 expected");
  if (RAND_bytes(bytes, (int)count) != 1) return luaL_error(L, "OpenSSL has no random bytes");
  lua_pushlstring(L, (const char *)bytes, (size_t)count);
  return 1;
}

/* Lua: sign.base64(bytes) -> base64 (RFC 4648 section 4) */
static int sign_base64(lua_State *L) {
  size_t len;
  const char *bytes = luaL_checklstring(L, 1, &len);
  unsigned char *text = lua_newuserdata(L, 4 * (len + 2) / 3 + 1);
  int written = EVP_EncodeBlock(text, (const unsigned char *)bytes, (int)len);
  lua_pushlstring(L, (const char *)text, (size_t)written);
  OPENSSL_cleanse(text, (size_t)written); /* it may be a signature */
  return 1;
}

/* Lua: key:sign(text) -> RSASSA-PKCS1-v1_5 with SHA-256 over it (RFC 7518 section 3.3), as bytes;
 * or nil and a message */
static int key_sign(lua_State *L) {
  const struct avp_key *key = to_key(L);
  size_t text_len;
  const unsigned char *text = (const unsigned char *)luaL_checklstring(L, 2, &text_len);
  size_t len = key->pkey != NULL ? (size_t)EVP_PKEY_size(key->pkey) : 0;
  unsigned char *signature = lua_newuserdata(L, len);
  EVP_MD_CTX *context = key->pkey != NULL ? EVP_MD_CTX_new() : NULL;
  bool done = context != NULL &&
              EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
              EVP_DigestSign(context, signature, &len, text, text_len) == 1;
  EVP_MD_CTX_free(context);
  ERR_clear_error(); /* the host may use OpenSSL too */
  if (done) {
    lua_pushlstring(L, (const char *)signature, len);
    OPENSSL_cleanse(signature, len);
    return 1;
  }
  lua_pushnil(L);
  lua_pushliteral(L, "OpenSSL could not sign the assertion");
  return 2;
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

static const luaL_Reg key_methods[] = {
    {"sign", key_sign},
    {"thumbprint", key_thumbprint},
    {"expires", key_expires},
    {NULL, NULL},
};

static const luaL_Reg module_functions[] = {
    {"load", sign_load},
    {"random", sign_random},
    {"base64", sign_base64},
    {NULL, NULL},
};

AVP_EXPORT int luaopen_avepoint_sign(lua_State *L);

int luaopen_avepoint_sign(lua_State *L) {
  luaL_newmetatable(L, KEY_NAME);
  lua_pushcfunction(L, key__gc);
  lua_setfield(L, -2, "__gc");
  lua_pushstring(L, KEY_NAME);
  lua_setfield(L, -2, "__name");
  lua_newtable(L);
  luaL_setfuncs(L, key_methods, 0);
  lua_setfield(L, -2, "__index");
  lua_newtable(L);
  luaL_setfuncs(L, module_functions, 0);
  return 1;
}
