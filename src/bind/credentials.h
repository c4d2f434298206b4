/* credentials.h - what a client signs in with, as far as Lua takes part: the functions of the
 * user's that give secrets, assertions and tokens, the place where processes share a token, and the
 * reply of the token endpoint.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_CREDENTIALS_H
#define AVP_BIND_CREDENTIALS_H

#include "client.h"

#define AVP_HASH_TEXT 33 /* hexadecimal digits and a NUL */

/* By which processes know a shared token's credential and contents again; gives `out`. */
const char *credentials_hash(const char *text, char out[AVP_HASH_TEXT]);

/* Reads the token reply that has come, if one has. `state` is the stack index of the client's
 * table. Raises when memory is out; the reply is then read again later. */
void credentials_read_reply(lua_State *L, struct avp_dispatcher *d, int state, int64_t now);

/* The functions that the Lua layer calls, in the table on top of the stack. */
void credentials_functions(lua_State *L);

#endif
