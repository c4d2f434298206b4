/* credentials.c - reads token replies, and takes what the user's functions gave (credentials.h).
 *
 * SPDX-License-Identifier: MIT */
#include "credentials.h"

#include "../core/ground/hash.h"
#include "../core/ground/mem.h"
#include "../core/ground/sys.h"
#include "client.h"
#include "error.h"
#include "json.h"
#include "settings.h"

#define DEFAULT_LIFE_MS 3600000 /* of a token whose reply does not say: the documented hour */
#define LIFE_MAX        1e9     /* seconds; a longer lifetime is taken as this */

/* The sign-in of the client at stack index 1, or NULL if the client is closed. */
static struct avp_signin *to_signin(lua_State *L) {
  struct client *client = to_client(L, 1);
  return client_is_closed(client) ? NULL : &client->requests->signin;
}

/* Lifetime in ms from the value at `index`, in seconds: -1 if that is not above 0. */
static int64_t lifetime_at(lua_State *L, int index) {
  double seconds = lua_isnumber(L, index) ? lua_tonumber(L, index) : -1;
  if (!(seconds > 0) || seconds - seconds != 0) return -1; /* nor infinite */
  return (int64_t)((seconds < LIFE_MAX ? seconds : LIFE_MAX) * 1000);
}

static const char *text_at(lua_State *L, int index) {
  return lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : NULL;
}

/* Fails the sign-in for a reply of the wrong form. */
static void fail_for_reply(struct avp_signin *s, enum avp_err_kind kind, const char *what,
                           int64_t now) {
  struct avp_err err;
  avp_err_set(&err, kind, "the token endpoint's reply %s; check token_url", what);
  avp_signin_fail(s, &err, now);
}

/* Takes the fields of a success, a table on top of the stack. */
static void accept_token(lua_State *L, struct avp_signin *s, int64_t now) {
  int64_t lifetime = DEFAULT_LIFE_MS;
  const char *token;
  lua_getfield(L, -1, "access_token");
  lua_getfield(L, -2, "expires_in");
  if (!json_is_null(L, -1)) lifetime = lifetime_at(L, -1);
  token = text_at(L, -2);
  if (token == NULL || !avp_token_is_valid(token, lua_rawlen(L, -2))) {
    fail_for_reply(s, AVP_ERR_PROTOCOL, "holds no access_token", now);
  } else if (lifetime < 0) {
    fail_for_reply(s, AVP_ERR_PROTOCOL, "has an expires_in that is not above 0", now);
  } else if (!avp_signin_supply_token(s, token, lua_rawlen(L, -2), lifetime, true, now)) {
    error_raise_memory(L);
  }
}

/* Whether a reply with status 200, a table on top of the stack, is a refusal all the same. */
static bool is_refusal(lua_State *L) {
  bool refused;
  lua_getfield(L, -1, "access_token");
  lua_getfield(L, -2, "error");
  refused = json_is_null(L, -2) && !json_is_null(L, -1);
  lua_pop(L, 2);
  return refused;
}

/* Takes OAuth's word and sentence, or those of an object in the place of the word. */
static void refuse(lua_State *L, struct avp_signin *s, int64_t now) {
  const char *word;
  const char *sentence;
  if (!lua_istable(L, -1)) {
    avp_signin_refused(s, NULL, NULL, now);
    return;
  }
  lua_getfield(L, -1, "error");
  if (lua_istable(L, -1)) {
    lua_getfield(L, -1, "code");
    lua_getfield(L, -2, "message");
  } else {
    lua_getfield(L, -2, "error_description");
  }
  word = text_at(L, -2);
  sentence = text_at(L, -1);
  avp_signin_refused(s, word == NULL && sentence != NULL ? "" : word, sentence, now);
}

/* Lua: (room) -> what was copied there, as a text */
static int text_of(lua_State *L) {
  lua_pushlstring(L, lua_touserdata(L, 1), lua_rawlen(L, 1));
  return 1;
}

/* Pushes room for a copy of a secret, and text_of. To make any value in Lua may run a finalizer,
 * which may close the client: what belongs to it is looked at again then, and copied here first.
 * Returns the room's stack index. */
static int push_room(lua_State *L, size_t len) {
  lua_newuserdata(L, len);
  lua_pushcfunction(L, text_of);
  return lua_gettop(L) - 1;
}

/* Copies a secret to its room, and pushes the copy as a text. Wipes the room, whatever happens, and
 * then raises what text_of has raised. */
