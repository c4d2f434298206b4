/* page.c - checks the form of a reply, and mends its rows (page.h).
 *
 * The form: rows with ids, metadata with a total. All rows are mended in numbers and nulls. A
 * customer is mended as the README's section "A customer" says: documented names too, statuses by
 * name whichever form the server uses.
 * SPDX-License-Identifier: MIT */
#include "page.h"

#include <stdio.h>

#include "json.h"

#define SIZE_MAX_SAID 1000000000.0       /* a page size above that is nonsense */
#define WHOLE_MAX     9007199254740992.0 /* 2^53: beyond it doubles skip whole numbers */
#define ABSENT        (-1.0)
#define INVALID       (-2.0)
#define MAX_DEPTH     128 /* of nesting; deeper than any that JSON_DEPTH lets through */

static bool wrong(struct avp_err *err, const char *what, const char *how) {
  avp_err_set(err, AVP_ERR_PROTOCOL, "the reply is not what the API promises: %s%s", what, how);
  return false;
}

/* rows -----------------------------------------------------------------------------------------*/

static bool fail(struct avp_err *err, enum avp_err_kind kind, const char *message) {
  avp_err_set(err, kind, "%s", message);
  return false;
}

/* Mends numbers and nulls of the table on top of the stack, and of those in it (`depth` above 0). A
 * value that is mended replaces the old one, which a traversal allows for a field that exists. */
static bool mend_values(lua_State *L, int depth, struct avp_err *err) {
  int table = lua_gettop(L);
  double n;
  luaL_checkstack(L, 8, "JSON nested too deep");
  if (depth > MAX_DEPTH) return fail(err, AVP_ERR_LIMIT, "the reply is nested too deep");
  lua_pushnil(L);
  while (lua_next(L, table)) {
    bool replace = false;
    switch (lua_type(L, -1)) {
    case LUA_TNUMBER:
      n = lua_tonumber(L, -1);
      if (n - n != 0) {
        return fail(err, AVP_ERR_PROTOCOL, "the reply holds a number that is not finite");
      }
      replace = avp_is_whole_float(L, -1);
      if (replace) avp_pushwhole(L, n);
      break;
    case LUA_TTABLE:
      if (!mend_values(L, depth + 1, err)) return false;
      break;
    case LUA_TLIGHTUSERDATA:
    case LUA_TUSERDATA: /* the library's null; in a list it keeps its place */
      replace = lua_type(L, -2) == LUA_TSTRING;
      if (replace) lua_pushnil(L);
      break;
    default:
      break;
    }
    if (replace) {
      lua_pushvalue(L, -3);
      lua_insert(L, -2);
      lua_rawset(L, table);
    }
    lua_pop(L, 1);
  }
  return true;
}

bool page_mend_values(lua_State *L, struct avp_err *err) { return mend_values(L, 0, err); }

/* customers ------------------------------------------------------------------------------------*/

/* Leaves jobStatus a name (or text, if it is unknown) and sets jobStatusCode. */
static void mend_status(lua_State *L, int customer, int codes, int names) {
  lua_getfield(L, customer, "jobStatus");
  lua_pushvalue(L, -1);
  lua_gettable(L, codes);
  if (!lua_isnil(L, -1)) {
    lua_pushvalue(L, -1);
    lua_rawget(L, names);
    lua_replace(L, -3);
  } else if (lua_type(L, -2) == LUA_TNUMBER) {
    lua_tostring(L, -2); /* in place: 9 becomes "9" */
  }
  lua_setfield(L, customer, "jobStatusCode");
  lua_setfield(L, customer, "jobStatus");
}

/* Moves a field of the table on top of the stack to another name, unless that is taken. */
static void rename_field(lua_State *L, const char *from, const char *to) {
  lua_getfield(L, -1, to);
  lua_getfield(L, -2, from);
  if (!lua_isnil(L, -1)) {
    if (lua_isnil(L, -2)) {
      lua_pushvalue(L, -1);
      lua_setfield(L, -4, to);
    }
    lua_pushnil(L);
    lua_setfield(L, -4, from);
  }
  lua_pop(L, 2);
}

static void mend_tenants(lua_State *L, int customer, int array_mt) {
  int i;
  lua_getfield(L, customer, "tenants");
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, customer, "tenants");
  }
  if (lua_istable(L, -1)) {
    for (i = 1; i <= (int)lua_rawlen(L, -1); i++) {
      lua_rawgeti(L, -1, i);
      if (lua_istable(L, -1)) {
        rename_field(L, "Id", "id");
        rename_field(L, "Name", "name");
      }
      lua_pop(L, 1);
    }
    if (lua_istable(L, array_mt)) {
      lua_pushvalue(L, array_mt);
      lua_setmetatable(L, -2);
    }
  }
  lua_pop(L, 1);
}

/* Mends the customer on top of the stack. From the stack index `helpers` on lie the client's
 * array_mt (or nil), status_codes and status_names. */
static bool mend_customer(lua_State *L, int helpers, struct avp_err *err) {
  int customer = lua_gettop(L);
  if (!mend_values(L, 0, err)) return false;
  mend_status(L, customer, helpers + 1, helpers + 2);
  mend_tenants(L, customer, helpers);
  return true;
}

