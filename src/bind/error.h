/* error.h - makes the error objects of Lua from struct avp_err.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_ERROR_H
#define AVP_BIND_ERROR_H

#include "../core/ground/err.h"
#include "compat.h"

/* Registers the metatable, makes the object for lack of memory in advance, and adds the functions
 * that the Lua layer calls to the table on top of the stack. */
void error_open(lua_State *L);

/* Pushes an error object. For AVP_ERR_MEMORY that is the one made in advance: it allocates
 * nothing. `position` may be NULL. */
void error_push(lua_State *L, const struct avp_err *err, const char *position);

/* Pushes an error object of this kind and message, and nothing else to tell. */
void error_push_text(lua_State *L, enum avp_err_kind kind, const char *message);

/* The object for lack of memory: pushed, or raised. */
void error_push_memory(lua_State *L);
int error_raise_memory(lua_State *L);

/* Makes room on Lua's stack for `n` values, or raises the object for lack of memory: what we push
 * is far from the most that Lua allows. luaL_checkstack would speak of an overflow. */
void error_check_stack(lua_State *L, int n);

#endif
