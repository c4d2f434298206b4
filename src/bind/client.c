/* client.c - makes, waits for and closes clients; hands out their events (client.h).
 * SPDX-License-Identifier: MIT */
#include "client.h"

#include <limits.h>

#include "../core/ground/mem.h"
#include "../core/ground/sys.h"
#include "../core/wire/url.h"
#include "error.h"
#include "fields.h"
#include "settings.h"

#define MEMORY_NAME  "avepoint.core.memory"
#define OPEN_CLIENTS "avepoint.open_clients" /* their number, in the registry */
#define OPEN_LEAST   50                      /* open clients before the collector is asked */

struct client *to_client(lua_State *L, int index) {
  return luaL_checkudata(L, index, AVP_CLIENT_NAME);
}

bool client_is_closed(const struct client *client) {
  return client->requests == NULL || client->requests->closed;
}

/* To Lua a client is a few hundred bytes, so its collector may let thousands of dropped ones wait,
 * each with its descriptors. If many are open, this collects the dropped ones now. */
static void note_opened(lua_State *L, struct client *client) {
  struct open_clients *all;
  lua_getfield(L, LUA_REGISTRYINDEX, OPEN_CLIENTS);
  all = lua_touserdata(L, -1);
  if (all == NULL) {
    all = lua_newuserdata(L, sizeof *all);
    all->count = 0;
    all->limit = OPEN_LEAST;
    lua_setfield(L, LUA_REGISTRYINDEX, OPEN_CLIENTS);
  }
  lua_pop(L, 1); /* the registry keeps it */
  if (all->count >= all->limit) {
    lua_gc(L, LUA_GCCOLLECT, 0);
    all->limit = all->count < OPEN_LEAST / 2 ? OPEN_LEAST : 2 * all->count;
  }
  all->count++;
  client->open_clients = all;
}

/* Lua: client:close(); also __gc and __close. Idempotent, never raises. */
static int client_close(lua_State *L) {
  struct client *client = to_client(L, 1);
  if (client->open_clients != NULL) client->open_clients->count--;
  client->open_clients = NULL;
  if (client->requests != NULL) avp_requests_close(client->requests);
  return 0;
}

/* Lua: __gc of what a client leaves behind. It is the collector's alone: anybody may call the
 * client's own in the midst of a call, from a finalizer, and memory must outlive that. */
static int memory__gc(lua_State *L) {
  struct client *client = *(struct client **)lua_touserdata(L, 1);
  avp_requests_release(client->requests);
  client->requests = NULL;
  avp_free(client->base_url);
  client->base_url = NULL;
  return 0;
}

/* Gives the client at stack index 2, whose own table is on top of the stack, that userdata: they
 * hold each other, so that they go together. */
static void push_memory(lua_State *L, struct client *client) {
  struct client **memory = lua_newuserdata(L, sizeof(struct client *));
  *memory = client;
  lua_newtable(L);
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, 1);
  lua_setuservalue(L, -2);
  luaL_setmetatable(L, MEMORY_NAME);
  lua_rawseti(L, -2, 1);
}

static int client__tostring(lua_State *L) {
  const struct client *client = to_client(L, 1);
  char url[256];
  if (client_is_closed(client)) {
    lua_pushliteral(L, "avepoint.client (closed)");
    return 1;
  }
  avp_url_for_print(client->base_url, url, sizeof url);
  lua_pushfstring(L, "avepoint.client (%s)", url);
  return 1;
}

int client_refuse_closed(lua_State *L) {
  lua_pushnil(L);
  error_push_text(L, AVP_ERR_CLOSED, "the client is closed; make another with avepoint.client");
  return 2;
}

const char *client_push_url(lua_State *L, const struct client *client, const char *path,
                            const char *name, bool posted) {
  const char *reason = avp_url_refuse_path(path, posted);
  const char *slash = path[0] == '/' ? "" : "/";
  if (reason != NULL) luaL_error(L, "avepoint: the setting %s %s", name, reason);
  return lua_pushfstring(L, "%s%s%s", client->base_url, slash, path);
}

/* `credential` is NULL if a function of the user's returns it. False when memory is out. */
static bool build(struct client *client, const struct avp_settings *settings,
                  const char *credential, const char *base_url) {
  size_t len;
  client->base_url = avp_strdup(base_url);
  client->requests = avp_requests_new(settings);
  if (client->base_url == NULL || client->requests == NULL) return false;
  for (len = strlen(base_url); len > 0 && base_url[len - 1] == '/'; len--) {
    client->base_url[len - 1] = '\0';
  }
  if (credential == NULL) return true;
  return settings->credential == AVP_CREDENTIAL_TOKEN
             ? avp_token_fix(&client->requests->signin.token, credential)
             : avp_signin_supply(&client->requests->signin, credential);
}

/* Lua: core.client(settings) -> client; settings.lua makes the settings */
static int core_client(lua_State *L) {
  struct avp_settings settings;
  struct client *client;
  const char *base_url;
  const char *credential;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  client = lua_newuserdata(L, sizeof *client); /* closed until everything is there */
  memset(client, 0, sizeof *client);
  luaL_setmetatable(L, AVP_CLIENT_NAME);
  note_opened(L, client);
  lua_newtable(L);
  push_memory(L, client);
  lua_setuservalue(L, 2);
  client->endpoint = settings_endpoint(L, 1, AVP_ENDPOINT_AUTO);
  client->deadline_ms = settings_ms(L, 1, "deadline", AVP_NEVER);
  base_url = settings_need_text(L, 1, "base_url");
  credential = settings_client(L, 1, &settings);
  if (!build(client, &settings, credential, base_url)) return error_raise_memory(L);
  client->requests->shared.events.on = settings_has(L, 1, "on_event");
  lua_pushvalue(L, 2);
  return 1;
}

