/* listing.c - what Lua can call of a listing; see listing.h.
 *
 * Functions that may have to wait never do: they return nil, nil and a word instead. "wait": step
 * the client when it is ready, then call again; "again": call again after the host had its turn.
 * An error is nil and the error object. lua/avepoint/pump.lua turns that into plain calls.
 *
 * SPDX-License-Identifier: MIT */
#include "listing.h"

#include "../core/sys.h"
#include "config.h"
#include "error.h"

#define WHAT "client:customers"

static const char *const drift_words[] = {"repair", "strict", "error", "ignore", NULL};

const struct option listing_options[] = {
    {"page_size", OPTION_INTEGER, 1, 1000, NULL},
    {"first_page", OPTION_INTEGER, 1, 1000000000, NULL},
    {"max_items", OPTION_INTEGER, 0, 2000000000, NULL},
    {"resume", OPTION_STRING, 0, 0, NULL},
    {"concurrency", OPTION_INTEGER, 1, AVP_WINDOW_MAX, NULL},
    {"deadline", OPTION_SECONDS, 0, 0, NULL},
    {"endpoint", OPTION_WORD, 0, 0, endpoint_words},
    {"customer_ids", OPTION_LIST, 0, 0, NULL},
    {"drift", OPTION_WORD, 0, 0, drift_words},
    {"on_progress", OPTION_FUNCTION, 0, 0, NULL},
    {"raw", OPTION_BOOLEAN, 0, 0, NULL},
    {NULL, OPTION_STRING, 0, 0, NULL},
};

static struct listing *to_listing(lua_State *L) {
  struct listing *listing = luaL_checkudata(L, 1, AVP_LISTING_NAME);
  lua_settop(L, lua_gettop(L) < 2 ? 2 : lua_gettop(L));
  return listing;
}

/* A turn runs Lua, and with it any object's finalizer: what it holds must outlive the turn. */
static void free_memory(struct listing *listing) {
  if (listing->turning) return;
  avp_pager_close(&listing->pager);
  avp_idset_free(listing->ids);
  avp_idset_free(listing->asked);
  listing->ids = listing->asked = NULL;
}

/* Lua: listing:close(); also __gc. Idempotent, never raises. */
static int listing_close(lua_State *L) {
  struct listing *listing = to_listing(L);
  if (listing->ended_at == 0) listing->ended_at = avp_sys_now_ms();
  listing->closed = true;
  free_memory(listing);
  return 0;
}

/* Pushes a list of what lies at 1, 2, ... of the table: other keys would make it an object. */
static void push_plain_list(lua_State *L, int list) {
  int n = (int)lua_rawlen(L, list);
  int i;
  lua_createtable(L, n, 0);
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, list, i);
    lua_rawseti(L, -2, i);
  }
}

/* Builds the batch's body from the list on top of the stack: {"customerIds": [...]}. */
static void make_body(lua_State *L, int own) {
  int list = lua_gettop(L);
  lua_rawgeti(L, own, LISTING_STATE);
  lua_getfield(L, -1, "encode");
  lua_createtable(L, 0, 1);
  push_plain_list(L, list);
  lua_setfield(L, -2, "customerIds");
  lua_call(L, 1, 1);
  lua_rawseti(L, own, LISTING_BODY);
  lua_settop(L, list);
}

/* Notes the ids that are asked for; the list is on top of the stack. */
static bool note_asked(lua_State *L, struct listing *listing) {
  size_t n = lua_rawlen(L, -1);
  size_t i;
  listing->asked = avp_idset_new();
  if (listing->asked == NULL) return false;
  for (i = 1; i <= n; i++) {
    struct avp_id id;
    size_t len;
    const char *text;
    lua_rawgeti(L, -1, (int)i);
    text = lua_tolstring(L, -1, &len);
    id = avp_idset_id(listing->asked, text, len);
    if (!avp_idset_reserve(listing->asked, &id)) return false;
    if (avp_idset_add(listing->asked, &id, 1) == AVP_IDSET_NEW) {
      listing->filter_hash += avp_position_hash(text, len); /* in whatever order they are given */
    }
    lua_pop(L, 1);
  }
  return true;
}

