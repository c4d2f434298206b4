/* step.c - see step.h.
 *
 * SPDX-License-Identifier: MIT */
#include "step.h"

#include "../core/ground/sys.h"
#include "client.h"
#include "credentials.h"

/* `state` is the stack index of the client's table. */
static void step(lua_State *L, struct client *client, int state) {
  struct avp_dispatcher *d = client->dispatcher;
  int64_t now = avp_sys_now_ms();
  avp_dispatcher_step(d, now, avp_sys_wall_ms());
  if (avp_dispatcher_token_reply(d) == NULL) return;
  credentials_read_reply(L, d, state, now);
  avp_dispatcher_step(d, now, avp_sys_wall_ms()); /* the pages that waited for it leave at once */
}

/* Lua: client:step() -> boolean, whether anything happened that a waiting listing may want */
static int client_step(lua_State *L) {
  struct client *client = to_client(L, 1);
  uint64_t before;
  lua_settop(L, 1);
  if (client_is_closed(client)) {
    lua_pushboolean(L, 1);
    return 1;
  }
  before = avp_dispatcher_progress(client->dispatcher);
  avp_getuservalue(L, 1);
  step(L, client, 2);
  lua_pushboolean(L, avp_dispatcher_progress(client->dispatcher) != before);
  return 1;
}

void step_open(lua_State *L) {
  luaL_getmetatable(L, AVP_CLIENT_NAME);
  lua_getfield(L, -1, "__index");
  lua_pushcfunction(L, client_step);
  lua_setfield(L, -2, "step");
  lua_pop(L, 2);
}
