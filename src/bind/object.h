/* object.h - one object of the API, asked for once.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_OBJECT_H
#define AVP_BIND_OBJECT_H

#include "compat.h"

/* Registers the metatable, and adds core.object to the table on top of the stack. */
void object_open(lua_State *L);

#endif
