/* credentials.c - see credentials.h.
 *
 * SPDX-License-Identifier: MIT */
#include "credentials.h"

#include <stdio.h>

#include "../core/ground/hash.h"
#include "../core/ground/sys.h"
#include "../core/requests/token.h"
#include "error.h"
#include "json.h"

#define DEFAULT_LIFE_MS 3600000 /* of a token whose reply does not say: the documented hour */
#define LIFE_MAX        1e9     /* seconds; a longer lifetime is taken as this */

const char *credentials_hash(const char *text, char out[AVP_HASH_TEXT]) {
  static const struct avp_hash_key key = {UINT64_C(0x6176652d746f6b65), UINT64_C(0x6e2d73746f7265)};
  unsigned char digest[16];
  int i;
  avp_hash128(&key, text, strlen(text), digest);
  for (i = 0; i < 16; i++) snprintf(out + 2 * i, 3, "%02x", digest[i]);
  return out;
}

/* Lifetime in ms from the value at `index`, in seconds: -1 where it is not one above 0. */
static int64_t lifetime_at(lua_State *L, int index) {
  double seconds = lua_isnumber(L, index) ? lua_tonumber(L, index) : -1;
  if (!(seconds > 0) || seconds - seconds != 0) return -1; /* nor infinite */
  return (int64_t)((seconds < LIFE_MAX ? seconds : LIFE_MAX) * 1000);
}

/* nil, or the JSON library's null. */
static bool is_absent(lua_State *L, int index) {
  int type = lua_type(L, index);
  return type == LUA_TNIL || type == LUA_TLIGHTUSERDATA || type == LUA_TUSERDATA;
}

/* Takes the fields of a token reply, a table on top of the stack. */
static void accept_token(lua_State *L, struct avp_dispatcher *d, int64_t now) {
  int reply = lua_gettop(L);
  int64_t lifetime = DEFAULT_LIFE_MS;
  lua_getfield(L, reply, "access_token");
  lua_getfield(L, reply, "expires_in");
  if (!is_absent(L, -1)) lifetime = lifetime_at(L, -1);
  if (lua_type(L, -2) != LUA_TSTRING ||
      !avp_token_is_valid(lua_tostring(L, -2), lua_rawlen(L, -2))) {
    avp_dispatcher_token_garbled(d, AVP_ERR_PROTOCOL, "holds no access_token", now);
  } else if (lifetime < 0) {
    avp_dispatcher_token_garbled(d, AVP_ERR_PROTOCOL, "has an expires_in that is not above 0", now);
  } else if (!avp_dispatcher_supply_token(d, lua_tostring(L, -2), lua_rawlen(L, -2), lifetime, true,
                                          now)) {
    error_raise_memory(L);
  }
}

static void refuse_token(lua_State *L, struct avp_dispatcher *d, int64_t now) {
  const char *word = NULL;
  const char *description = NULL;
  if (lua_istable(L, -1)) {
    int reply = lua_gettop(L);
    lua_getfield(L, reply, "error");
    lua_getfield(L, reply, "error_description");
    if (lua_type(L, -2) == LUA_TSTRING) word = lua_tostring(L, -2);
    if (lua_type(L, -1) == LUA_TSTRING) description = lua_tostring(L, -1);
  }
  avp_dispatcher_token_refused(d, word, description, now);
}

