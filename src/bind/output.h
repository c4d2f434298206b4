/* output.h - files that are whole or not there, for listing:write.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_OUTPUT_H
#define AVP_BIND_OUTPUT_H

#include "compat.h"

/* Registers the metatable, and adds `output` to the table on top of the stack. */
void output_open(lua_State *L);

#endif
