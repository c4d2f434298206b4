/* client.c - see client.h.
 *
 * SPDX-License-Identifier: MIT */
#include "client.h"

#include <stdio.h>

#include "../core/hash.h"
#include "../core/mem.h"
#include "../core/sys.h"
#include "../core/token.h"
#include "../core/url.h"
#include "../core/version.h"
#include "config.h"
#include "error.h"
#include "json.h"
#include "listing.h"

#define VERSION_AGENT   "avepoint-lua/" AVP_VERSION
#define DEFAULT_LIFE_MS 3600000 /* of a token whose reply does not say: the documented hour */
#define HASH_SIZE       33      /* hexadecimal digits and a NUL */
#define LIFE_MAX        1e9     /* seconds; a longer lifetime is taken as this */

#define CENSUS_NAME  "avepoint.census"
#define CENSUS_LEAST 50 /* open clients before the collector is asked for help */

struct client *to_client(lua_State *L, int index) {
  return luaL_checkudata(L, index, AVP_CLIENT_NAME);
}

bool client_is_closed(const struct client *client) {
  return client->dispatcher == NULL || avp_dispatcher_is_closed(client->dispatcher);
}

struct client *check_client(lua_State *L, int index, int level) {
  struct client *client = to_client(L, index);
  if (client_is_closed(client)) {
    struct avp_err err;
    avp_err_set(&err, AVP_ERR_CLOSED, "the client is closed; make another with avepoint.client");
    error_raise(L, &err, level);
  }
  return client;
}

/* To Lua a client is a few hundred bytes, so its collector may let thousands of dropped ones wait,
 * each with its descriptors. Where many are open, dropped ones are collected now. */
static void count_in(lua_State *L, struct client *client) {
  struct census *census;
  lua_getfield(L, LUA_REGISTRYINDEX, CENSUS_NAME);
  census = lua_touserdata(L, -1);
  lua_pop(L, 1); /* the registry keeps it */
  if (census->open >= census->limit) {
    lua_gc(L, LUA_GCCOLLECT, 0);
    census->limit = 2 * census->open;
    if (census->limit < CENSUS_LEAST) census->limit = CENSUS_LEAST;
  }
  census->open++;
  client->census = census;
}

static void count_out(struct client *client) {
  if (client->census != NULL) client->census->open--;
  client->census = NULL;
}

/* Lua: client:close(); also __gc and __close. Idempotent, never raises. */
static int client_close(lua_State *L) {
  struct client *client = to_client(L, 1);
  count_out(client);
  if (client->dispatcher != NULL) avp_dispatcher_close(client->dispatcher);
  return 0;
}

static int client__gc(lua_State *L) {
  struct client *client = to_client(L, 1);
  client_close(L);
  avp_dispatcher_release(client->dispatcher);
  client->dispatcher = NULL;
  avp_free(client->get_url);
  avp_free(client->batch_url);
  client->get_url = client->batch_url = NULL;
  return 0;
}

static int client__tostring(lua_State *L) {
  const struct client *client = to_client(L, 1);
  char url[256];
  if (client_is_closed(client)) {
    lua_pushliteral(L, "avepoint.client (closed)");
    return 1;
  }
  avp_url_for_print(client->get_url, url, sizeof url);
  lua_pushfstring(L, "avepoint.client (%s)", url);
  return 1;
}

static char *join(const char *base, const char *path) {
  struct avp_buf url;
  char *copy = NULL;
  avp_buf_init(&url, 65536);
  if (avp_url_join(&url, base, path) == AVP_BUF_OK) copy = avp_strdup(url.data);
  avp_buf_free(&url);
  return copy;
}

/* Pushes the User-Agent; the result lives as long as it is on the stack. */
static const char *push_user_agent(lua_State *L, int options) {
  const char *own = options_string(L, options, "user_agent", NULL);
  return lua_pushfstring(L, "%s%s%s libcurl/%s", own != NULL ? own : "", own != NULL ? " " : "",
                         VERSION_AGENT, curl_version_info(CURLVERSION_NOW)->version);
}

