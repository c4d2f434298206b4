/* listing_options.c - a listing is made from its options; see listing.h.
 *
 * SPDX-License-Identifier: MIT */
#include "config.h"
#include "error.h"
#include "listing.h"

#define WHAT "client:customers"

static const char *const drift_words[] = {"repair", "strict", "error", "ignore", NULL};

const struct option listing_options[] = {
    {"page_size", OPTION_INTEGER, 1, 1000, NULL},
    {"first_page", OPTION_INTEGER, 1, 1000000000, NULL},
    {"resume", OPTION_STRING, 0, 0, NULL},
    {"concurrency", OPTION_INTEGER, 1, AVP_WIDTH_MAX, NULL},
    {"deadline", OPTION_SECONDS, 0, 0, NULL},
    {"endpoint", OPTION_WORD, 0, 0, endpoint_words},
    {"customer_ids", OPTION_LIST, 0, 0, NULL},
    {"drift", OPTION_WORD, 0, 0, drift_words},
    {"on_progress", OPTION_FUNCTION, 0, 0, NULL},
    {"raw", OPTION_BOOLEAN, 0, 0, NULL},
    {NULL, OPTION_STRING, 0, 0, NULL},
};

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
  const struct avp_mark there = {1, 0};
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
    if (avp_idset_get(listing->asked, &id).era == 0) {
      listing->filter_hash += avp_position_hash(text, len); /* in whatever order they are given */
    }
    avp_idset_put(listing->asked, &id, &there);
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
  if (avp_endpoint_page_size(p->endpoint, listing->page_size_asked) != p->page_size) {
    options_error(L, level, WHAT, "option 'resume' was taken with page_size %d", (int)p->page_size);
  }
}

static void prepare_drift(lua_State *L, struct listing *listing) {
  enum avp_drift_mode mode = (enum avp_drift_mode)options_word(L, 2, "drift", drift_words, 0);
  int width = (int)options_integer(L, 2, "concurrency", listing->client->concurrency);
  long first = options_integer(L, 2, "first_page", 1);
  bool resumed = listing->resume.page > 0;
  if (resumed) {
    first = listing->resume.page;
    /* what was yielded before the position is not known: nothing can be repaired */
    if (mode != AVP_DRIFT_IGNORE) mode = AVP_DRIFT_ERROR;
    listing->page_start = listing->resume;
  }
  listing->page_start.page = first;
  avp_drift_init(&listing->drift, mode, first, listing->page_size_asked, width, resumed);
}

static bool prepare(lua_State *L, struct listing *listing) {
  enum avp_endpoint first = listing->endpoint;
  if (first == AVP_ENDPOINT_AUTO) {
    first = listing->client->proven == AVP_ENDPOINT_BATCH ? AVP_ENDPOINT_BATCH : AVP_ENDPOINT_GET;
  }
  prepare_drift(L, listing);
  avp_pager_init(&listing->pager, listing->client->requests);
  reader_use(listing, first);
  listing->deadline_ms = options_ms(L, 2, "deadline", listing->client->deadline_ms);
  listing->raw = options_boolean(L, 2, "raw");
  listing->need = -1;
  if (listing->drift.mode == AVP_DRIFT_IGNORE) return true;
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

void listing_functions(lua_State *L) {
  lua_pushcfunction(L, core_listing);
  lua_setfield(L, -2, "listing");
  lua_pushcfunction(L, core_check_listing);
  lua_setfield(L, -2, "check_listing");
}
