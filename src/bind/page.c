/* page.c - checks the form of a reply, and mends its rows (page.h).
 *
 * The form: rows with ids, metadata with a total. All rows are mended in numbers and nulls. A
 * customer is mended as doc/listing.md, "A customer", says: documented names too, statuses by name
 * whichever form the server uses.
 * SPDX-License-Identifier: MIT */
#include "page.h"

#include <stdio.h>

#include "../core/ground/tally.h"
#include "json.h"

#define SIZE_MAX_SAID 1000000000.0       /* a page size above that is nonsense */
#define WHOLE_MAX     9007199254740992.0 /* 2^53: beyond it doubles skip whole numbers */
#define NUMBER_SIZE   32                 /* bytes of a number as text */
#define ABSENT        (-1.0)
#define INVALID       (-2.0)
#define MAX_DEPTH     128 /* of nesting; deeper than any that JSON_DEPTH lets through */

static bool wrong(struct avp_err *err, const char *what, const char *how) {
  avp_err_set(err, AVP_ERR_PROTOCOL, "the reply is not what the API promises: %s%s", what, how);
  return false;
}

/* rows -----------------------------------------------------------------------------------------*/

/* Keys that are looked for. They lie on the stack from `keys` on, in this order: what may be null,
 * of these from KEY_STATUS on what may be a number, then the rest. */
enum {
  KEY_ORGANIZATION,
  KEY_EMAIL,
  KEY_COUNTRY,
  KEY_TENANTS,
  KEY_STATUS_CODE,
  KEY_STATUS,
  KEY_MODE,
  KEY_ID,
  KEY_NAME,
  KEY_OLD_ID,
  KEY_OLD_NAME,
  KEYS
};

static const char *const key_names[KEYS] = {"organization",
                                            "ownerEmail",
                                            "countryOrRegion",
                                            "tenants",
                                            "jobStatusCode",
                                            "jobStatus",
                                            "managementMode",
                                            "id",
                                            "name",
                                            "Id",
                                            "Name"};

/* What a walk over the rows of a page needs. */
struct walk {
  lua_State *L;
  const struct listing_form *form;
  const struct avp_idset *set;
  struct avp_err *err;
  int keys;               /* stack index of the keys, */
  int array_mt;           /* of the client's mark for arrays or nil, */
  int codes;              /* and of its tables of statuses */
  int names;              /* in any form, and of names by code and codes by name */
  int id;                 /* of the name of the rows' id */
  const char *text[KEYS]; /* of the keys: Lua keeps each short string once, so that the address
                           * tells a key */
  int depth;              /* of the value that is walked over */
  bool quick;             /* only documented fields of customers are mended, */
  int first;              /* from this key on */
  size_t mended;          /* numbers and nulls that were met */
};

static bool fail(struct avp_err *err, enum avp_err_kind kind, const char *message) {
  avp_err_set(err, kind, "%s", message);
  return false;
}

static bool is_finite(const struct walk *walk, double n) {
  if (n - n == 0) return true;
  return fail(walk->err, AVP_ERR_PROTOCOL, "the reply holds a number that is not finite");
}

static bool mend_table(struct walk *walk);

/* Mends the value on top of the stack, of the field whose key lies below it in `table`. A value
 * that is mended replaces the old one, which a traversal allows for a field that exists. */
static bool mend_value(struct walk *walk, int table) {
  lua_State *L = walk->L;
  double n;
  switch (lua_type(L, -1)) {
  case LUA_TNUMBER:
    n = lua_tonumber(L, -1);
    walk->mended++;
    if (!is_finite(walk, n)) return false;
    if (!avp_is_whole_float(L, -1)) return true;
    lua_pushvalue(L, -2);
    avp_pushwhole(L, n);
    break;
  case LUA_TTABLE:
    return mend_table(walk);
  case LUA_TLIGHTUSERDATA:
  case LUA_TUSERDATA: /* the library's null; in a list it keeps its place */
    walk->mended++;
    if (lua_type(L, -2) != LUA_TSTRING) return true;
    lua_pushvalue(L, -2);
    lua_pushnil(L);
    break;
  default:
    return true;
  }
  lua_rawset(L, table);
  return true;
}

