/* error.h - makes the error objects of Lua from struct avp_err.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_ERROR_H
#define AVP_BIND_ERROR_H

#include "../core/ground/err.h"
#include "compat.h"

#define AVP_ERROR_NAME "avepoint.error"

/* Registers the metatable and makes the object for lack of memory in advance. */
void error_open(lua_State *L);

/* Pushes an error object. For AVP_ERR_MEMORY that is the one made in advance: it allocates
 * nothing. `position` may be NULL. */
void error_push(lua_State *L, const struct avp_err *err, const char *position);

/* The object for lack of memory: pushed, or raised. */
void error_push_memory(lua_State *L);
int error_raise_memory(lua_State *L);

/* Lua: config_error(message) -> a `config` error object */
int error_config(lua_State *L);

/* Lua: is_error(value) -> boolean */
int error_is(lua_State *L);

#endif