void credentials_read_reply(lua_State *L, struct avp_dispatcher *d, int state, int64_t now) {
  const struct avp_reply *reply = avp_dispatcher_token_reply(d);
  int status = reply->status;
  int top = lua_gettop(L);
  bool too_deep = false;
  struct avp_err err;
  if (!json_decode(L, state, reply->body.data, reply->body.len, "the token reply", &err)) {
    if (err.kind == AVP_ERR_MEMORY) {
      error_raise_memory(L); /* the reply stays: the next step reads it again */
    }
    too_deep = err.kind == AVP_ERR_LIMIT;
    lua_pushnil(L);
  }
  if (avp_dispatcher_token_reply(d) == NULL) {
    lua_settop(L, top); /* Lua has run: a finalizer closed the client, or read the reply itself */
  } else if (status != 200) {
    refuse_token(L, d, now);
  } else if (lua_istable(L, -1)) {
    accept_token(L, d, now);
  } else if (too_deep) {
    avp_dispatcher_token_garbled(d, AVP_ERR_LIMIT, "is nested too deep", now);
  } else {
    avp_dispatcher_token_garbled(d, AVP_ERR_PROTOCOL, "is not JSON", now);
  }
  lua_settop(L, top);
}

/* Lua: core.wants(client) -> "secret", "assertion", "token" or "store", once per need; else nil.
 * Second the audience of an assertion; with "store", for how many seconds it has been wanted. */
static int core_wants(lua_State *L) {
  static const char *const words[] = {"secret", "assertion", "token"};
  struct client *client = to_client(L, 1);
  if (client_is_closed(client)) return 0;
  if (avp_dispatcher_wants_store(client->dispatcher)) {
    int64_t now = avp_sys_now_ms();
    lua_pushliteral(L, "store");
    lua_pushnumber(L, (double)avp_dispatcher_wanted_ms(client->dispatcher, now) / 1000);
    return avp_dispatcher_wants(client->dispatcher, now) ? 2 : 0;
  }
  lua_pushstring(L, words[avp_dispatcher_settings(client->dispatcher)->credential]);
  lua_pushstring(L, avp_dispatcher_settings(client->dispatcher)->token_url);
  /* last: whoever is told must not fail to hear it */
  return avp_dispatcher_wants(client->dispatcher, avp_sys_now_ms()) ? 2 : 0;
}

/* Lua: core.supply(client, value, lifetime): what the user's function gave. A value that is no
 * credential fails the sign-in with `config`. */
static int core_supply(lua_State *L) {
  struct client *client = to_client(L, 1);
  struct avp_dispatcher *d = client->dispatcher;
  enum avp_credential kind;
  size_t len = lua_type(L, 2) == LUA_TSTRING ? lua_rawlen(L, 2) : 0;
  const char *value = len > 0 ? lua_tostring(L, 2) : NULL;
  int64_t now = avp_sys_now_ms();
  int64_t life = lua_isnoneornil(L, 3) ? AVP_NEVER : lifetime_at(L, 3);
  bool done;
  if (client_is_closed(client)) return 0;
  kind = avp_dispatcher_settings(d)->credential;
  if (value == NULL || strlen(value) != len ||
      (kind == AVP_CREDENTIAL_TOKEN && (!avp_token_is_valid(value, len) || life < 0))) {
    struct avp_err err;
    avp_err_set(&err, AVP_ERR_CONFIG, "the function given as %s must return a string%s",
                kind == AVP_CREDENTIAL_SECRET      ? "client_secret"
                : kind == AVP_CREDENTIAL_ASSERTION ? "client_assertion"
                                                   : "access_token",
                kind == AVP_CREDENTIAL_TOKEN ? " and the token's lifetime in seconds, above 0"
                                             : " that is not empty");
    avp_dispatcher_supply_failed(d, &err, now);
    return 0;
  }
  done = kind == AVP_CREDENTIAL_TOKEN ? avp_dispatcher_supply_token(d, value, len, life, true, now)
                                      : avp_dispatcher_supply(d, value);
  if (!done) {
    avp_dispatcher_ask_again(d);
    return error_raise_memory(L);
  }
  return 0;
}

/* Lua: core.supply_failed(client, message): the user's function gave nil and a message */
static int core_supply_failed(lua_State *L) {
  struct client *client = to_client(L, 1);
  struct avp_err err;
  if (client_is_closed(client)) return 0;
  avp_err_set(&err, AVP_ERR_AUTH, "no credential: %.300s", luaL_checkstring(L, 2));
  avp_dispatcher_supply_failed(client->dispatcher, &err, avp_sys_now_ms());
  return 0;
}

