/* options.c - see options.h.
 *
 * SPDX-License-Identifier: MIT */
#include "options.h"

#include <limits.h>
#include <stdarg.h>

int options_error(lua_State *L, int level, const char *what, const char *format, ...) {
  va_list args;
  luaL_where(L, level);
  lua_pushfstring(L, "%s: ", what);
  va_start(args, format);
  lua_pushvfstring(L, format, args);
  va_end(args);
  lua_concat(L, 3);
  return lua_error(L);
}

static const struct option *find(const struct option *list, const char *name) {
  for (; list->name != NULL; list++) {
    if (strcmp(list->name, name) == 0) return list;
  }
  return NULL;
}

/* Edit distance of two short words, 99 where one is too long to care. */
static int distance(const char *a, const char *b) {
  int row[32];
  size_t n = strlen(b);
  size_t i;
  size_t j;
  if (n >= 32 || strlen(a) >= 32) return 99;
  for (j = 0; j <= n; j++) row[j] = (int)j;
  for (i = 1; a[i - 1] != '\0'; i++) {
    int corner = row[0];
    row[0] = (int)i;
    for (j = 1; j <= n; j++) {
      int change = corner + (a[i - 1] != b[j - 1]);
      int shorter = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
      corner = row[j];
      row[j] = change < shorter ? change : shorter;
    }
  }
  return row[n];
}

static const char *nearest(const struct option *list, const char *name) {
  const char *best = NULL;
  int least = (int)strlen(name) / 3 + 1; /* else it is another word, not a slip */
  for (; list->name != NULL; list++) {
    int d = distance(name, list->name);
    if (d < least) {
      least = d;
      best = list->name;
    }
  }
  return best;
}

static void reject_unknown(lua_State *L, const struct option *list, const char *what, int level,
                           const struct option_hint *hint) {
  const char *name = lua_tostring(L, -1);
  const char *near = nearest(list, name);
  if (hint != NULL && find(hint->others, name) != NULL) {
    options_error(L, level, what, hint->advice, name, name);
  }
  if (near != NULL) {
    options_error(L, level, what, "unknown option '%s' (did you mean '%s'?)", name, near);
  }
  options_error(L, level, what, "unknown option '%s'", name);
}

static void wrong_type(lua_State *L, const struct option *option, const char *what, int level,
                       const char *expected) {
  const char *got = luaL_typename(L, -1);
  if (lua_type(L, -1) == LUA_TSTRING && strstr(expected, "string") != NULL) {
    got = lua_rawlen(L, -1) == 0 ? "an empty one" : "one with a zero byte";
  }
  options_error(L, level, what, "option '%s' must be %s, not %s", option->name, expected, got);
}

static bool is_text(lua_State *L) {
  return lua_type(L, -1) == LUA_TSTRING && lua_rawlen(L, -1) > 0 &&
         strlen(lua_tostring(L, -1)) == lua_rawlen(L, -1);
}

static void check_number(lua_State *L, const struct option *option, const char *what, int level) {
  double n = lua_tonumber(L, -1);
  if (lua_type(L, -1) != LUA_TNUMBER) wrong_type(L, option, what, level, "a number");
  if (option->type == OPTION_INTEGER) {
    if (floor(n) != n || n < option->min || n > option->max) {
      options_error(L, level, what, "option '%s' must be a whole number from %d to %d",
                    option->name, (int)option->min, (int)option->max);
    }
  } else if (!(n >= 0 && n <= 1e9) || (n == 0 && option->type == OPTION_SECONDS)) {
    options_error(L, level, what, "option '%s' must be a number of seconds%s", option->name,
                  option->type == OPTION_SECONDS ? " above 0" : ", 0 or more");
  }
}

static void check_word(lua_State *L, const struct option *option, const char *what, int level) {
  const char *const *word = option->words;
  luaL_Buffer all;
  if (lua_type(L, -1) == LUA_TSTRING) {
    for (; *word != NULL; word++) {
      if (strcmp(*word, lua_tostring(L, -1)) == 0) return;
    }
  }
  luaL_buffinit(L, &all);
  for (word = option->words; *word != NULL; word++) {
    if (word != option->words) luaL_addstring(&all, ", ");
    luaL_addstring(&all, *word);
  }
  luaL_pushresult(&all);
  options_error(L, level, what, "option '%s' must be one of: %s", option->name,
                lua_tostring(L, -1));
}

