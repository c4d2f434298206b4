/* settings.h - reads the tables of settings that Lua has checked and filled in.
 *
 * lua/avepoint/settings.lua tells the user's mistakes. What is wrong here nevertheless is a mistake
 * of ours: it raises a plain Lua error. `table` is the absolute stack index of a table; reads are
 * raw.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_SETTINGS_H
#define AVP_BIND_SETTINGS_H

#include "../core/list/endpoint.h"
#include "../core/requests/settings.h"
#include "compat.h"

#define SETTINGS_MAX 2147483647 /* largest whole number */

/* Pushes a field's value. */
void settings_push(lua_State *L, int table, const char *name);

/* Whether a field is there, and not false. */
bool settings_has(lua_State *L, int table, const char *name);

/* The text of a field, without zero bytes and not empty, or NULL if it is absent. Pushes one value,
 * which keeps the text alive. */
const char *settings_text(lua_State *L, int table, const char *name);

/* The same; raises if it is absent. */
const char *settings_need_text(lua_State *L, int table, const char *name);

/* Returns in ms what Lua gave as seconds, whatever number that is: 0 at least, and rounded up. */
int64_t settings_ms_of(double seconds);

/* Seconds as ms, or `absent`; with `absent` -1 they are needed. */
int64_t settings_ms(lua_State *L, int table, const char *name, int64_t absent);

/* A whole number from 1 to `max`, or `absent`; with `absent` 0 it is needed. */
long settings_whole(lua_State *L, int table, const char *name, long max, long absent);

/* The place of a word in a NULL-ended list, or `absent`; with `absent` -1 it is needed. */
int settings_word(lua_State *L, int table, const char *name, const char *const *words, int absent);

/* The setting `endpoint`, or `absent`. */
enum avp_endpoint settings_endpoint(lua_State *L, int table, enum avp_endpoint absent);

/* Fills a client's settings. Pushes the strings that they borrow. Returns the credential, or NULL
 * if a function of the user's returns it. */
const char *settings_client(lua_State *L, int table, struct avp_settings *settings);

#endif