static bool read_customer_ids(lua_State *L, struct listing *listing, int own) {
  bool done = true;
  lua_pushliteral(L, "{}");
  lua_rawseti(L, own, LISTING_BODY);
  options_push(L, 2, "customer_ids");
  if (lua_istable(L, -1)) {
    make_body(L, own);
    done = note_asked(L, listing);
  }
  lua_rawgeti(L, own, LISTING_BODY);
  listing->body = lua_tostring(L, -1);
  lua_pop(L, 2);
  return done;
}

static void read_endpoint(lua_State *L, struct listing *listing, int level) {
  int given = options_word(L, 2, "endpoint", endpoint_words, -1);
  listing->endpoint = given >= 0 ? (enum avp_endpoint)given : listing->client->endpoint;
  if (options_has(L, 2, "customer_ids")) {
    if (listing->endpoint == AVP_ENDPOINT_GET) {
      options_error(L, level, WHAT, "option 'customer_ids' needs endpoint 'batch', not 'get'");
    }
    listing->endpoint = AVP_ENDPOINT_BATCH;
  }
}

static void read_resume(lua_State *L, struct listing *listing, int level) {
  const char *text = options_string(L, 2, "resume", NULL);
  struct avp_position *p = &listing->resume;
  int given = options_word(L, 2, "endpoint", endpoint_words, AVP_ENDPOINT_AUTO);
  if (text == NULL) return;
  if (!avp_position_read(p, text, strlen(text))) {
    options_error(L, level, WHAT, "option 'resume' is not a position (see listing:position())");
  }
  if (options_has(L, 2, "first_page")) {
    options_error(L, level, WHAT, "options 'resume' and 'first_page' exclude each other");
  }
  if (given != AVP_ENDPOINT_AUTO && p->endpoint != AVP_ENDPOINT_AUTO &&
      (enum avp_endpoint)given != p->endpoint) {
    options_error(L, level, WHAT, "option 'resume' was taken with another endpoint");
  }
  if (p->filter != listing->filter_hash) {
    options_error(L, level, WHAT, "option 'resume' was taken with other customer_ids");
  }
  if (p->endpoint != AVP_ENDPOINT_AUTO) listing->endpoint = p->endpoint;
  if (!options_has(L, 2, "page_size")) listing->page_size_asked = p->page_size;
  if (avp_customers_page_size(p->endpoint, listing->page_size_asked) != p->page_size) {
    options_error(L, level, WHAT, "option 'resume' was taken with page_size %d", (int)p->page_size);
  }
}

static void prepare_sweep(lua_State *L, struct listing *listing) {
  enum avp_drift drift = (enum avp_drift)options_word(L, 2, "drift", drift_words, 0);
  long first = options_integer(L, 2, "first_page", 1);
  if (listing->resume.page > 0) {
    first = listing->resume.page;
    /* what was yielded before the position is not known: nothing can be repaired */
    if (drift != AVP_DRIFT_IGNORE) drift = AVP_DRIFT_ERROR;
    listing->before = listing->resume;
  }
  listing->before.page = first;
  avp_sweep_init(&listing->sweep, drift, first, listing->page_size_asked);
  listing->sweep.skipped = listing->resume.offset;
  listing->sweep.resumed = listing->resume.page > 0;
}

static bool prepare(lua_State *L, struct listing *listing) {
  enum avp_endpoint first = listing->endpoint;
  struct avp_source none = {NULL, NULL, NULL, NULL};
  int window = (int)options_integer(L, 2, "concurrency", listing->client->concurrency);
  if (first == AVP_ENDPOINT_AUTO) {
    first = listing->client->proven == AVP_ENDPOINT_BATCH ? AVP_ENDPOINT_BATCH : AVP_ENDPOINT_GET;
  }
  prepare_sweep(L, listing);
  avp_pager_init(&listing->pager, listing->client->dispatcher, &none, listing->page_size_asked,
                 window);
  reader_use(listing, first);
  avp_pager_seek(&listing->pager, listing->sweep.first_page);
  listing->deadline_ms = options_ms(L, 2, "deadline", listing->client->deadline_ms);
  listing->max_items = options_integer(L, 2, "max_items", -1);
  listing->raw = options_boolean(L, 2, "raw");
  listing->need = -1;
  if (listing->sweep.drift == AVP_DRIFT_IGNORE) return true;
  listing->ids = avp_idset_new();
  if (listing->ids != NULL && listing->asked != NULL) {
    listing->ids->key = listing->asked->key; /* so that one form of an id serves both */
  }
  return listing->ids != NULL;
}