/* Mends numbers and nulls of the table on top of the stack, and of those in it. */
static bool mend_table(struct walk *walk) {
  lua_State *L = walk->L;
  int table = lua_gettop(L);
  bool good = true;
  luaL_checkstack(L, 8, "JSON nested too deep");
  if (++walk->depth > MAX_DEPTH) {
    return fail(walk->err, AVP_ERR_LIMIT, "the reply is nested too deep");
  }
  lua_pushnil(L);
  while (good && lua_next(L, table) != 0) {
    good = mend_value(walk, table);
    lua_pop(L, 1);
  }
  walk->depth--;
  return good;
}

bool page_mend_values(lua_State *L, struct avp_err *err) {
  struct walk walk;
  memset(&walk, 0, sizeof walk);
  walk.L = L;
  walk.err = err;
  return mend_table(&walk);
}

/* customers ------------------------------------------------------------------------------------*/

/* Pushes the code of the status on top of the stack, or nil if nobody knows it; makes that status
 * in `customer` the name of the code, or text. */
static void name_status(const struct walk *walk, int customer) {
  lua_State *L = walk->L;
  lua_pushvalue(L, -1);
  lua_rawget(L, walk->names);
  if (lua_type(L, -1) == LUA_TNUMBER) return; /* it is a name already */
  lua_pop(L, 1);
  lua_pushvalue(L, -1);
  lua_gettable(L, walk->codes);
  lua_pushvalue(L, walk->keys + KEY_STATUS);
  lua_pushvalue(L, -2);
  lua_rawget(L, walk->names);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_pushvalue(L, -3);
    lua_tostring(L, -1); /* in place: 9 becomes "9" */
  }
  if (lua_rawequal(L, -1, -4)) {
    lua_pop(L, 2);
  } else {
    lua_rawset(L, customer);
  }
}

static bool has_field(const struct walk *walk, int table, int key) {
  lua_State *L = walk->L;
  bool has;
  lua_pushvalue(L, walk->keys + key);
  lua_rawget(L, table);
  has = !lua_isnil(L, -1);
  lua_pop(L, 1);
  return has;
}

/* Sets name and code of the status of the customer on top of the stack. A code that nobody knows is
 * none, whatever the server sends under that name. */
static void mend_status(const struct walk *walk) {
  lua_State *L = walk->L;
  int customer = lua_gettop(L);
  lua_pushvalue(L, walk->keys + KEY_STATUS_CODE);
  lua_pushvalue(L, walk->keys + KEY_STATUS);
  lua_rawget(L, customer);
  if (lua_type(L, -1) == LUA_TSTRING || lua_type(L, -1) == LUA_TNUMBER) {
    name_status(walk, customer);
    lua_replace(L, -2);
  } else {
    lua_pop(L, 1);
    lua_pushnil(L);
  }
  if (!lua_isnil(L, -1) || has_field(walk, customer, KEY_STATUS_CODE)) lua_rawset(L, customer);
  lua_settop(L, customer);
}

/* Moves a field of the table on top of the stack to another name, unless that is taken. */
static void rename_field(const struct walk *walk, int from, int to) {
  lua_State *L = walk->L;
  lua_pushvalue(L, walk->keys + to);
  lua_rawget(L, -2);
  lua_pushvalue(L, walk->keys + from);
  lua_rawget(L, -3);
  if (lua_isnil(L, -2) && !lua_isnil(L, -1)) {
    lua_pushvalue(L, walk->keys + to);
    lua_pushvalue(L, -2);
    lua_rawset(L, -5);
  }
  lua_pop(L, 2);
  lua_pushvalue(L, walk->keys + from);
  lua_pushnil(L);
  lua_rawset(L, -3);
}