/* the form -------------------------------------------------------------------------------------*/

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
static bool read_metadata(lua_State *L, const struct listing_form *form, struct listing_page *page,
                          struct avp_err *err) {
  double total;
  double size;
  if (json_is_null(L, -1)) {
    lua_pop(L, 1);
    lua_newtable(L);
    return true;
  }
  if (!lua_istable(L, -1) || lua_rawlen(L, -1) > 0) {
    return wrong(err, form->metadata, " is not an object");
  }
  total = read_count(L, lua_gettop(L), "totalCount", 0, WHOLE_MAX);
  size = read_count(L, lua_gettop(L), "pageSize", 1, SIZE_MAX_SAID);
  if (total == INVALID) return wrong(err, form->metadata, ".totalCount is not a count");
  if (size == INVALID) return wrong(err, form->metadata, ".pageSize is not a page size");
  if (total != ABSENT) {
    page->has_total = true;
    page->total = (int64_t)total;
  }
  return form->raw || mend_values(L, 0, err);
}

/* What is wrong with the row on top of the stack as a sentence's end, or NULL. */
static const char *refuse_row(lua_State *L, const struct listing_form *form) {
  const char *refusal = NULL;
  double n;
  if (!lua_istable(L, -1)) return "is not an object";
  if (form->id == NULL) return NULL;
  lua_getfield(L, -1, form->id);
  n = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
  if (lua_type(L, -1) == LUA_TNUMBER && !form->customers) {
    if (!(fabs(n) < WHOLE_MAX)) refusal = "has a number too large to tell it from others as its ";
  } else if (lua_type(L, -1) != LUA_TSTRING || lua_rawlen(L, -1) == 0) {
    refusal = "has no ";
  }
  lua_pop(L, 1);
  return refusal != NULL ? lua_pushfstring(L, "%s%s", refusal, form->id) : NULL;
}

/* The list of rows is on top of the stack. */
static bool read_rows(lua_State *L, int state, const struct listing_form *form,
                      struct listing_page *page, struct avp_err *err) {
  int rows = lua_gettop(L);
  size_t i;
  lua_getfield(L, state, "array_mt");
  lua_getfield(L, state, "status_codes");
  lua_getfield(L, state, "status_names");
  page->rows = lua_rawlen(L, rows);
  for (i = 1; i <= page->rows; i++) {
    const char *refusal;
    lua_rawgeti(L, rows, (int)i);
    refusal = refuse_row(L, form);
    if (refusal != NULL) {
      refusal = lua_pushfstring(L, "item %d of %s %s", (int)i, form->items, refusal);
      return wrong(err, refusal, "");
    }
    if (!form->raw &&
        !(form->customers ? mend_customer(L, rows + 1, err) : mend_values(L, 0, err))) {
      return false;
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 3);
  return true;
}

bool page_decode(lua_State *L, int state, const struct avp_buf *body,
                 const struct listing_form *form, struct listing_page *page, struct avp_err *err) {
  int root = lua_gettop(L) + 1;
  if (body == NULL) {
    lua_newtable(L);
    lua_newtable(L);
    return true;
  }
  if (!json_decode(L, state, body->data, body->len, "the reply", err)) return false;
  if (!lua_istable(L, root)) return wrong(err, "it", " is not an object");
  lua_getfield(L, root, form->items);
  if (json_is_null(L, -1)) return wrong(err, form->items, " is missing");
  if (!is_list(L, root + 1)) return wrong(err, form->items, " is not a list");
  if (!read_rows(L, state, form, page, err)) return false;
  lua_getfield(L, root, form->metadata);
  if (!read_metadata(L, form, page, err)) return false;
  lua_remove(L, root);
  return true;
}

/* what tells rows apart ------------------------------------------------------------------------*/

static const char *number_text(double n, char *out, size_t *len) {
  *len = (size_t)snprintf(out, PAGE_ID_MAX, "%.17g", n); /* lua_tostring may cut digits */
  return out;
}

const char *page_row_id(lua_State *L, const struct listing_form *form, char *number, size_t *len) {
  lua_getfield(L, -1, form->id);
  if (lua_type(L, -1) == LUA_TSTRING) return lua_tolstring(L, -1, len);
  return number_text(lua_tonumber(L, -1), number, len);
}

uint64_t page_row_hash(lua_State *L) {
  int value = lua_gettop(L);
  char number[PAGE_ID_MAX];
  uint64_t sum = 0;
  size_t len = 1;
  const char *text = "x"; /* of null */
  luaL_checkstack(L, 3, "JSON nested too deep");
  switch (lua_type(L, value)) {
  case LUA_TSTRING:
    text = lua_tolstring(L, value, &len);
    break;
  case LUA_TNUMBER:
    text = number_text(lua_tonumber(L, value), number, &len);
    break;
  case LUA_TBOOLEAN:
    text = lua_toboolean(L, value) ? "t" : "f";
    break;
  case LUA_TTABLE:
    for (lua_pushnil(L); lua_next(L, value) != 0; lua_pop(L, 1)) {
      uint64_t pair[2];
      pair[1] = page_row_hash(L);
      lua_pushvalue(L, -2);
      pair[0] = page_row_hash(L);
      lua_pop(L, 1);
      sum += avp_position_hash((const char *)pair, sizeof pair);
    }
    return sum;
  default:
    break;
  }
  return avp_position_hash(text, len);
}
