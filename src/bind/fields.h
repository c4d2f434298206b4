/* fields.h - sets fields of the table on top of the stack; what is absent sets none.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_FIELDS_H
#define AVP_BIND_FIELDS_H

#include "compat.h"

/* NULL and an empty text are absent. */
static inline void set_text(lua_State *L, const char *field, const char *text) {
  if (text == NULL || text[0] == '\0') return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, field);
}

/* `absent` and all numbers below it are absent. */
static inline void set_number(lua_State *L, const char *field, double n, double absent) {
  if (n <= absent) return;
  avp_pushwhole(L, n);
  lua_setfield(L, -2, field);
}

static inline void set_boolean(lua_State *L, const char *field, bool value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, field);
}

#endif
