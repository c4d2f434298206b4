/* client.c - see client.h.
 *
 * SPDX-License-Identifier: MIT */
#include "client.h"

#include "../core/ground/hash.h"
#include "../core/ground/mem.h"
#include "../core/ground/sys.h"
#include "../core/ground/version.h"
#include "../core/wire/url.h"
#include "config.h"
#include "error.h"
#include "json.h"
#include "listing.h"

#define VERSION_AGENT "avepoint-lua/" AVP_VERSION

#define CENSUS_NAME  "avepoint.census"
#define CENSUS_LEAST 50 /* open clients before the collector is asked for help */

struct client *to_client(lua_State *L, int index) {
  return luaL_checkudata(L, index, AVP_CLIENT_NAME);
}

bool client_is_closed(const struct client *client) {
  return client->requests == NULL || client->requests->closed;
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
  if (client->requests != NULL) avp_requests_close(client->requests);
  return 0;
}

static int client__gc(lua_State *L) {
  struct client *client = to_client(L, 1);
  client_close(L);
  avp_requests_release(client->requests);
  client->requests = NULL;
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
  client->requests = avp_requests_new(settings);
  if (client->get_url == NULL || client->batch_url == NULL || client->requests == NULL) {
    return false;
  }
  if (credential->text == NULL) return true;
  return credential->kind == AVP_CREDENTIAL_TOKEN
             ? avp_token_fix(&client->requests->signin.token, credential->text)
             : avp_signin_supply(&client->requests->signin, credential->text);
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
  char hash[AVP_HASH_HEX] = "";
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
  if (credential.text != NULL) avp_hash_hex(credential.text, hash);
  config_forget(&credential); /* and with it a text that was read from a file */
  lua_pop(L, 1);
  if (!built) {
    avp_err_set(&err, AVP_ERR_MEMORY, "out of memory");
    return error_raise(L, &err, level);
  }
  keep_values(L, 1, &credential, &settings);
  keep_about(L, &credential, hash, &settings, base_url);
  if (!options_has(L, 1, "on_event") && log_level != NULL) make_logger(L, log_level, log_format);
  client->requests->shared.events.on = options_has(L, lua_gettop(L), "on_event");
  avp_setuservalue(L, -2);
  return 1;
}

/* Lua: client:fd() -> the descriptor to watch for reading, or nil while there is none */
static int client_fd(lua_State *L) {
  struct client *client = to_client(L, 1);
  int fd = client_is_closed(client) ? -1 : avp_transport_fd(client->requests->shared.transport);
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
  at = avp_requests_wake_at(client->requests);
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
    avp_transport_wait(client->requests->shared.transport, (int)ms);
  }
  return 0;
}

/* Lua: core.progress(client) -> a number that changes when a waiting listing may go on */
static int core_progress(lua_State *L) {
  const struct client *client = to_client(L, 1);
  double n = client_is_closed(client) ? -1 : (double)client->requests->shared.progress;
  lua_pushnumber(L, n);
  return 1;
}

/* Lua: core.in_flight(client) -> whether anything is under way on the network */
static int core_in_flight(lua_State *L) {
  const struct client *client = to_client(L, 1);
  lua_pushboolean(L, !client_is_closed(client) && avp_requests_in_flight(client->requests));
  return 1;
}

/* Lua: core.park(client): cancels that; whoever waits for a page after all makes it leave again */
static int core_park(lua_State *L) {
  struct client *client = to_client(L, 1);
  if (!client_is_closed(client)) avp_requests_park(client->requests);
  return 0;
}

/* Lua: core.server_ahead(client) -> seconds that the server's clock is ahead of ours, or nil */
static int core_server_ahead(lua_State *L) {
  const struct client *client = to_client(L, 1);
  if (client->requests == NULL || !client->requests->shared.knows_server_clock) return 0;
  lua_pushnumber(L, (double)client->requests->shared.server_ahead_ms / 1000);
  return 1;
}

/* Lua: core.state(client) -> the client's own table */
static int core_state(lua_State *L) {
  to_client(L, 1);
  avp_getuservalue(L, 1);
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
  if (client->requests == NULL || !avp_event_take(&client->requests->shared.events, &event)) {
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
  set_number(L, "reading", event.reading, event.reading != 0);
  set_text(L, "method", event.method);
  set_text(L, "reason", event.reason);
  set_text(L, "url", event.url);
  set_text(L, "message", event.message);
  return 1;
}

static const luaL_Reg client_methods[] = {
    {"close", client_close},
    {"fd", client_fd},
    {"timeout", client_timeout},
    {NULL, NULL},
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