/* The requests of the client at stack index 1, or NULL if it is closed. */
static struct avp_requests *to_requests(lua_State *L) {
  struct client *client = to_client(L, 1);
  return client_is_closed(client) ? NULL : client->requests;
}

/* Lua: client:fd() -> the descriptor to watch for reading, or nil while there is none */
static int client_fd(lua_State *L) {
  const struct avp_requests *r = to_requests(L);
  int fd = r == NULL ? -1 : avp_transport_fd(r->shared.transport);
  if (fd < 0) {
    lua_pushnil(L);
  } else {
    lua_pushinteger(L, fd);
  }
  return 1;
}

/* For a wait that begins now: ms until the client wants to be stepped. 0: at once, -1: no timer
 * pending. */
static int64_t ms_left(struct avp_requests *r) {
  int64_t at;
  int64_t now;
  if (r == NULL) return 0;
  now = avp_sys_now_ms();
  at = avp_requests_wait(r, now);
  if (at == AVP_NEVER) return -1;
  return at > now ? at - now : 0;
}

/* Lua: client:timeout() -> seconds until step should be called at the latest, or nil */
static int client_timeout(lua_State *L) {
  int64_t ms = ms_left(to_requests(L));
  if (ms < 0) {
    lua_pushnil(L);
  } else {
    lua_pushnumber(L, (double)ms / 1000);
  }
  return 1;
}

/* Lua: core.poll(client, seconds): waits on the descriptor, blocking, at most that long */
static int core_poll(lua_State *L) {
  struct avp_requests *r = to_requests(L);
  int64_t ms = settings_ms_of(luaL_checknumber(L, 2));
  int64_t left = ms_left(r);
  if (left >= 0 && left < ms) ms = left;
  if (r != NULL) avp_transport_wait(r->shared.transport, (int)(ms < INT_MAX ? ms : INT_MAX));
  return 0;
}

/* Lua: core.progress(client) -> a number that changes when a waiting listing may go on */
static int core_progress(lua_State *L) {
  const struct avp_requests *r = to_requests(L);
  lua_pushnumber(L, r == NULL ? -1 : (double)r->shared.progress);
  return 1;
}

/* Lua: core.in_flight(client) -> whether anything is under way on the network */
static int core_in_flight(lua_State *L) {
  const struct avp_requests *r = to_requests(L);
  lua_pushboolean(L, r != NULL && avp_requests_in_flight(r));
  return 1;
}

/* Lua: core.pause(client) -> seconds for which the client waits with its next request, or nil */
static int core_pause(lua_State *L) {
  const struct avp_requests *r = to_requests(L);
  int64_t left = r == NULL ? 0 : avp_requests_paused_until(r) - avp_sys_now_ms();
  if (left <= 0) return 0;
  lua_pushnumber(L, (double)left / 1000);
  return 1;
}

/* Lua: core.park(client): cancels that; a listing that waits for a page sends it again */
static int core_park(lua_State *L) {
  struct avp_requests *r = to_requests(L);
  if (r != NULL) avp_requests_park(r);
  return 0;
}

/* Lua: core.server_ahead(client) -> seconds that the server's clock is ahead of ours, or nil */
static int core_server_ahead(lua_State *L) {
  const struct avp_requests *r = to_client(L, 1)->requests;
  if (r == NULL || !r->shared.knows_server_clock) return 0;
  lua_pushnumber(L, (double)r->shared.server_ahead_ms / 1000);
  return 1;
}

/* Lua: core.state(client) -> the client's own table */
static int core_state(lua_State *L) {
  to_client(L, 1);
  lua_getuservalue(L, 1);
  return 1;
}

/* Lua: core.next_event(client) -> event table or nil */
static int core_next_event(lua_State *L) {
  struct avp_requests *r = to_client(L, 1)->requests;
  struct avp_event event;
  if (r == NULL || !avp_event_take(&r->shared.events, &event)) return 0;
  lua_createtable(L, 0, 8);
  set_text(L, "event", avp_event_kind_name(event.kind));
  lua_pushnumber(L, event.time);
  lua_setfield(L, -2, "time");
  set_number(L, "page", (double)event.page, 0);
  set_number(L, "attempt", event.attempt, 0);
  set_number(L, "status", event.status, 0);
  set_number(L, "bytes", event.bytes, -1);
  set_number(L, "seconds", event.seconds, -1);
  set_number(L, "wait", event.wait, -1);
  set_number(L, "lifetime", event.lifetime, -1);
  set_number(L, "count", event.count, -1);
  set_number(L, "total", event.total, -1);
  set_number(L, "reading", event.reading, 0);
  set_text(L, "method", event.method);
  set_text(L, "reason", event.reason);
  set_text(L, "url", event.url);
  set_text(L, "message", event.message);
  return 1;
}

static const luaL_Reg methods[] = {
    {"close", client_close},
    {"fd", client_fd},
    {"timeout", client_timeout},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__gc", client_close},
    {"__close", client_close},
    {"__tostring", client__tostring},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"client", core_client},
    {"poll", core_poll},
    {"progress", core_progress},
    {"in_flight", core_in_flight},
    {"pause", core_pause},
    {"park", core_park},
    {"server_ahead", core_server_ahead},
    {"state", core_state},
    {"next_event", core_next_event},
    {NULL, NULL},
};

void client_open(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
  luaL_newmetatable(L, MEMORY_NAME);
  lua_pushcfunction(L, memory__gc);
  lua_setfield(L, -2, "__gc");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
  luaL_newmetatable(L, AVP_CLIENT_NAME);
  luaL_setfuncs(L, meta, 0);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "client_methods"); /* the Lua layer adds its own */
  lua_setfield(L, -2, "__index");
  lua_setfield(L, -2, "client_meta");
}
