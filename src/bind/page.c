/* page.c - checks the form of a reply: rows with ids, metadata with a total (page.h).
 * SPDX-License-Identifier: MIT */
#include "page.h"

#include <stdio.h>

#include "error.h"
#include "json.h"
#include "mend.h"

#define SIZE_MAX_SAID 1000000000.0       /* a page size above that is nonsense */
#define WHOLE_MAX     9007199254740992.0 /* 2^53: beyond it doubles skip whole numbers */
#define NUMBER_SIZE   32                 /* bytes of a number as text */
#define ABSENT        (-1.0)
#define INVALID       (-2.0)

static bool wrong(struct avp_err *err, const char *what, const char *how) {
  avp_err_set(err, AVP_ERR_PROTOCOL, "the reply is not what the API promises: %s%s", what, how);
  return false;
}

/* What a walk over the rows of a page needs. */
struct walk {
  struct mend mend;
  const struct listing_form *form;
  const struct avp_idset *set;
  int id; /* stack index of the name of the rows' id */
};

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

static size_t number_text(double n, char *out) { /* lua_tostring may cut digits */
  return (size_t)snprintf(out, NUMBER_SIZE, "%.17g", n);
}

/* Returns a hash of all that is in the value on top of the stack, whatever its order: tells rows
 * without an id apart. The same in every process. */
static uint64_t hash_value(lua_State *L) {
  int value = lua_gettop(L);
  char number[NUMBER_SIZE];
  uint64_t sum = 0;
  size_t len = 1;
  const char *text = "x"; /* of null */
  error_check_stack(L, 4);
  switch (lua_type(L, value)) {
  case LUA_TSTRING:
    text = lua_tolstring(L, value, &len);
    break;
  case LUA_TNUMBER:
    len = number_text(lua_tonumber(L, value), number);
    text = number;
    break;
  case LUA_TBOOLEAN:
    text = lua_toboolean(L, value) ? "t" : "f";
    break;
  case LUA_TTABLE:
    for (lua_pushnil(L); lua_next(L, value) != 0; lua_pop(L, 1)) {
      uint64_t pair[2];
      pair[1] = hash_value(L);
      lua_pushvalue(L, -2);
      pair[0] = hash_value(L);
      lua_pop(L, 1);
      sum += avp_position_hash((const char *)pair, sizeof pair);
    }
    return sum;
  default:
    break;
  }
  return avp_position_hash(text, len);
}

/* Replaces what is on top of the stack by a metadata table. */
static bool read_metadata(struct walk *walk, struct listing_page *page) {
  lua_State *L = walk->mend.L;
  const char *name = walk->form->metadata;
  double total;
  double size;
  if (json_is_null(L, -1)) {
    lua_pop(L, 1);
    lua_newtable(L);
    return true;
  }
  if (!lua_istable(L, -1) || lua_rawlen(L, -1) > 0) {
    return wrong(walk->mend.err, name, " is not an object");
  }
  total = read_count(L, lua_gettop(L), "totalCount", 0, WHOLE_MAX);
  size = read_count(L, lua_gettop(L), "pageSize", 1, SIZE_MAX_SAID);
  if (total == INVALID) return wrong(walk->mend.err, name, ".totalCount is not a count");
  if (size == INVALID) return wrong(walk->mend.err, name, ".pageSize is not a page size");
  if (total != ABSENT) {
    page->has_total = true;
    page->total = (int64_t)total;
  }
  return walk->form->raw || mend_table(&walk->mend);
}

/* Refuses item `i`. */
static bool refuse_row(const struct walk *walk, size_t i, const char *how, const char *what) {
  const char *which = lua_pushfstring(walk->mend.L, "item %d of %s ", (int)i, walk->form->items);
  return wrong(walk->mend.err, which, lua_pushfstring(walk->mend.L, "%s%s", how, what));
}

/* Reads the id on top of the stack, of item `i`. A number's text has all its digits. */
static bool read_id(const struct walk *walk, size_t i, struct avp_id *id) {
  lua_State *L = walk->mend.L;
  const struct listing_form *form = walk->form;
  char number[NUMBER_SIZE];
  size_t len = 0;
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : number;
  if (lua_type(L, -1) == LUA_TNUMBER && !form->customers) {
    if (!(fabs(lua_tonumber(L, -1)) < WHOLE_MAX)) {
      return refuse_row(walk, i, "has a number too large to be told from others as its ", form->id);
    }
    len = number_text(lua_tonumber(L, -1), number);
  }
  if (len == 0) {
    const char *advice = form->customers ? "" : ": see the option id";
    return refuse_row(walk, i, "has no ", lua_pushfstring(L, "%s%s", form->id, advice));
  }
  *id = avp_idset_id(walk->set, text, len);
  return true;
}