static void push_secret(lua_State *L, int room, const char *secret) {
  void *copy = lua_touserdata(L, room);
  size_t len = lua_rawlen(L, room);
  int result;
  if (len > 0) memcpy(copy, secret, len);
  lua_pushvalue(L, room + 1);
  lua_pushvalue(L, room);
  result = lua_pcall(L, 1, 1, 0);
  avp_wipe(copy, len);
  if (result != 0) lua_error(L);
}

/* Reads the token reply that has come. `state` is the stack index of the client's table. Raises
 * when memory is out; the reply is then read again with the next step. */
static void read_reply(lua_State *L, struct avp_signin *s, int state, int64_t now) {
  size_t len = s->call.transfer->reply.body.len;
  int room = push_room(L, len);
  const struct avp_reply *reply;
  struct avp_err err;
  int status;
  if (s->state != AVP_SIGNIN_REPLIED) return;
  reply = &s->call.transfer->reply;
  if (reply->body.len != len) return; /* another one: the next step reads it */
  status = reply->status;
  push_secret(L, room, reply->body.data);
  err.kind = AVP_ERR_PROTOCOL;
  if (!json_decode(L, state, "the token reply", &err)) {
    if (err.kind == AVP_ERR_MEMORY) error_raise_memory(L);
    lua_pushnil(L);
  }
  if (s->state != AVP_SIGNIN_REPLIED) return; /* a finalizer closed the client, or read it itself */
  if (status != 200 || (lua_istable(L, -1) && is_refusal(L))) {
    refuse(L, s, now);
  } else if (lua_istable(L, -1)) {
    accept_token(L, s, now);
  } else {
    fail_for_reply(s, err.kind, err.kind == AVP_ERR_LIMIT ? "is nested too deep" : "is not JSON",
                   now);
  }
}

/* Lua: client:step() -> boolean, whether anything happened that a waiting listing may want */
static int client_step(lua_State *L) {
  struct client *client = to_client(L, 1);
  struct avp_requests *r = client->requests;
  bool happened = true;
  if (!client_is_closed(client)) {
    int64_t now = avp_sys_now_ms();
    uint64_t before = r->shared.progress;
    avp_requests_step(r, now, avp_sys_wall_ms());
    if (r->signin.state == AVP_SIGNIN_REPLIED) {
      lua_getuservalue(L, 1);
      read_reply(L, &r->signin, lua_gettop(L), now);
      avp_requests_step(r, now, avp_sys_wall_ms()); /* what waited for the token leaves at once */
    }
    happened = r->shared.progress != before;
  }
  lua_pushboolean(L, happened);
  return 1;
}

/* Lua: core.wants(client) -> "secret", "assertion", "token" or "store", once per need; else nil.
 * Second the audience of an assertion; with "store", for how many seconds it has been wanted.
 * Third whether the server has refused the last answer. */
static int core_wants(lua_State *L) {
  static const char *const words[] = {"secret", "assertion", "token"};
  struct avp_signin *s = to_signin(L);
  int64_t now = avp_sys_now_ms();
  if (s == NULL) return 0;
  if (s->state == AVP_SIGNIN_LOOKING) {
    lua_pushliteral(L, "store");
    lua_pushnumber(L, (double)(now - s->since) / 1000);
  } else {
    lua_pushstring(L, words[s->shared->settings->credential]);
    lua_pushstring(L, s->shared->settings->token_url);
  }
  lua_pushboolean(L, s->asked_anew);
  return avp_signin_wants(s, now) ? 3 : 0; /* last: after a `true` nothing may raise */
}

/* Fails the sign-in, and with it at once the calls that wait for a token. */
static void fail_now(struct client *client, const struct avp_err *err) {
  int64_t now = avp_sys_now_ms();
  avp_signin_fail(&client->requests->signin, err, now);
  avp_requests_step(client->requests, now, avp_sys_wall_ms());
}

static void fail_as_no_credential(struct client *client, enum avp_credential kind) {
  static const char *const options[] = {"client_secret", "client_assertion", "access_token"};
  struct avp_err err;
  avp_err_set(&err, AVP_ERR_CONFIG, "the function given as %s must return a string%s",
              options[kind],
              kind == AVP_CREDENTIAL_TOKEN ? " and the token's lifetime in seconds, above 0"
                                           : " that is not empty");
  fail_now(client, &err);
}

/* Lua: core.supply(client, value, lifetime): what the user's function returned. A value that is no
 * credential fails the sign-in with `config`. */