static bool build(struct client *client, const struct avp_settings *settings,
                  const struct credential *credential, const char *base_url) {
  client->get_url = join(base_url, AVP_CUSTOMERS_PATH);
  client->batch_url = join(base_url, AVP_CUSTOMERS_BATCH_PATH);
  client->dispatcher = avp_dispatcher_new(settings);
  if (client->get_url == NULL || client->batch_url == NULL || client->dispatcher == NULL) {
    return false;
  }
  if (credential->text == NULL) return true;
  return credential->kind == AVP_CREDENTIAL_TOKEN
             ? avp_dispatcher_fix_token(client->dispatcher, credential->text)
             : avp_dispatcher_supply(client->dispatcher, credential->text);
}

static void set_text(lua_State *L, const char *field, const char *text) {
  if (text == NULL || text[0] == '\0') return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, field);
}

/* Names the files that certificate.lua makes a credential function of. */
static void keep_certificate(lua_State *L, const struct credential *credential,
                             const char *client_id) {
  lua_newtable(L);
  set_text(L, "certificate", credential->certificate);
  set_text(L, "private_key", credential->private_key);
  set_text(L, "password", credential->password);
  set_text(L, "client_id", client_id);
  lua_setfield(L, -2, "certificate");
}

/* By which processes know a shared token's credential and contents again; gives `out`. */
static const char *hash_text(const char *text, char out[HASH_SIZE]) {
  static const struct avp_hash_key key = {UINT64_C(0x6176652d746f6b65), UINT64_C(0x6e2d73746f7265)};
  unsigned char digest[16];
  int i;
  avp_hash128(&key, text, strlen(text), digest);
  for (i = 0; i < 16; i++) snprintf(out + 2 * i, 3, "%02x", digest[i]);
  return out;
}

/* What the doctor tells of the settings; no secret among it. `hash`: the credential's, or empty. */
static void keep_about(lua_State *L, const struct credential *credential, const char *hash,
                       const struct avp_settings *settings, const char *base_url) {
  lua_newtable(L);
  set_text(L, "credential", credential->source);
  set_text(L, "client_id", settings->client_id);
  set_text(L, "base_url", base_url);
  set_text(L, "token_url", settings->token_url);
  set_text(L, "ca_file", settings->transfer.ca_file);
  set_text(L, "scope", settings->scope);
  set_text(L, "credential_hash", hash);
  lua_setfield(L, -2, "about");
}

/* Keeps the Lua values of the options in the client's table, which is on top of the stack. */
static void keep_values(lua_State *L, int options, const struct credential *credential,
                        const struct avp_settings *settings) {
  static const char *const kept[] = {"on_event", "driver", "token_store", NULL};
  int i;
  for (i = 0; kept[i] != NULL; i++) {
    options_push(L, options, kept[i]);
    lua_setfield(L, -2, kept[i]);
  }
  if (credential->certificate != NULL) {
    keep_certificate(L, credential, settings->client_id);
  } else if (credential->function != NULL) {
    options_push(L, options, credential->function);
    lua_setfield(L, -2, "credential");
  }
}

/* Sets on_event of the table on top of the stack to the ready-made logger. */
static void make_logger(lua_State *L, const char *level, const char *format) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "avepoint.log");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "new");
  lua_pushstring(L, level);
  lua_pushstring(L, format);
  lua_call(L, 2, 1);
  lua_setfield(L, -3, "on_event");
  lua_pop(L, 1);
}

