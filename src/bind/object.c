/* object.c - asks for one object of the API, and decodes it (object.h).
 *
 * Its only page is number 0 of a source without paging. As with a listing, what may have to wait
 * never does: see listing.c.
 * SPDX-License-Identifier: MIT */
#include "object.h"

#include "../core/ground/sys.h"
#include "../core/list/pager.h"
#include "class.h"
#include "error.h"
#include "listing.h"
#include "mend.h"
#include "page.h"
#include "settings.h"

#define OBJECT_NAME "avepoint.core.object"

#define OWN 2 /* stack index of the userdata's own table wherever an object is used */

/* Places in that table. */
enum { OBJECT_CLIENT = 1, OBJECT_URL, OBJECT_QUERY };

struct object {
  struct client *client; /* kept alive by OBJECT_CLIENT; NULL: not whole */
  struct avp_pager pager;
};

/* Lua: object:close(); also __gc and object:cancel(). Idempotent, never raises. */
static int object_close(lua_State *L) {
  struct object *object = luaL_checkudata(L, 1, OBJECT_NAME);
  avp_pager_close(&object->pager);
  return 0;
}

/* Pushes the error object; returns the number of results. */
static int failed(lua_State *L, const struct avp_err *err) {
  lua_pushnil(L);
  error_push(L, err, NULL);
  return 2;
}

/* Pushes the decoded object of the reply; returns the number of results. */
static int decode(lua_State *L, const struct object *object, const struct avp_call *call) {
  struct avp_err err;
  if (call->status == 204) return 0;
  lua_rawgeti(L, OWN, OBJECT_CLIENT);
  lua_getuservalue(L, -1);
  if (page_decode_table(L, lua_gettop(L), &call->body_received, &err) && mend_values(L, &err)) {
    return 1;
  }
  avp_call_blame(object->client->requests, call, &err);
  return failed(L, &err);
}

/* Lua: object:result() -> the object, or nil for none (204); nil and an error object; or nil, nil
 * and "wait" */
static int object_result(lua_State *L) {
  struct object *object = luaL_checkudata(L, 1, OBJECT_NAME);
  const struct avp_call *call = NULL;
  lua_settop(L, 1);
  lua_getuservalue(L, 1);
  if (object->pager.requests != NULL && !client_is_closed(object->client)) {
    if (!avp_pager_ask(&object->pager, 0, 1, 0)) return error_raise_memory(L);
    call = avp_pager_page(&object->pager, 0);
  }
  if (call == NULL) {
    lua_pushnil(L);
    error_push_text(L, AVP_ERR_CLOSED, "the client is closed");
    return 2;
  }
  if (call->state == AVP_CALL_FAILED) return failed(L, &call->err);
  if (call->state == AVP_CALL_DONE) return decode(L, object, call);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushliteral(L, "wait");
  return 3;
}

/* Lua: core.object(client, settings) -> object userdata, or nil and an error object for a closed
 * client */
static int core_object(lua_State *L) {
  struct client *client = to_client(L, 1);
  struct avp_source source = {NULL, NULL, NULL, NULL, NULL};
  struct object *object;
  int64_t deadline;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  object = lua_newuserdata(L, sizeof *object);
  memset(object, 0, sizeof *object);
  luaL_setmetatable(L, OBJECT_NAME);
  if (client_is_closed(client)) return client_refuse_closed(L);
  lua_createtable(L, OBJECT_QUERY, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, 4, OBJECT_CLIENT);
  source.url = client_push_url(L, client, settings_need_text(L, 2, "path"), "path", false);
  lua_rawseti(L, 4, OBJECT_URL);
  source.query = settings_text(L, 2, "query");
  lua_rawseti(L, 4, OBJECT_QUERY);
  deadline = settings_ms(L, 2, "deadline", client->deadline_ms);
  lua_pushvalue(L, 4);
  lua_setuservalue(L, 3);
  object->client = client;
  avp_pager_init(&object->pager, client->requests);
  avp_pager_use(&object->pager, &source, 0);
  if (deadline != AVP_NEVER) object->pager.deadline = avp_sys_now_ms() + deadline;
  lua_pushvalue(L, 3);
  return 1;
}

static const luaL_Reg methods[] = {
    {"result", object_result},
    {"cancel", object_close},
    {"close", object_close},
    {NULL, NULL},
};

void object_open(lua_State *L) {
  define_class(L, OBJECT_NAME, methods, object_close, "object", core_object);
}
