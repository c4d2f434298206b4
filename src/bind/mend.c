/* mend.c - mends rows (mend.h).
 * SPDX-License-Identifier: MIT */
#include "mend.h"

#include "error.h"

#define MAX_DEPTH 128 /* of nesting; deeper than any that JSON_DEPTH lets through */

/* values ---------------------------------------------------------------------------------------*/

static bool fail(const struct mend *mend, enum avp_err_kind kind, const char *message) {
  avp_err_set(mend->err, kind, "%s", message);
  return false;
}

static bool is_finite(const struct mend *mend, double n) {
  return n - n == 0 || fail(mend, AVP_ERR_PROTOCOL, "the reply holds a number that is not finite");
}

/* Mends the value on top of the stack, of the field whose key lies below it in `table`. A value
 * that is mended replaces the old one, which a traversal allows for a field that exists. */
static bool mend_value(struct mend *mend, int table) {
  lua_State *L = mend->L;
  double n;
  switch (lua_type(L, -1)) {
  case LUA_TNUMBER:
    n = lua_tonumber(L, -1);
    mend->mended++;
    if (!is_finite(mend, n)) return false;
    if (!avp_is_whole_float(L, -1)) return true;
    lua_pushvalue(L, -2);
    avp_pushwhole(L, n);
    break;
  case LUA_TTABLE:
    return mend_table(mend);
  case LUA_TLIGHTUSERDATA:
  case LUA_TUSERDATA: /* the library's null; in a list it keeps its place */
    mend->mended++;
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

bool mend_table(struct mend *mend) {
  lua_State *L = mend->L;
  int table = lua_gettop(L);
  bool good = true;
  error_check_stack(L, 8);
  if (++mend->depth > MAX_DEPTH) {
    return fail(mend, AVP_ERR_LIMIT, "the reply is nested too deep");
  }
  lua_pushnil(L);
  while (good && lua_next(L, table) != 0) {
    good = mend_value(mend, table);
    lua_pop(L, 1);
  }
  mend->depth--;
  return good;
}

bool mend_values(lua_State *L, struct avp_err *err) {
  struct mend mend;
  memset(&mend, 0, sizeof mend);
  mend.L = L;
  mend.err = err;
  return mend_table(&mend);
}

/* customers ------------------------------------------------------------------------------------*/

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

/* Pushes the code of the status on top of the stack, or nil if nobody knows it; makes that status
 * in `customer` the name of the code, or text. */
static void name_status(const struct mend *mend, int customer) {
  lua_State *L = mend->L;
  lua_pushvalue(L, -1);
  lua_rawget(L, mend->names);
  if (lua_type(L, -1) == LUA_TNUMBER) return; /* it is a name already */
  lua_pop(L, 1);
  lua_pushvalue(L, -1);
  lua_gettable(L, mend->codes);
  lua_pushvalue(L, mend->keys + KEY_STATUS);
  lua_pushvalue(L, -2);
  lua_rawget(L, mend->names);
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

static bool has_field(const struct mend *mend, int table, int key) {
  lua_State *L = mend->L;
  bool has;
  lua_pushvalue(L, mend->keys + key);
  lua_rawget(L, table);
  has = !lua_isnil(L, -1);
  lua_pop(L, 1);
  return has;
}

/* Sets name and code of the status of the customer on top of the stack. A code that nobody knows is
 * none, whatever the server sends under that name. */
static void mend_status(const struct mend *mend) {
  lua_State *L = mend->L;
  int customer = lua_gettop(L);
  lua_pushvalue(L, mend->keys + KEY_STATUS_CODE);
  lua_pushvalue(L, mend->keys + KEY_STATUS);
  lua_rawget(L, customer);
  if (lua_type(L, -1) == LUA_TSTRING || lua_type(L, -1) == LUA_TNUMBER) {
    name_status(mend, customer);
    lua_replace(L, -2);
  } else {
    lua_pop(L, 1);
    lua_pushnil(L);
  }
  if (!lua_isnil(L, -1) || has_field(mend, customer, KEY_STATUS_CODE)) lua_rawset(L, customer);
  lua_settop(L, customer);
}

/* Moves a field of the table on top of the stack to another name, unless that is taken. */
static void rename_field(const struct mend *mend, int from, int to) {
  lua_State *L = mend->L;
  lua_pushvalue(L, mend->keys + to);
  lua_rawget(L, -2);
  lua_pushvalue(L, mend->keys + from);
  lua_rawget(L, -3);
  if (lua_isnil(L, -2) && !lua_isnil(L, -1)) {
    lua_pushvalue(L, mend->keys + to);
    lua_pushvalue(L, -2);
    lua_rawset(L, -5);
  }
  lua_pop(L, 2);
  lua_pushvalue(L, mend->keys + from);
  lua_pushnil(L);
  lua_rawset(L, -3);
}

/* Mends a tenant, on top of the stack. */
static bool mend_tenant(struct mend *mend) {
  lua_State *L = mend->L;
  int tenant = lua_gettop(L);
  bool old = false;
  bool good = true;
  lua_pushnil(L);
  while (good && lua_next(L, tenant) != 0) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
    old = old || key == mend->old_id || key == mend->old_name;
    good = mend_value(mend, tenant);
    lua_pop(L, 1);
  }
  if (good && old) {
    rename_field(mend, KEY_OLD_ID, KEY_ID);
    rename_field(mend, KEY_OLD_NAME, KEY_NAME);
  }
  return good;
}

/* Mends the tenants, on top of the stack. */
static bool mend_tenants(struct mend *mend) {
  lua_State *L = mend->L;
  int tenants = lua_gettop(L);
  bool good = true;
  lua_pushnil(L);
  while (good && lua_next(L, tenants) != 0) {
    bool is_tenant = lua_istable(L, -1) && lua_type(L, -2) == LUA_TNUMBER; /* not in an object */
    good = is_tenant ? mend_tenant(mend) : mend_value(mend, tenants);
    lua_pop(L, 1);
  }
  return good;
}

/* Gives the customer on top of the stack an empty list of tenants, if it has none, and marks the
 * list as one. */
static void complete_tenants(const struct mend *mend) {
  lua_State *L = mend->L;
  int customer = lua_gettop(L);
  lua_pushvalue(L, mend->keys + KEY_TENANTS);
  lua_rawget(L, customer);
  if (lua_isnil(L, -1)) {
    lua_newtable(L);
    lua_pushvalue(L, mend->keys + KEY_TENANTS);
    lua_pushvalue(L, -2);
    lua_rawset(L, customer);
  }
  if (lua_istable(L, mend->array_mt) && lua_istable(L, -1)) {
    lua_pushvalue(L, mend->array_mt);
    lua_setmetatable(L, -2);
  }
  lua_settop(L, customer);
}

/* Mends all fields of the customer on top of the stack. */
static bool mend_fields(struct mend *mend) {
  lua_State *L = mend->L;
  int customer = lua_gettop(L);
  bool good = true;
  lua_pushnil(L);
  while (good && lua_next(L, customer) != 0) {
    if (lua_type(L, -1) != LUA_TSTRING) {
      bool is_tenants = lua_istable(L, -1) && lua_type(L, -2) == LUA_TSTRING &&
                        lua_tostring(L, -2) == mend->tenants;
      good = is_tenants ? mend_tenants(mend) : mend_value(mend, customer);
    }
    lua_pop(L, 1);
  }
  return good;
}

/* Mends the fields of the customer on top of the stack that may be null, or that may be numbers. */
static bool mend_documented(struct mend *mend) {
  lua_State *L = mend->L;
  int customer = lua_gettop(L);
  bool good = true;
  int key;
  for (key = mend->first; good && key <= KEY_MODE; key++) {
    lua_pushvalue(L, mend->keys + key);
    lua_pushvalue(L, -1);
    lua_rawget(L, customer);
    if (!lua_isnil(L, -1) && !lua_istable(L, -1)) good = mend_value(mend, customer);
    lua_settop(L, customer);
  }
  return good;
}

bool mend_customer(struct mend *mend) {
  if (!(mend->quick ? mend_documented(mend) : mend_fields(mend))) return false;
  mend_status(mend);
  complete_tenants(mend);
  return true;
}

/* the ways over the rows -----------------------------------------------------------------------*/

/* Pushes key `key` and returns its text's address. */
static const char *push_key(lua_State *L, int key) {
  lua_pushstring(L, key_names[key]);
  return lua_tostring(L, -1);
}

void mend_begin(struct mend *mend, lua_State *L, int state, struct avp_err *err) {
  const char *text[KEYS];
  int key;
  memset(mend, 0, sizeof *mend);
  mend->L = L;
  mend->err = err;
  error_check_stack(L, KEYS + 30);
  mend->keys = lua_gettop(L) + 1;
  for (key = 0; key < KEYS; key++) text[key] = push_key(L, key);
  mend->tenants = text[KEY_TENANTS];
  mend->old_id = text[KEY_OLD_ID];
  mend->old_name = text[KEY_OLD_NAME];
  lua_getfield(L, state, "array_mt");
  lua_getfield(L, state, "status_codes");
  lua_getfield(L, state, "status_names");
  mend->array_mt = mend->keys + KEYS;
  mend->codes = mend->array_mt + 1;
  mend->names = mend->array_mt + 2;
}

void mend_choose_way(struct mend *mend, const struct avp_tally *tally) {
  mend->quick = tally->odd_keys == 0;
  mend->first = tally->nulls > 0 ? 0 : KEY_STATUS;
}

bool mend_has_missed(struct mend *mend, const struct avp_tally *tally) {
  bool missed = mend->quick && mend->mended != tally->nulls + tally->numbers;
  mend->quick = false;
  return missed;
}