/* Mends a tenant, on top of the stack. */
static bool mend_tenant(struct walk *walk) {
  lua_State *L = walk->L;
  int tenant = lua_gettop(L);
  bool old = false;
  bool good = true;
  lua_pushnil(L);
  while (good && lua_next(L, tenant) != 0) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
    old = old || key == walk->text[KEY_OLD_ID] || key == walk->text[KEY_OLD_NAME];
    good = mend_value(walk, tenant);
    lua_pop(L, 1);
  }
  if (good && old) {
    rename_field(walk, KEY_OLD_ID, KEY_ID);
    rename_field(walk, KEY_OLD_NAME, KEY_NAME);
  }
  return good;
}

/* Mends the tenants, on top of the stack. */
static bool mend_tenants(struct walk *walk) {
  lua_State *L = walk->L;
  int tenants = lua_gettop(L);
  bool good = true;
  lua_pushnil(L);
  while (good && lua_next(L, tenants) != 0) {
    bool is_tenant = lua_istable(L, -1) && lua_type(L, -2) == LUA_TNUMBER; /* not in an object */
    good = is_tenant ? mend_tenant(walk) : mend_value(walk, tenants);
    lua_pop(L, 1);
  }
  return good;
}

/* Gives the customer on top of the stack an empty list of tenants, if it has none, and marks the
 * list as one. */
static void complete_tenants(const struct walk *walk) {
  lua_State *L = walk->L;
  int customer = lua_gettop(L);
  lua_pushvalue(L, walk->keys + KEY_TENANTS);
  lua_rawget(L, customer);
  if (lua_isnil(L, -1)) {
    lua_newtable(L);
    lua_pushvalue(L, walk->keys + KEY_TENANTS);
    lua_pushvalue(L, -2);
    lua_rawset(L, customer);
  }
  if (lua_istable(L, walk->array_mt) && lua_istable(L, -1)) {
    lua_pushvalue(L, walk->array_mt);
    lua_setmetatable(L, -2);
  }
  lua_settop(L, customer);
}

/* Mends all fields of the customer on top of the stack. */
static bool mend_fields(struct walk *walk) {
  lua_State *L = walk->L;
  int customer = lua_gettop(L);
  bool good = true;
  lua_pushnil(L);
  while (good && lua_next(L, customer) != 0) {
    if (lua_type(L, -1) != LUA_TSTRING) {
      bool is_tenants = lua_istable(L, -1) && lua_type(L, -2) == LUA_TSTRING &&
                        lua_tostring(L, -2) == walk->text[KEY_TENANTS];
      good = is_tenants ? mend_tenants(walk) : mend_value(walk, customer);
    }
    lua_pop(L, 1);
  }
  return good;
}

/* Mends the fields of the customer on top of the stack that may be null, or that may be numbers. */
static bool mend_documented(struct walk *walk) {
  lua_State *L = walk->L;
  int customer = lua_gettop(L);
  bool good = true;
  int key;
  for (key = walk->first; good && key <= KEY_MODE; key++) {
    lua_pushvalue(L, walk->keys + key);
    lua_pushvalue(L, -1);
    lua_rawget(L, customer);
    if (!lua_isnil(L, -1) && !lua_istable(L, -1)) good = mend_value(walk, customer);
    lua_settop(L, customer);
  }
  return good;
}

/* Mends the customer on top of the stack. */
static bool mend_customer(struct walk *walk) {
  if (!(walk->quick ? mend_documented(walk) : mend_fields(walk))) return false;
  mend_status(walk);
  complete_tenants(walk);
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
  luaL_checkstack(L, 4, "JSON nested too deep");
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
  lua_State *L = walk->L;
  const char *name = walk->form->metadata;
  double total;
  double size;
  if (json_is_null(L, -1)) {
    lua_pop(L, 1);
    lua_newtable(L);
    return true;
  }
  if (!lua_istable(L, -1) || lua_rawlen(L, -1) > 0) {
    return wrong(walk->err, name, " is not an object");
  }
  total = read_count(L, lua_gettop(L), "totalCount", 0, WHOLE_MAX);
  size = read_count(L, lua_gettop(L), "pageSize", 1, SIZE_MAX_SAID);
  if (total == INVALID) return wrong(walk->err, name, ".totalCount is not a count");
  if (size == INVALID) return wrong(walk->err, name, ".pageSize is not a page size");
  if (total != ABSENT) {
    page->has_total = true;
    page->total = (int64_t)total;
  }
  return walk->form->raw || mend_table(walk);
}