/* Mends item `i`, on top of the stack, and reads its id; without ids it gets the hash of all that
 * is in it. */
static bool read_row(struct walk *walk, size_t i, struct avp_id *id) {
  lua_State *L = walk->mend.L;
  bool good = true;
  if (!lua_istable(L, -1)) return refuse_row(walk, i, "is not an object", "");
  if (walk->form->id != NULL) {
    lua_pushvalue(L, walk->id);
    lua_rawget(L, -2);
    if (!read_id(walk, i, id)) return false;
    lua_pop(L, 1);
  }
  if (!walk->form->raw)
    good = walk->form->customers ? mend_customer(&walk->mend) : mend_table(&walk->mend);
  if (walk->form->id == NULL) id->print = hash_value(L);
  return good;
}

/* The list of rows is on top of the stack; pushes a userdata with their ids. */
static bool read_rows(struct walk *walk, struct decoded_page *decoded) {
  lua_State *L = walk->mend.L;
  int rows = lua_gettop(L);
  size_t i;
  decoded->page.rows = lua_rawlen(L, rows);
  decoded->ids = lua_newuserdata(L, decoded->page.rows * sizeof *decoded->ids + 1);
  decoded->page.ids = decoded->ids;
  for (i = 1; i <= decoded->page.rows; i++) {
    lua_rawgeti(L, rows, (int)i);
    if (!read_row(walk, i, &decoded->ids[i - 1])) return false;
    lua_pop(L, 1);
  }
  return true;
}

/* Mends the rows as read_rows does. Where its quick way met fewer numbers and nulls than the text
 * holds, some lie where no documented field is: all rows are walked over then. */
static bool mend_rest(struct walk *walk, int rows, size_t count, const struct avp_tally *tally) {
  lua_State *L = walk->mend.L;
  bool good = true;
  size_t i;
  if (!mend_has_missed(&walk->mend, tally)) return true;
  for (i = 1; good && i <= count; i++) {
    lua_rawgeti(L, rows, (int)i);
    good = mend_customer(&walk->mend);
    lua_pop(L, 1);
  }
  return good;
}

bool page_decode_table(lua_State *L, int state, const struct avp_buf *body, struct avp_err *err) {
  lua_pushlstring(L, body->data != NULL ? body->data : "", body->len);
  if (!json_decode(L, state, "the reply", err)) return false;
  return lua_istable(L, -1) || wrong(err, "it", " is not an object");
}

bool page_decode(lua_State *L, int state, const struct avp_buf *body,
                 const struct listing_form *form, const struct avp_idset *set,
                 struct decoded_page *decoded, struct avp_err *err) {
  struct avp_tally tally;
  struct walk walk;
  int root;
  walk.form = form;
  walk.set = set;
  decoded->at = lua_gettop(L) + 1;
  if (body == NULL) {
    lua_newtable(L);
    lua_newtable(L);
    decoded->page.ids = decoded->ids = lua_newuserdata(L, 1);
    return true;
  }
  mend_begin(&walk.mend, L, state, err);
  lua_pushstring(L, form->id); /* nil, if there is none */
  walk.id = lua_gettop(L);
  root = lua_gettop(L) + 1;
  if (!page_decode_table(L, state, body, err)) return false;
  lua_getfield(L, root, form->items);
  if (json_is_null(L, -1)) {
    return wrong(err, form->items,
                 form->customers ? " is missing" : " is missing: see the option items");
  }
  if (!is_list(L, root + 1)) return wrong(err, form->items, " is not a list");
  tally = avp_tally(body->data, body->len);
  if (form->customers && !form->raw) mend_choose_way(&walk.mend, &tally);
  if (!read_rows(&walk, decoded)) return false;
  lua_getfield(L, root, form->metadata);
  if (!read_metadata(&walk, &decoded->page)) return false;
  if (!mend_rest(&walk, root + 1, decoded->page.rows, &tally)) return false;
  lua_insert(L, -2);
  decoded->at = root + 1;
  return true;
}