/* The userdata's own table: all its places are taken now, so that filling them later cannot
 * fail. Left on top of the stack. */
static int make_own_table(lua_State *L, int client) {
  int i;
  lua_createtable(L, LISTING_SLOTS, 0);
  for (i = 1; i <= LISTING_SLOTS; i++) {
    lua_pushboolean(L, 0);
    lua_rawseti(L, -2, i);
  }
  lua_pushvalue(L, client);
  lua_rawseti(L, -2, LISTING_CLIENT);
  avp_getuservalue(L, client);
  lua_rawseti(L, -2, LISTING_STATE);
  lua_newtable(L);
  lua_rawseti(L, -2, LISTING_ROWS);
  lua_newtable(L);
  lua_rawseti(L, -2, LISTING_METADATA);
  lua_pushvalue(L, -1);
  avp_setuservalue(L, -3);
  return lua_gettop(L);
}

/* Raises where the options at `index` are not those of a listing. */
static void check_options(lua_State *L, int index, int level) {
  struct option_hint hint;
  hint.others = client_options;
  hint.advice = "option '%s' is the client's: avepoint.client { %s = ... }:customers()";
  options_check(L, index, listing_options, WHAT, level, &hint);
}

/* Lua: core.check_listing(options, level): raises where the options are not those of a listing */
static int core_check_listing(lua_State *L) {
  check_options(L, 1, (int)luaL_checkinteger(L, 2));
  return 0;
}

/* Lua: core.listing(client, options, level) -> listing userdata */
static int core_listing(lua_State *L) {
  int level = (int)luaL_checkinteger(L, 3);
  struct listing *listing;
  int own;
  if (luaL_testudata(L, 1, AVP_CLIENT_NAME) == NULL) {
    options_error(L, level, WHAT, "is a method: write client:customers(options)");
  }
  check_options(L, 2, level);
  listing = avp_newuserdata(L, sizeof *listing);
  memset(listing, 0, sizeof *listing);
  luaL_setmetatable(L, AVP_LISTING_NAME);
  own = make_own_table(L, 1);
  listing->client = check_client(L, 1, level);
  listing->page_size_asked = options_integer(L, 2, "page_size", 100);
  read_endpoint(L, listing, level);
  if (!read_customer_ids(L, listing, own)) return error_raise_memory(L);
  read_resume(L, listing, level);
  if (!prepare(L, listing)) return error_raise_memory(L);
  lua_pushvalue(L, own - 1);
  return 1;
}

/* Pushes the rows of the page that are left. They count as given only when all of them are in the
 * list: memory may run out before. */
static void push_rest(lua_State *L, struct listing *listing, int own) {
  size_t i;
  int64_t n = 0;
  lua_newtable(L);
  lua_rawgeti(L, own, LISTING_ROWS);
  for (i = listing->index; i < listing->rows; i++) {
    if (listing->max_items >= 0 && listing->yielded + n >= listing->max_items) break;
    lua_rawgeti(L, -1, (int)i + 1);
    if (lua_istable(L, -1)) {
      lua_rawseti(L, -3, (int)++n);
    } else {
      lua_pop(L, 1);
    }
  }
  lua_pop(L, 1);
  listing->index = i;
  listing->yielded += n;
}

/* Lua, called protected: turn(listing, own, whole page) -> enum turn [, error object or list] */
static int turn_protected(lua_State *L) {
  struct listing *listing = lua_touserdata(L, 1);
  enum turn turn = reader_turn(L, listing, 2);
  if (turn == TURN_ROWS && lua_toboolean(L, 3)) {
    push_rest(L, listing, 2);
  } else if (turn != TURN_ERROR) {
    lua_pushnil(L);
  }
  lua_pushinteger(L, turn);
  lua_insert(L, -2);
  return 2;
}

static enum turn closed_error(lua_State *L, const char *what) {
  struct avp_err err;
  avp_err_set(&err, AVP_ERR_CLOSED, "%s", what);
  error_push(L, &err, NULL);
  return TURN_ERROR;
}

/* Turns until a row is there, under protection: running out of memory must come out as an error
 * object and leave the listing as it was. Leaves one value: an error object, the list of the
 * page's rows where they are asked for, else nil. */
