/* fetch.h - one object of the API, asked for once.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_FETCH_H
#define AVP_BIND_FETCH_H

#include "compat.h"

/* Registers the metatable, and adds core.fetch to the table on top of the stack. */
void fetch_open(lua_State *L);

#endif
