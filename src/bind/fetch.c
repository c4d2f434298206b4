/* fetch.c - asks for one object of the API, and decodes it (fetch.h).
 *
 * Its only page is number 0 of a source without paging. As with a listing, what may have to wait
 * never does: see listing.c.
 * SPDX-License-Identifier: MIT */
#include "fetch.h"

#include "../core/ground/sys.h"
#include "../core/list/pager.h"
#include "error.h"
#include "json.h"
#include "listing.h"
#include "page.h"
#include "settings.h"

#define FETCH_NAME "avepoint.core.fetch"

#define OWN 2 /* stack index of the userdata's own table wherever a fetch is used */

/* Places in that table. */
enum { FETCH_CLIENT = 1, FETCH_URL, FETCH_QUERY };

struct fetch {
  struct client *client; /* kept alive by FETCH_CLIENT; NULL: not whole */
  struct avp_pager pager;
};

/* Lua: fetch:close(); also __gc and fetch:cancel(). Idempotent, never raises. */
static int fetch_close(lua_State *L) {
  struct fetch *fetch = luaL_checkudata(L, 1, FETCH_NAME);
  avp_pager_close(&fetch->pager);
  return 0;
}

/* Pushes the error object; returns the number of results. */
static int failed(lua_State *L, const struct avp_err *err) {
  lua_pushnil(L);
  error_push(L, err, NULL);
  return 2;
}

/* Pushes the decoded object of the reply; returns the number of results. */
static int decode(lua_State *L, const struct fetch *fetch, const struct avp_call *call) {
  struct avp_err err;
  bool good;
  if (call->status == 204) return 0;
  lua_rawgeti(L, OWN, FETCH_CLIENT);
  lua_getuservalue(L, -1);
  good = json_decode(L, lua_gettop(L), call->body_received.data, call->body_received.len,
                     "the reply", &err);
  if (good && !lua_istable(L, -1)) {
    avp_err_set(&err, AVP_ERR_PROTOCOL,
                "the reply is not what the API promises: it is not an object");
    good = false;
  }
  if (good && page_mend_values(L, &err)) return 1;
  avp_call_blame(fetch->client->requests, call, &err);
  return failed(L, &err);
}

/* Lua: fetch:result() -> the object, or nil for none (204); nil and an error object; or nil, nil
 * and "wait" */
static int fetch_result(lua_State *L) {
  struct fetch *fetch = luaL_checkudata(L, 1, FETCH_NAME);
  const struct avp_call *call = NULL;
  lua_settop(L, 1);
  lua_getuservalue(L, 1);
  if (fetch->pager.requests != NULL && !client_is_closed(fetch->client)) {
    if (!avp_pager_ask(&fetch->pager, 0, 1, 0)) return error_raise_memory(L);
    call = avp_pager_page(&fetch->pager, 0);
  }
  if (call == NULL) {
    lua_pushnil(L);
    error_push_text(L, AVP_ERR_CLOSED, "the client is closed");
    return 2;
  }
  if (call->state == AVP_CALL_FAILED) return failed(L, &call->err);
  if (call->state == AVP_CALL_DONE) return decode(L, fetch, call);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushliteral(L, "wait");
  return 3;
}

/* Lua: core.fetch(client, settings) -> fetch userdata, or nil and an error object for a closed
 * client */
static int core_fetch(lua_State *L) {
  struct client *client = to_client(L, 1);
  struct avp_source source = {NULL, NULL, NULL, NULL, NULL};
  struct fetch *fetch;
  int64_t deadline;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  fetch = lua_newuserdata(L, sizeof *fetch);
  memset(fetch, 0, sizeof *fetch);
  luaL_setmetatable(L, FETCH_NAME);
  if (client_is_closed(client)) {
    lua_pushnil(L);
    error_push_text(L, AVP_ERR_CLOSED, "the client is closed; make another with avepoint.client");
    return 2;
  }
  lua_createtable(L, FETCH_QUERY, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, 4, FETCH_CLIENT);
  source.url = client_push_url(L, client, settings_need_text(L, 2, "path"), "path", false);
  lua_rawseti(L, 4, FETCH_URL);
  source.query = settings_text(L, 2, "query");
  lua_rawseti(L, 4, FETCH_QUERY);
  deadline = settings_ms(L, 2, "deadline", client->deadline_ms);
  lua_pushvalue(L, 4);
  lua_setuservalue(L, 3);
  fetch->client = client;
  avp_pager_init(&fetch->pager, client->requests);
  avp_pager_use(&fetch->pager, &source, 0);
  if (deadline != AVP_NEVER) fetch->pager.deadline = avp_sys_now_ms() + deadline;
  lua_pushvalue(L, 3);
  return 1;
}

static const luaL_Reg methods[] = {
    {"result", fetch_result},
    {"cancel", fetch_close},
    {"close", fetch_close},
    {NULL, NULL},
};

void fetch_open(lua_State *L) {
  lua_pushcfunction(L, core_fetch);
  lua_setfield(L, -2, "fetch");
  luaL_newmetatable(L, FETCH_NAME);
  lua_pushcfunction(L, fetch_close);
  lua_setfield(L, -2, "__gc");
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