static enum turn turn_safely(lua_State *L, struct listing *listing, int own, bool page) {
  enum turn turn;
  int result;
  if (listing->turning) luaL_error(L, "avepoint: this listing is busy: a finalizer uses it");
  lua_pushcfunction(L, turn_protected);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, own);
  lua_pushboolean(L, page);
  listing->turning = true;
  result = lua_pcall(L, 3, 2, 0);
  listing->turning = false;
  if (listing->closed) { /* by a finalizer, meanwhile */
    free_memory(listing);
    return closed_error(L, "the listing is closed");
  }
  if (result == LUA_ERRMEM) {
    error_push_memory(L);
    return TURN_ERROR;
  }
  if (result != 0) lua_error(L);
  turn = (enum turn)lua_tointeger(L, -2);
  lua_remove(L, -2);
  return turn;
}

/* Leaves what a function returns that could not give a value: see the file's header. */
static int no_value(lua_State *L, enum turn turn) {
  if (turn == TURN_ERROR) {
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  lua_pushnil(L);
  if (turn == TURN_END) return 1;
  lua_pushnil(L);
  lua_pushstring(L, turn == TURN_WAIT ? "wait" : "again");
  return 3;
}

/* One turn, unless listing or client is closed. */
static enum turn open_turn(lua_State *L, struct listing *listing, int own, bool page) {
  if (listing->closed) return closed_error(L, "the listing is closed");
  if (!listing->done && client_is_closed(listing->client)) {
    return closed_error(L, "the client of this listing is closed");
  }
  return turn_safely(L, listing, own, page);
}

/* Whether there is a row to give out, after as many turns as go without waiting. Leaves one value,
 * as turn_safely does. */
static enum turn ready_row(lua_State *L, struct listing *listing, int own, bool page) {
  if (!listing->closed && listing->max_items >= 0 && listing->yielded >= listing->max_items) {
    if (!listing->done) reader_finish(listing);
    lua_pushnil(L);
    return TURN_END;
  }
  return open_turn(L, listing, own, page);
}

static int own_table(lua_State *L) {
  avp_getuservalue(L, 1);
  return lua_gettop(L);
}

/* Lua: listing:ready() -> true where a customer can be given out, or as no_value says */
static int listing_ready(lua_State *L) {
  struct listing *listing = to_listing(L);
  int own = own_table(L);
  enum turn turn = ready_row(L, listing, own, false);
  if (turn != TURN_ROWS) return no_value(L, turn);
  lua_pushboolean(L, 1);
  return 1;
}

/* Lua: listing:next() -> customer, or as no_value says. Nothing after the row counts as given may
 * need memory. */
static int listing_next(lua_State *L) {
  struct listing *listing = to_listing(L);
  int own = own_table(L);
  enum turn turn = ready_row(L, listing, own, false);
  if (turn != TURN_ROWS) return no_value(L, turn);
  listing->pulled++;
  if (listing->pulled == 2 || listing->index == 0) reader_look_ahead(listing);
  lua_rawgeti(L, own, LISTING_ROWS);
  lua_rawgeti(L, -1, (int)++listing->index);
  listing->yielded++;
  if (listing->need > 0) listing->need--;
  return 1;
}

/* Lua: listing:page() -> list of the page's remaining customers, metadata; or as no_value says */
static int listing_page(lua_State *L) {
  struct listing *listing = to_listing(L);
  int own = own_table(L);
  enum turn turn = ready_row(L, listing, own, true);
  if (turn != TURN_ROWS) return no_value(L, turn);
  listing->pulled += 2; /* whoever reads by pages wants the next one too */
  reader_look_ahead(listing);
  lua_rawgeti(L, own, LISTING_METADATA);
  return 2;
}

/* Lua: listing:metadata() -> that of the current page */
static int listing_metadata(lua_State *L) {
  (void)to_listing(L);
  lua_rawgeti(L, own_table(L), LISTING_METADATA);
  return 1;
}

/* Lua: listing:total() -> the server's count or nil, true; or as no_value says */
static int listing_total(lua_State *L) {
  struct listing *listing = to_listing(L);
  int own = own_table(L);
  if (listing->page == 0 || listing->closed) {
    enum turn turn = open_turn(L, listing, own, false);
    bool known = turn == TURN_ROWS || turn == TURN_END || listing->page != 0;
    if (!known || listing->closed) return no_value(L, turn);
  }
  if (listing->has_total) {
    avp_pushwhole(L, (double)listing->total);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

static void check_open(lua_State *L, const struct listing *listing) {
  if (!listing->closed) return;
  (void)closed_error(L, "the listing is closed");
  lua_error(L);
}

/* How many rows of the page lie behind the place that is `back` given-out rows back. */
static int rows_back(lua_State *L, const struct listing *listing, int back) {
  size_t i = listing->index;
  avp_getuservalue(L, 1);
  lua_rawgeti(L, -1, LISTING_ROWS);
  while (back > 0 && i > 0) {
    lua_rawgeti(L, -1, (int)i--);
    if (lua_istable(L, -1)) back--;
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
  return (int)(listing->index - i);
}

/* Lua: listing:position(back) -> string; `back` rows given out count as not given */
static int listing_position(lua_State *L) {
  struct listing *listing = to_listing(L);
  char position[AVP_POSITION_SIZE];
  check_open(L, listing);
  reader_position(listing, rows_back(L, listing, (int)luaL_optinteger(L, 2, 0)), position);
  lua_pushstring(L, position);
  return 1;
}

static void set_number(lua_State *L, const char *field, double n) {
  avp_pushwhole(L, n);
  lua_setfield(L, -2, field);
}

static double seconds_of(const struct listing *listing) {
  int64_t end = listing->ended_at != 0 ? listing->ended_at : avp_sys_now_ms();
  return listing->started ? (double)(end - listing->started_at) / 1000 : 0;
}

/* Lua: listing:stats() -> table */
static int listing_stats(lua_State *L) {
  const struct listing *listing = to_listing(L);
  check_open(L, listing);
  lua_createtable(L, 0, 8);
  set_number(L, "requests", (double)listing->pager.stats.requests);
  set_number(L, "retries", (double)listing->pager.stats.retries);
  set_number(L, "pages", (double)listing->pages_read);
  set_number(L, "bytes", listing->pager.stats.bytes);
  lua_pushnumber(L, seconds_of(listing));
  lua_setfield(L, -2, "seconds");
  set_number(L, "sweeps", listing->sweep.number);
  set_number(L, "missing", (double)listing->sweep.missing);
  return 1;
}

/* Lua: listing:progress() -> given out, total or nil, page (0 before the first), "open", "done" or
 * "closed", pages read, customers received */
static int listing_progress(lua_State *L) {
  const struct listing *listing = to_listing(L);
  avp_pushwhole(L, (double)listing->yielded);
  if (listing->has_total) {
    avp_pushwhole(L, (double)listing->total);
  } else {
    lua_pushnil(L);
  }
  avp_pushwhole(L, (double)listing->page);
  lua_pushstring(L, listing->closed || client_is_closed(listing->client) ? "closed"
                    : listing->done                                      ? "done"
                                                                         : "open");
  avp_pushwhole(L, (double)listing->pages_read);
  avp_pushwhole(L, (double)listing->received);
  return 6;
}

/* Lua: listing:need(n): no more than n customers will be pulled from here on; nil: unknown */
static int listing_need(lua_State *L) {
  struct listing *listing = to_listing(L);
  listing->need = lua_isnoneornil(L, 2) ? -1 : (int64_t)luaL_checknumber(L, 2);
  return 0;
}

/* Lua: listing:cancel(): ends what is in flight and drops pages that wait */
static int listing_cancel(lua_State *L) {
  struct listing *listing = to_listing(L);
  if (!listing->closed && !listing->done && !listing->turning) avp_pager_cancel(&listing->pager);
  return 0;
}

static const luaL_Reg methods[] = {
    {"ready", listing_ready},       {"next", listing_next},   {"page", listing_page},
    {"metadata", listing_metadata}, {"total", listing_total}, {"position", listing_position},
    {"stats", listing_stats},       {"need", listing_need},   {"progress", listing_progress},
    {"cancel", listing_cancel},     {"close", listing_close}, {NULL, NULL},
};

void listing_open(lua_State *L) {
  luaL_newmetatable(L, AVP_LISTING_NAME);
  lua_pushcfunction(L, listing_close);
  lua_setfield(L, -2, "__gc");
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void listing_functions(lua_State *L) {
  lua_pushcfunction(L, core_listing);
  lua_setfield(L, -2, "listing");
  lua_pushcfunction(L, core_check_listing);
  lua_setfield(L, -2, "check_listing");
}