/* Lua: core.client(options, level) -> client */
static int core_client(lua_State *L) {
  int level = (int)luaL_checkinteger(L, 2);
  struct option_hint hint;
  struct avp_settings settings;
  struct credential credential;
  struct avp_err err;
  const char *base_url;
  const char *log_level;
  const char *log_format;
  struct client *client;
  char hash[HASH_SIZE] = "";
  bool built;
  hint.others = listing_options;
  hint.advice = "option '%s' is a listing's: client:customers { %s = ... }";
  options_check(L, 1, client_options, "avepoint.client", level, &hint);
  client = avp_newuserdata(L, sizeof *client); /* closed until everything is there */
  memset(client, 0, sizeof *client);
  luaL_setmetatable(L, AVP_CLIENT_NAME);
  count_in(L, client);
  lua_newtable(L);
  json_open(L, lua_gettop(L));
  if (!config_read(L, 1, &settings, &credential, &base_url, &err, level) ||
      !config_log(&log_level, &log_format, &err)) {
    config_forget(&credential);
    return error_raise(L, &err, level);
  }
  settings.transfer.user_agent = push_user_agent(L, 1);
  client->endpoint =
      (enum avp_endpoint)options_word(L, 1, "endpoint", endpoint_words, AVP_ENDPOINT_AUTO);
  client->concurrency = settings.concurrency;
  client->deadline_ms = options_ms(L, 1, "deadline", AVP_NEVER);
  built = build(client, &settings, &credential, base_url);
  if (credential.text != NULL) hash_text(credential.text, hash);
  config_forget(&credential); /* and with it a text that was read from a file */
  lua_pop(L, 1);
  if (!built) {
    avp_err_set(&err, AVP_ERR_MEMORY, "out of memory");
    return error_raise(L, &err, level);
  }
  keep_values(L, 1, &credential, &settings);
  keep_about(L, &credential, hash, &settings, base_url);
  if (!options_has(L, 1, "on_event") && log_level != NULL) make_logger(L, log_level, log_format);
  avp_dispatcher_events(client->dispatcher)->on = options_has(L, lua_gettop(L), "on_event");
  avp_setuservalue(L, -2);
  return 1;
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

static void read_token_reply(lua_State *L, struct avp_dispatcher *d, int state, int64_t now) {
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

void client_step(lua_State *L, struct client *client, int state) {
  struct avp_dispatcher *d = client->dispatcher;
  int64_t now = avp_sys_now_ms();
  avp_dispatcher_step(d, now, avp_sys_wall_ms());
  if (avp_dispatcher_token_reply(d) == NULL) return;
  read_token_reply(L, d, state, now);
  avp_dispatcher_step(d, now, avp_sys_wall_ms()); /* the pages that waited for it leave at once */
}

/* Lua: client:step() -> boolean, whether anything happened that a waiting listing may want */
static int client_step_method(lua_State *L) {
  struct client *client = to_client(L, 1);
  uint64_t before;
  lua_settop(L, 1);
  if (client_is_closed(client)) {
    lua_pushboolean(L, 1);
    return 1;
  }
  before = avp_dispatcher_progress(client->dispatcher);
  avp_getuservalue(L, 1);
  client_step(L, client, 2);
  lua_pushboolean(L, avp_dispatcher_progress(client->dispatcher) != before);
  return 1;
}

/* Lua: client:fd() -> the descriptor to watch for reading, or nil while there is none */
static int client_fd(lua_State *L) {
  struct client *client = to_client(L, 1);
  int fd = client_is_closed(client)
               ? -1
               : avp_transport_fd(avp_dispatcher_transport(client->dispatcher));
  if (fd < 0) {
    lua_pushnil(L);
  } else {
    lua_pushinteger(L, fd);
  }
  return 1;
}

/* ms until the client wants to be stepped: 0 at once, -1 not for time's sake. */
static int64_t ms_left(const struct client *client) {
  int64_t at;
  int64_t now;
  if (client_is_closed(client)) return 0;
  at = avp_dispatcher_wake_at(client->dispatcher);
  if (at == AVP_NEVER) return -1;
  now = avp_sys_now_ms();
  return at > now ? at - now : 0;
}

/* Lua: client:timeout() -> seconds until step should be called at the latest, or nil */
static int client_timeout(lua_State *L) {
  int64_t ms = ms_left(to_client(L, 1));
  if (ms < 0) {
    lua_pushnil(L);
  } else {
    lua_pushnumber(L, (double)ms / 1000);
  }
  return 1;
}

/* Lua: core.poll(client, seconds): waits on the descriptor, blocking, at most that long */
static int core_poll(lua_State *L) {
  struct client *client = to_client(L, 1);
  double seconds = luaL_checknumber(L, 2);
  int64_t left = ms_left(client);
  int64_t ms = (int64_t)ceil(seconds * 1000);
  if (left >= 0 && left < ms) ms = left;
  if (!client_is_closed(client)) {
    avp_transport_wait(avp_dispatcher_transport(client->dispatcher), (int)ms);
  }
  return 0;
}

/* Lua: core.progress(client) -> a number that changes when a waiting listing may go on */
static int core_progress(lua_State *L) {
  const struct client *client = to_client(L, 1);
  double n = client_is_closed(client) ? -1 : (double)avp_dispatcher_progress(client->dispatcher);
  lua_pushnumber(L, n);
  return 1;
}

/* Lua: core.in_flight(client) -> whether anything is under way on the network */
static int core_in_flight(lua_State *L) {
  const struct client *client = to_client(L, 1);
  lua_pushboolean(L, !client_is_closed(client) && avp_dispatcher_in_flight(client->dispatcher));
  return 1;
}

/* Lua: core.park(client): cancels that; whoever waits for a page after all makes it leave again */
static int core_park(lua_State *L) {
  struct client *client = to_client(L, 1);
  if (!client_is_closed(client)) avp_dispatcher_park(client->dispatcher, avp_sys_now_ms());
  return 0;
}

/* Lua: core.server_ahead(client) -> seconds that the server's clock is ahead of ours, or nil */
static int core_server_ahead(lua_State *L) {
  const struct client *client = to_client(L, 1);
  int64_t ms;
  if (client->dispatcher == NULL || !avp_dispatcher_server_ahead(client->dispatcher, &ms)) return 0;
  lua_pushnumber(L, (double)ms / 1000);
  return 1;
}

/* Lua: core.state(client) -> the client's own table */
static int core_state(lua_State *L) {
  to_client(L, 1);
  avp_getuservalue(L, 1);
  return 1;
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
  char hash[HASH_SIZE];
  lua_pushstring(L, hash_text(luaL_checkstring(L, 1), hash));
  return 1;
}

static void set_number(lua_State *L, const char *field, double n, bool present) {
  if (!present) return;
  avp_pushwhole(L, n);
  lua_setfield(L, -2, field);
}

/* Lua: core.next_event(client) -> event table or nil */
static int core_next_event(lua_State *L) {
  struct client *client = to_client(L, 1);
  struct avp_event event;
  if (client->dispatcher == NULL ||
      !avp_event_take(avp_dispatcher_events(client->dispatcher), &event)) {
    return 0;
  }
  lua_createtable(L, 0, 8);
  set_text(L, "event", avp_event_kind_name(event.kind));
  lua_pushnumber(L, event.time);
  lua_setfield(L, -2, "time");
  set_number(L, "page", (double)event.page, event.page != 0);
  set_number(L, "attempt", event.attempt, event.attempt != 0);
  set_number(L, "status", event.status, event.status != 0);
  set_number(L, "bytes", event.bytes, event.bytes >= 0);
  set_number(L, "seconds", event.seconds, event.seconds >= 0);
  set_number(L, "wait", event.wait, event.wait >= 0);
  set_number(L, "lifetime", event.lifetime, event.lifetime >= 0);
  set_number(L, "count", event.count, event.count >= 0);
  set_number(L, "total", event.total, event.total >= 0);
  set_number(L, "sweep", event.sweep, event.sweep != 0);
  set_text(L, "method", event.method);
  set_text(L, "reason", event.reason);
  set_text(L, "url", event.url);
  set_text(L, "message", event.message);
  return 1;
}

static const luaL_Reg client_methods[] = {
    {"close", client_close},      {"fd", client_fd}, {"timeout", client_timeout},
    {"step", client_step_method}, {NULL, NULL},
};

static const luaL_Reg client_meta[] = {
    {"__gc", client__gc},
    {"__close", client_close},
    {"__tostring", client__tostring},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"client", core_client},
    {"poll", core_poll},
    {"progress", core_progress},
    {"in_flight", core_in_flight},
    {"park", core_park},
    {"server_ahead", core_server_ahead},
    {"state", core_state},
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
    {"next_event", core_next_event},
    {NULL, NULL},
};

static void open_census(lua_State *L) {
  struct census *census;
  lua_getfield(L, LUA_REGISTRYINDEX, CENSUS_NAME);
  if (lua_isnil(L, -1)) {
    census = avp_newuserdata(L, sizeof *census);
    census->open = 0;
    census->limit = CENSUS_LEAST;
    lua_setfield(L, LUA_REGISTRYINDEX, CENSUS_NAME);
  }
  lua_pop(L, 1);
}

void client_open(lua_State *L) {
  open_census(L);
  luaL_newmetatable(L, AVP_CLIENT_NAME);
  luaL_setfuncs(L, client_meta, 0);
  lua_pushstring(L, AVP_CLIENT_NAME);
  lua_setfield(L, -2, "__name");
  lua_newtable(L);
  luaL_setfuncs(L, client_methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void client_functions(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
  luaL_getmetatable(L, AVP_CLIENT_NAME);
  lua_getfield(L, -1, "__index");
  lua_setfield(L, -3, "client_methods"); /* the Lua layer adds its own */
  lua_setfield(L, -2, "client_meta");
}
