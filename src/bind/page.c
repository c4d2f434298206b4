/* page.c - checks the form of a reply: rows with ids, metadata with a total (page.h).
 *
 * SPDX-License-Identifier: MIT */
#include "page.h"

#include <stdio.h>

#include "customer.h"
#include "json.h"

#define SIZE_MAX_SAID 1000000000.0       /* a page size above that is nonsense */
#define TOTAL_MAX     9007199254740992.0 /* 2^53: beyond it doubles skip whole numbers */

static bool wrong(struct avp_err *err, const char *what) {
  avp_err_set(err, AVP_ERR_PROTOCOL, "the reply is not what the API promises: %s", what);
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

/* Reads a whole number of the metadata. Returns 1 if it is there, 0 if it is absent, -1 if it is no
 * such number. Numeric strings are taken, as elsewhere in this API. */
static int read_count(lua_State *L, int metadata, const char *field, double min, double max,
                      int64_t *out) {
  double n;
  int result = 0;
  lua_getfield(L, metadata, field);
  if (!json_is_null(L, -1)) {
    n = lua_isnumber(L, -1) ? lua_tonumber(L, -1) : -1;
    result = floor(n) == n && n >= min && n <= max ? 1 : -1;
    if (result == 1) *out = (int64_t)n;
  }
  lua_pop(L, 1);
  return result;
}

/* Replaces what is on top of the stack by a metadata table. */
static bool read_metadata(lua_State *L, bool raw, struct page_counts *counts, struct avp_err *err) {
  int total;
  int size;
  if (json_is_null(L, -1)) {
    lua_pop(L, 1);
    lua_newtable(L);
    return true;
  }
  if (!lua_istable(L, -1) || lua_rawlen(L, -1) > 0) return wrong(err, "metadata is not an object");
  total = read_count(L, lua_gettop(L), "totalCount", 0, TOTAL_MAX, &counts->total);
  size = read_count(L, lua_gettop(L), "pageSize", 1, SIZE_MAX_SAID, &counts->size);
  if (total < 0) return wrong(err, "metadata.totalCount is not a count");
  if (size < 0) return wrong(err, "metadata.pageSize is not a page size");
  counts->has_total = total == 1;
  return raw || customer_mend_values(L, err);
}

const char *page_row_id(lua_State *L, int rows, size_t i, size_t *len) {
  lua_rawgeti(L, rows, (int)i);
  lua_getfield(L, -1, "id");
  return lua_tolstring(L, -1, len);
}

static bool check_row(lua_State *L, int rows, size_t i, struct avp_err *err) {
  char what[64];
  lua_rawgeti(L, rows, (int)i);
  snprintf(what, sizeof what, "item %lu of data is not an object", (unsigned long)i);
  if (!lua_istable(L, -1)) return wrong(err, what);
  lua_getfield(L, -1, "id");
  snprintf(what, sizeof what, "item %lu of data has no id", (unsigned long)i);
  if (lua_type(L, -1) != LUA_TSTRING || lua_rawlen(L, -1) == 0) return wrong(err, what);
  lua_pop(L, 2);
  return true;
}

/* The list of rows is on top of the stack. */
static bool read_rows(lua_State *L, int state, bool raw, struct page_counts *counts,
                      struct avp_err *err) {
  int rows = lua_gettop(L);
  size_t i;
  lua_getfield(L, state, "array_mt");
  counts->rows = lua_rawlen(L, rows);
  for (i = 1; i <= counts->rows; i++) {
    if (!check_row(L, rows, i, err)) return false;
    if (raw) continue;
    lua_rawgeti(L, rows, (int)i);
    if (!customer_mend(L, rows + 1, err)) return false;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return true;
}

static bool decode(lua_State *L, int state, const char *data, size_t len, bool raw,
                   struct page_counts *counts, struct avp_err *err) {
  int root;
  if (!json_decode(L, state, data, len, "the reply", err)) return false;
  root = lua_gettop(L);
  if (!lua_istable(L, root)) return wrong(err, "it is not an object");
  lua_getfield(L, root, "data");
  if (json_is_null(L, -1)) return wrong(err, "data is missing");
  if (!is_list(L, root + 1)) return wrong(err, "data is not a list");
  if (!read_rows(L, state, raw, counts, err)) return false;
  lua_getfield(L, root, "metadata");
  if (!read_metadata(L, raw, counts, err)) return false;
  lua_remove(L, root);
  return true;
}

bool page_decode(lua_State *L, int state, int status, const char *data, size_t len, bool raw,
                 struct page_counts *counts, struct avp_err *err) {
  int top = lua_gettop(L);
  memset(counts, 0, sizeof *counts);
  if (status == 204) {
    lua_newtable(L);
    lua_newtable(L);
    return true;
  }
  if (decode(L, state, data, len, raw, counts, err)) return true;
  lua_settop(L, top);
  return false;
}
