/* page.c - checks the form of a reply: rows with ids, metadata with a total (page.h).
 * SPDX-License-Identifier: MIT */
#include "page.h"

#include "customer.h"
#include "json.h"

#define SIZE_MAX_SAID 1000000000.0       /* a page size above that is nonsense */
#define TOTAL_MAX     9007199254740992.0 /* 2^53: beyond it doubles skip whole numbers */
#define ABSENT        (-1.0)
#define INVALID       (-2.0)
#define WRONG         "the reply is not what the API promises: "

static bool wrong(struct avp_err *err, const char *what) {
  avp_err_set(err, AVP_ERR_PROTOCOL, WRONG "%s", what);
  return false;
}

/* Whether the value is a list as cjson makes it: an object would have keys that are strings. An
 * empty object counts as an empty list: not every lua-cjson tells them apart, and the total tells
 * if it is a lie. */
static bool is_list(lua_State *L, int index) {
  bool list;
  if (!lua_istable(L, index)) return false;
  if (lua_rawlen(L, index) > 0) return true;
  lua_pushnil(L);
  list = lua_next(L, index) == 0;
  if (!list) lua_pop(L, 2);
  return list;
}

/* Returns a whole number of the metadata; ABSENT, or INVALID if it is not from min to max. Numeric
 * strings are taken, as elsewhere in this API. */
static double read_count(lua_State *L, int metadata, const char *field, double min, double max) {
  double n = ABSENT;
  lua_getfield(L, metadata, field);
  if (!json_is_null(L, -1)) {
    n = lua_isnumber(L, -1) ? lua_tonumber(L, -1) : INVALID;
    if (floor(n) != n || n < min || n > max) n = INVALID;
  }
  lua_pop(L, 1);
  return n;
}

/* Replaces what is on top of the stack by a metadata table. */
static bool read_metadata(lua_State *L, bool raw, struct listing_page *page, struct avp_err *err) {
  double total;
  double size;
  if (json_is_null(L, -1)) {
    lua_pop(L, 1);
    lua_newtable(L);
    return true;
  }
  if (!lua_istable(L, -1) || lua_rawlen(L, -1) > 0) return wrong(err, "metadata is not an object");
  total = read_count(L, lua_gettop(L), "totalCount", 0, TOTAL_MAX);
  size = read_count(L, lua_gettop(L), "pageSize", 1, SIZE_MAX_SAID);
  if (total == INVALID) return wrong(err, "metadata.totalCount is not a count");
  if (size == INVALID) return wrong(err, "metadata.pageSize is not a page size");
  if (total != ABSENT) {
    page->has_total = true;
    page->total = (int64_t)total;
  }
  return raw || customer_mend_values(L, 0, err);
}

/* The row, item `i`, is on top of the stack. */
static bool check_row(lua_State *L, size_t i, struct avp_err *err) {
  const char *lacks = NULL;
  if (!lua_istable(L, -1)) {
    lacks = "is not an object";
  } else {
    lua_getfield(L, -1, "id");
    if (lua_type(L, -1) != LUA_TSTRING || lua_rawlen(L, -1) == 0) lacks = "has no id";
    lua_pop(L, 1);
  }
  if (lacks == NULL) return true;
  avp_err_set(err, AVP_ERR_PROTOCOL, WRONG "item %lu of data %s", (unsigned long)i, lacks);
  return false;
}

/* The list of rows is on top of the stack. */
static bool read_rows(lua_State *L, int state, bool raw, struct listing_page *page,
                      struct avp_err *err) {
  int rows = lua_gettop(L);
  size_t i;
  lua_getfield(L, state, "array_mt");
  lua_getfield(L, state, "status_codes");
  lua_getfield(L, state, "status_names");
  page->rows = lua_rawlen(L, rows);
  for (i = 1; i <= page->rows; i++) {
    lua_rawgeti(L, rows, (int)i);
    if (!check_row(L, i, err)) return false;
    if (!raw && !customer_mend(L, rows + 1, err)) return false;
    lua_pop(L, 1);
  }
  lua_pop(L, 3);
  return true;
}

bool page_decode(lua_State *L, int state, const struct avp_buf *body, bool raw,
                 struct listing_page *page, struct avp_err *err) {
  int root = lua_gettop(L) + 1;
  if (body == NULL) {
    lua_newtable(L);
    lua_newtable(L);
    return true;
  }
  if (!json_decode(L, state, body->data, body->len, "the reply", err)) return false;
  if (!lua_istable(L, root)) return wrong(err, "it is not an object");
  lua_getfield(L, root, "data");
  if (json_is_null(L, -1)) return wrong(err, "data is missing");
  if (!is_list(L, root + 1)) return wrong(err, "data is not a list");
  if (!read_rows(L, state, raw, page, err)) return false;
  lua_getfield(L, root, "metadata");
  if (!read_metadata(L, raw, page, err)) return false;
  lua_remove(L, root);
  return true;
}
