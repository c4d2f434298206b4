/* class.h - registers a type of userdata.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_CLASS_H
#define AVP_BIND_CLASS_H

#include "compat.h"

/* Makes the metatable of this name, with methods and what the collector calls, and adds to the
 * table on top of the stack the function `field` that makes such a value. */
static inline void define_class(lua_State *L, const char *name, const luaL_Reg *methods,
                                lua_CFunction gc, const char *field, lua_CFunction make) {
  lua_pushcfunction(L, make);
  lua_setfield(L, -2, field);
  luaL_newmetatable(L, name);
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

#endif