static void check_list(lua_State *L, const struct option *option, const char *what, int level) {
  size_t n;
  size_t i;
  if (lua_type(L, -1) != LUA_TTABLE) wrong_type(L, option, what, level, "a list of strings");
  n = lua_rawlen(L, -1);
  if (n == 0) {
    options_error(L, level, what, "option '%s' must not be empty (leave it out to list all)",
                  option->name);
  }
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, -1, (int)i);
    if (!is_text(L)) {
      options_error(L, level, what, "option '%s' must hold strings that are not empty",
                    option->name);
    }
    lua_pop(L, 1);
  }
}

/* The value is on top of the stack. */
static void check_value(lua_State *L, const struct option *option, const char *what, int level) {
  int type = lua_type(L, -1);
  switch (option->type) {
  case OPTION_STRING:
    if (!is_text(L)) wrong_type(L, option, what, level, "a string that is not empty");
    break;
  case OPTION_STRING_OR_FUNCTION:
    if (!is_text(L) && type != LUA_TFUNCTION) {
      wrong_type(L, option, what, level, "a string that is not empty, or a function");
    }
    break;
  case OPTION_STRING_OR_TABLE:
    if (!is_text(L) && type != LUA_TTABLE) wrong_type(L, option, what, level, "a name or a table");
    break;
  case OPTION_FUNCTION:
    if (type != LUA_TFUNCTION) wrong_type(L, option, what, level, "a function");
    break;
  case OPTION_BOOLEAN:
    if (type != LUA_TBOOLEAN) wrong_type(L, option, what, level, "true or false");
    break;
  case OPTION_WORD:
    check_word(L, option, what, level);
    break;
  case OPTION_LIST:
    check_list(L, option, what, level);
    break;
  default:
    check_number(L, option, what, level);
    break;
  }
}

void options_check(lua_State *L, int index, const struct option *list, const char *what, int level,
                   const struct option_hint *hint) {
  if (!lua_istable(L, index)) {
    options_error(L, level, what, "takes a table of options, not %s", luaL_typename(L, index));
  }
  lua_pushnil(L);
  while (lua_next(L, index)) {
    const struct option *option;
    if (lua_type(L, -2) != LUA_TSTRING) {
      options_error(L, level, what, "options have names: { name = value }");
    }
    option = find(list, lua_tostring(L, -2));
    if (option == NULL) {
      lua_pop(L, 1);
      reject_unknown(L, list, what, level, hint);
      return;
    }
    check_value(L, option, what, level);
    lua_pop(L, 1);
  }
}

/* Raw, as options_check reads: what a metatable adds was not checked, and nothing would keep a
 * string alive that its __index makes. */
void options_push(lua_State *L, int index, const char *name) {
  index = lua_absindex(L, index);
  lua_pushstring(L, name);
  lua_rawget(L, index);
}

bool options_has(lua_State *L, int index, const char *name) {
  bool has;
  options_push(L, index, name);
  has = !lua_isnil(L, -1);
  lua_pop(L, 1);
  return has;
}

const char *options_string(lua_State *L, int index, const char *name, const char *fallback) {
  const char *text = fallback;
  options_push(L, index, name);
  if (lua_type(L, -1) == LUA_TSTRING) text = lua_tostring(L, -1); /* the table keeps it alive */
  lua_pop(L, 1);
  return text;
}

static double number(lua_State *L, int index, const char *name, double fallback) {
  double n = fallback;
  options_push(L, index, name);
  if (lua_type(L, -1) == LUA_TNUMBER) n = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return n;
}

int64_t options_ms(lua_State *L, int index, const char *name, int64_t fallback) {
  double seconds = number(L, index, name, -1);
  if (seconds < 0) return fallback;
  return seconds > 0 && seconds < 0.001 ? 1 : (int64_t)(seconds * 1000);
}

long options_integer(lua_State *L, int index, const char *name, long fallback) {
  return (long)number(L, index, name, (double)fallback);
}

bool options_boolean(lua_State *L, int index, const char *name) {
  bool value;
  options_push(L, index, name);
  value = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return value;
}

int options_word(lua_State *L, int index, const char *name, const char *const *words,
                 int fallback) {
  const char *text = options_string(L, index, name, NULL);
  int i;
  for (i = 0; text != NULL && words[i] != NULL; i++) {
    if (strcmp(words[i], text) == 0) return i;
  }
  return fallback;
}
