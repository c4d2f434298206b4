/* options.h - tables of options: what is allowed, of which type, in which range.
 *
 * An option that nobody knows, a wrong type and a value out of range raise an ordinary argument
 * error that names the option.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_OPTIONS_H
#define AVP_BIND_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "compat.h"

enum option_type {
  OPTION_STRING,             /* not empty */
  OPTION_STRING_OR_FUNCTION, /* the string not empty */
  OPTION_FUNCTION,
  OPTION_SECONDS, /* a number above 0, in seconds */
  OPTION_WAIT,    /* a number of 0 or more, in seconds */
  OPTION_INTEGER, /* a whole number from `min` to `max` */
  OPTION_WORD,    /* one of `words` */
  OPTION_BOOLEAN,
  OPTION_LIST, /* a table of strings, not empty */
  OPTION_STRING_OR_TABLE
};

struct option {
  const char *name;
  enum option_type type;
  double min; /* of an integer */
  double max;
  const char *const *words; /* NULL-ended */
};

/* Checks the table at `index` (nil counts as empty; anything else raises) against a list that
 * ends with a NULL name. `what` is the function's name in messages, `level` says whose line they
 * carry. `hint` may name other options with what to say when one of them is given instead. */
struct option_hint {
  const struct option *others; /* a list of options that belong elsewhere */
  const char *advice;          /* printf form with two %s, both the option's name */
};
void options_check(lua_State *L, int index, const struct option *list, const char *what, int level,
                   const struct option_hint *hint);

/* Pushes the value of an option, or nil. */
void options_push(lua_State *L, int index, const char *name);

/* Values of a checked table; the default where the option is absent. Strings live as long as the
 * table holds them. */
const char *options_string(lua_State *L, int index, const char *name, const char *fallback);
int64_t options_ms(lua_State *L, int index, const char *name, int64_t fallback);
long options_integer(lua_State *L, int index, const char *name, long fallback);
bool options_boolean(lua_State *L, int index, const char *name);
int options_word(lua_State *L, int index, const char *name, const char *const *words, int fallback);
bool options_has(lua_State *L, int index, const char *name);

/* Raises "WHERE: what: message" at `level`. */
int options_error(lua_State *L, int level, const char *what, const char *format, ...);

#endif
