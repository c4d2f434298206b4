/* client.h - the client userdata: its life, its requests, and the Lua values that belong to it.
 *
 * The Lua values (callbacks, the JSON functions, the driver) live in the userdata's own table, its
 * state, which Lua code reaches through core.state(client).
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_CLIENT_H
#define AVP_BIND_CLIENT_H

#include "../core/list/endpoint.h"
#include "../core/requests/requests.h"
#include "compat.h"

#define AVP_CLIENT_NAME "avepoint.client"

/* How many clients of a Lua state are open; see note_opened in client.c. */
struct open_clients {
  long count;
  long limit; /* of the count, at which the collector is asked for help */
};

struct client {
  struct avp_requests *requests; /* NULL until it is configured */
  char *base_url;
  enum avp_endpoint endpoint;        /* the option */
  enum avp_endpoint proven;          /* what `auto` has found to work, or AUTO */
  struct open_clients *open_clients; /* that count it, or NULL; the registry keeps them alive */
  int64_t deadline_ms;               /* for a listing, or AVP_NEVER */
};

/* Registers the metatable, and adds the functions that the Lua layer calls to the table on top of
 * the stack. */
void client_open(lua_State *L);

/* The client at `index`, open or not; raises if it is none. */
struct client *to_client(lua_State *L, int index);

bool client_is_closed(const struct client *client);

/* Leaves what a function returns that cannot use a closed client: nil and the error object. */
int client_refuse_closed(lua_State *L);

/* Pushes the URL of a path below the client's base URL, and returns it. Raises, naming the setting,
 * if the path is none that a token may be sent to. `posted`: it is for a POST. */
const char *client_push_url(lua_State *L, const struct client *client, const char *path,
                            const char *name, bool posted);

#endif