/* Refuses item `i`. */
static bool refuse_row(const struct walk *walk, size_t i, const char *how, const char *what) {
  const char *which = lua_pushfstring(walk->L, "item %d of %s ", (int)i, walk->form->items);
  return wrong(walk->err, which, lua_pushfstring(walk->L, "%s%s", how, what));
}

/* Reads the id on top of the stack, of item `i`. A number's text has all its digits. */
static bool read_id(const struct walk *walk, size_t i, struct avp_id *id) {
  lua_State *L = walk->L;
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
  lua_State *L = walk->L;
  bool good = true;
  if (!lua_istable(L, -1)) return refuse_row(walk, i, "is not an object", "");
  if (walk->form->id != NULL) {
    lua_pushvalue(L, walk->id);
    lua_rawget(L, -2);
    if (!read_id(walk, i, id)) return false;
    lua_pop(L, 1);
  }
  if (!walk->form->raw) good = walk->form->customers ? mend_customer(walk) : mend_table(walk);
  if (walk->form->id == NULL) id->print = hash_value(L);
  return good;
}

/* The list of rows is on top of the stack; pushes a userdata with their ids. */
static bool read_rows(struct walk *walk, struct decoded_page *decoded) {
  lua_State *L = walk->L;
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
  lua_State *L = walk->L;
  bool good = true;
  size_t i;
  if (!walk->quick || walk->mended == tally->nulls + tally->numbers) return true;
  walk->quick = false;
  for (i = 1; good && i <= count; i++) {
    lua_rawgeti(L, rows, (int)i);
    good = mend_customer(walk);
    lua_pop(L, 1);
  }
  return good;
}

/* Whether it may do to mend what is documented: mend_rest tells in the end. */
static void choose_way(struct walk *walk, const struct avp_tally *tally) {
  walk->quick = walk->form->customers && !walk->form->raw && tally->odd_keys == 0;
  walk->first = tally->nulls > 0 ? 0 : KEY_STATUS;
}

/* Pushes the keys and what else the walk uses. */
static void begin_walk(struct walk *walk, lua_State *L, int state) {
  int i;
  walk->L = L;
  luaL_checkstack(L, KEYS + 30, "too many values");
  walk->keys = lua_gettop(L) + 1;
  for (i = 0; i < KEYS; i++) {
    lua_pushstring(L, key_names[i]);
    walk->text[i] = lua_tostring(L, -1);
  }
  lua_getfield(L, state, "array_mt");
  lua_getfield(L, state, "status_codes");
  lua_getfield(L, state, "status_names");
  walk->array_mt = walk->keys + KEYS;
  walk->codes = walk->array_mt + 1;
  walk->names = walk->array_mt + 2;
  lua_pushstring(L, walk->form->id); /* nil, if there is none */
  walk->id = walk->array_mt + 3;
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
  memset(&walk, 0, sizeof walk);
  walk.form = form;
  walk.set = set;
  walk.err = err;
  decoded->at = lua_gettop(L) + 1;
  if (body == NULL) {
    lua_newtable(L);
    lua_newtable(L);
    decoded->page.ids = decoded->ids = lua_newuserdata(L, 1);
    return true;
  }
  begin_walk(&walk, L, state);
  root = lua_gettop(L) + 1;
  if (!page_decode_table(L, state, body, err)) return false;
  lua_getfield(L, root, form->items);
  if (json_is_null(L, -1)) {
    return wrong(err, form->items,
                 form->customers ? " is missing" : " is missing: see the option items");
  }
  if (!is_list(L, root + 1)) return wrong(err, form->items, " is not a list");
  tally = avp_tally(body->data, body->len);
  choose_way(&walk, &tally);
  if (!read_rows(&walk, decoded)) return false;
  lua_getfield(L, root, form->metadata);
  if (!read_metadata(&walk, &decoded->page)) return false;
  if (!mend_rest(&walk, root + 1, decoded->page.rows, &tally)) return false;
  lua_insert(L, -2);
  decoded->at = root + 1;
  return true;
}