/* Lua: core.ask_again(client): the user's function raised */
static int core_ask_again(lua_State *L) {
  struct client *client = to_client(L, 1);
  if (!client_is_closed(client)) avp_dispatcher_ask_again(client->dispatcher);
  return 0;
}

/* Lua: core.ask_later(client, seconds): nothing is known yet; core.wants asks again after them */
static int core_ask_later(lua_State *L) {
  struct client *client = to_client(L, 1);
  int64_t ms = (int64_t)(luaL_checknumber(L, 2) * 1000);
  if (!client_is_closed(client)) {
    avp_dispatcher_ask_later(client->dispatcher, ms, avp_sys_now_ms());
  }
  return 0;
}

/* Lua: core.found_token(client, token, lifetime): a shared token, good for so many seconds ->
 * whether it is of use (it is not the one that was refused, nor the one at hand) */
static int core_found_token(lua_State *L) {
  struct client *client = to_client(L, 1);
  size_t len;
  const char *token = luaL_checklstring(L, 2, &len);
  int64_t life = lifetime_at(L, 3);
  bool used =
      !client_is_closed(client) && avp_token_is_valid(token, len) && life > 0 &&
      !avp_dispatcher_knows_token(client->dispatcher, token, len) &&
      avp_dispatcher_supply_token(client->dispatcher, token, len, life, false, avp_sys_now_ms());
  lua_pushboolean(L, used);
  return 1;
}

/* Lua: core.fetch_token(client) -> whether it will be fetched: nothing was found, and it is still
 * wanted */
static int core_fetch_token(lua_State *L) {
  struct client *client = to_client(L, 1);
  lua_pushboolean(L, !client_is_closed(client) &&
                         avp_dispatcher_fetch_token(client->dispatcher, avp_sys_now_ms()));
  return 1;
}

/* Lua: core.leave_token(client) -> whether the old token will do while another process fetches */
static int core_leave_token(lua_State *L) {
  struct client *client = to_client(L, 1);
  lua_pushboolean(L, client_is_closed(client) ||
                         avp_dispatcher_leave_token(client->dispatcher, avp_sys_now_ms()));
  return 1;
}

/* Lua: core.fetched_token(client) -> once after core.fetch_token has ended: true with the token and
 * its seconds, or false; else nil */
static int core_fetched_token(lua_State *L) {
  struct client *client = to_client(L, 1);
  enum avp_outcome outcome =
      client_is_closed(client) ? AVP_OUTCOME_NONE : avp_dispatcher_take_outcome(client->dispatcher);
  int64_t life;
  const char *token;
  if (outcome == AVP_OUTCOME_NONE) return 0;
  token = avp_dispatcher_token(client->dispatcher, avp_sys_now_ms(), &life);
  lua_pushboolean(L, outcome == AVP_OUTCOME_FETCHED && token != NULL);
  if (!lua_toboolean(L, -1)) return 1;
  lua_pushstring(L, token);
  lua_pushnumber(L, (double)life / 1000);
  return 3;
}

/* Lua: core.hash(text) -> 32 hexadecimal digits, the same in every process */
static int core_hash(lua_State *L) {
  char hash[AVP_HASH_TEXT];
  lua_pushstring(L, credentials_hash(luaL_checkstring(L, 1), hash));
  return 1;
}

static const luaL_Reg functions[] = {
    {"wants", core_wants},
    {"supply", core_supply},
    {"supply_failed", core_supply_failed},
    {"ask_again", core_ask_again},
    {"ask_later", core_ask_later},
    {"found_token", core_found_token},
    {"fetch_token", core_fetch_token},
    {"leave_token", core_leave_token},
    {"fetched_token", core_fetched_token},
    {"hash", core_hash},
    {NULL, NULL},
};

void credentials_functions(lua_State *L) { luaL_setfuncs(L, functions, 0); }
