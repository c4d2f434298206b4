/* credentials.h - hands secrets, assertions, tokens and token replies from Lua to the core.
 *
 * The user's functions that return secrets, assertions and tokens, the store where processes share
 * a token, and the reply of the token endpoint, which is read in client:step.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_CREDENTIALS_H
#define AVP_BIND_CREDENTIALS_H

#include "compat.h"

/* Adds the functions that the Lua layer calls to the table on top of the stack, and the method
 * `step` to those of a client. */
void credentials_functions(lua_State *L);

#endif