static int core_supply(lua_State *L) {
  struct avp_signin *s = to_signin(L);
  const char *value = text_at(L, 2);
  size_t len = value != NULL ? lua_rawlen(L, 2) : 0;
  int64_t life = lua_isnoneornil(L, 3) ? AVP_NEVER : lifetime_at(L, 3);
  enum avp_credential kind;
  bool done;
  if (s == NULL) return 0;
  kind = s->shared->settings->credential;
  if (len == 0 || strlen(value) != len ||
      (kind == AVP_CREDENTIAL_TOKEN && (!avp_token_is_valid(value, len) || life < 0))) {
    fail_as_no_credential(to_client(L, 1), kind);
    return 0;
  }
  done = kind == AVP_CREDENTIAL_TOKEN
             ? avp_signin_supply_token(s, value, len, life, true, avp_sys_now_ms())
             : avp_signin_supply(s, value);
  return done ? 0 : error_raise_memory(L);
}

/* Lua: core.fail(client, message): the user's function returned nil and a message */
static int core_fail(lua_State *L) {
  struct client *client = to_client(L, 1);
  struct avp_err err;
  avp_err_set(&err, AVP_ERR_AUTH, "no credential: %.300s", luaL_checkstring(L, 2));
  if (!client_is_closed(client)) fail_now(client, &err);
  return 0;
}

/* Lua: core.found(client, token, lifetime): the store holds a token, good for so many seconds ->
 * whether it is of use: neither the one that was refused nor the one at hand */
static int core_found(lua_State *L) {
  struct avp_signin *s = to_signin(L);
  size_t len;
  const char *token = luaL_checklstring(L, 2, &len);
  int64_t life = lifetime_at(L, 3);
  bool used = s != NULL && avp_token_is_valid(token, len) && life > 0 &&
              !avp_token_is_known(&s->token, token, len) &&
              avp_signin_supply_token(s, token, len, life, false, avp_sys_now_ms());
  lua_pushboolean(L, used);
  return 1;
}

/* Lua: core.fetch(client): the store holds none -> whether one is fetched now: it is still wanted
 */
static int core_fetch(lua_State *L) {
  struct avp_signin *s = to_signin(L);
  lua_pushboolean(L, s != NULL && avp_signin_fetch(s));
  return 1;
}

/* Lua: core.later(client, seconds): no answer yet; core.wants asks again after them -> whether the
 * old token will do instead, while another process fetches one */
static int core_later(lua_State *L) {
  struct avp_signin *s = to_signin(L);
  int64_t ms = settings_ms_of(luaL_checknumber(L, 2));
  lua_pushboolean(L, s != NULL && avp_signin_later(s, ms, avp_sys_now_ms()));
  return 1;
}

/* Lua: core.token(client) -> false while one is fetched; else true, and the token there is, if any,
 * with its seconds */
static int core_token(lua_State *L) {
  struct avp_signin *s = to_signin(L);
  size_t len;
  int room;
  lua_pushboolean(L, s == NULL || s->state == AVP_SIGNIN_IDLE || s->state == AVP_SIGNIN_LOOKING);
  if (s == NULL || s->token.value == NULL || !lua_toboolean(L, -1)) return 1;
  len = strlen(s->token.value);
  room = push_room(L, len);
  lua_pushboolean(L, 1);
  if (s->token.value == NULL || strlen(s->token.value) != len) return 1;
  push_secret(L, room, s->token.value);
  lua_pushnumber(L, (double)(s->token.expires_at - avp_sys_now_ms()) / 1000);
  return 3;
}

/* Lua: core.hash(text) -> 32 hexadecimal digits, the same in every process */
static int core_hash(lua_State *L) {
  char hash[AVP_HASH_HEX];
  lua_pushstring(L, avp_hash_hex(luaL_checkstring(L, 1), hash));
  return 1;
}

static const luaL_Reg functions[] = {
    {"wants", core_wants}, {"supply", core_supply}, {"fail", core_fail},
    {"found", core_found}, {"fetch", core_fetch},   {"later", core_later},
    {"token", core_token}, {"hash", core_hash},     {NULL, NULL},
};

void credentials_functions(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
  luaL_getmetatable(L, AVP_CLIENT_NAME);
  lua_getfield(L, -1, "__index");
  lua_pushcfunction(L, client_step);
  lua_setfield(L, -2, "step");
  lua_pop(L, 2);
}
