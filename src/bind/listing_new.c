/* listing_new.c - makes a listing from its settings; see listing.h.
 *
 * Settings are those of lua/avepoint/settings.lua; what they leave out is the client's, or with
 * `resume` the position's. The functions below take them at stack index 2.
 * SPDX-License-Identifier: MIT */
#include "error.h"
#include "listing.h"
#include "settings.h"

#define PAGE_MAX 1000000000 /* largest number and size of a page that the core takes */

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
    if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "avepoint: a customer's id is not a text");
    text = lua_tolstring(L, -1, &len);
    id = avp_idset_id(listing->asked, text, len);
    if (!avp_idset_reserve(listing->asked, &id, 1)) return false;
    if (avp_idset_get(listing->asked, &id).era == 0) {
      listing->filter_hash += avp_position_hash(text, len); /* in whatever order they are given */
    }
    avp_idset_put(listing->asked, &id, &there);
    lua_pop(L, 1);
  }
  return true;
}

/* Reads `customer_ids`. False when memory is out. */
static bool read_customer_ids(lua_State *L, struct listing *listing) {
  bool done = true;
  settings_push(L, 2, "customer_ids");
  if (lua_istable(L, -1)) {
    done = note_asked(L, listing);
  } else if (!lua_isnil(L, -1)) {
    luaL_error(L, "avepoint: the setting customer_ids is not a list");
  }
  lua_pop(L, 1);
  return done;
}

/* Keeps the string on top of the stack alive as long as the listing, and returns it. */
static const char *keep(lua_State *L, const char *text) {
  lua_rawgeti(L, LISTING_OWN, LISTING_TEXTS);
  lua_insert(L, -2);
  lua_rawseti(L, -2, (int)lua_rawlen(L, -2) + 1);
  lua_pop(L, 1);
  return text;
}

static const char *keep_text(lua_State *L, const char *name) {
  return keep(L, settings_text(L, 2, name));
}

/* Reads the path of one form of the list, and fills its source. Returns the path, or NULL if the
 * list is not served so. */
static const char *read_path(lua_State *L, const struct listing *listing, const char *name,
                             struct avp_source *source) {
  const char *path = keep_text(L, name);
  if (path == NULL) return NULL;
  source->url = client_push_url(L, listing->client, path, name, source->body != NULL);
  keep(L, source->url);
  source->query = keep_text(L, "query");
  source->page_param = "pageIndex";
  source->size_param = "pageSize";
  return path;
}

/* Reads what the list is and what its replies look like. */
static void read_description(lua_State *L, struct listing *listing) {
  struct listing_form *form = &listing->form;
  listing->batch.body = keep_text(L, "body");
  listing->get_path = read_path(L, listing, "get_path", &listing->get);
  if (listing->batch.body != NULL) read_path(L, listing, "batch_path", &listing->batch);
  listing->batch_size_max = settings_whole(L, 2, "batch_size_max", PAGE_MAX, PAGE_MAX);
  form->items = keep(L, settings_need_text(L, 2, "items"));
  form->metadata = keep(L, settings_need_text(L, 2, "metadata"));
  form->id = keep_text(L, "id");
  form->customers = settings_has(L, 2, "customers");
  form->raw = settings_has(L, 2, "raw");
}

/* Reads what positions know another list than the customers' by. */
static void read_identity(lua_State *L, struct listing *listing) {
  const char *text = settings_text(L, 2, "identity");
  if (text != NULL) listing->filter_hash = avp_position_hash(text, strlen(text));
  lua_pop(L, 1);
}

/* Reads `endpoint`. Returns what is wrong, or NULL. */
static const char *read_endpoint(lua_State *L, struct listing *listing) {
  enum avp_endpoint endpoint = settings_endpoint(L, 2, listing->client->endpoint);
  if (listing->asked != NULL && endpoint == AVP_ENDPOINT_GET) {
    return "option 'customer_ids' needs endpoint 'batch', not 'get'";
  }
  if (listing->asked != NULL) endpoint = AVP_ENDPOINT_BATCH;
  listing->endpoint = endpoint;
  if ((endpoint != AVP_ENDPOINT_BATCH && listing->get.url == NULL) ||
      (endpoint != AVP_ENDPOINT_GET && listing->batch.url == NULL)) {
    luaL_error(L, "avepoint: the setting endpoint is one that this list does not have");
  }
  return NULL;
}

/* Reads `resume` and `page_size`. Returns what is wrong, which may lie on the stack, or NULL. */
static const char *read_resume(lua_State *L, struct listing *listing) {
  const char *text = settings_text(L, 2, "resume");
  struct avp_position *p = &listing->page_start;
  enum avp_endpoint given = settings_endpoint(L, 2, AVP_ENDPOINT_AUTO);
  if (text != NULL && !avp_position_read(p, text, strlen(text))) {
    return "option 'resume' is not a position (see listing:position())";
  }
  listing->page_size_asked =
      settings_whole(L, 2, "page_size", PAGE_MAX, text != NULL ? p->page_size : 0);
  if (text == NULL) return NULL;
  if (given != AVP_ENDPOINT_AUTO && p->endpoint != AVP_ENDPOINT_AUTO && given != p->endpoint) {
    return "option 'resume' was taken with another endpoint";
  }
  if (p->filter != listing->filter_hash) {
    return listing->form.customers
               ? "option 'resume' was taken with other customer_ids"
               : "option 'resume' was taken of another list: method, path, query or body differ";
  }
  if (p->endpoint != AVP_ENDPOINT_AUTO) listing->endpoint = p->endpoint;
  if (reader_page_size(listing, p->endpoint) != p->page_size) {
    return lua_pushfstring(L, "option 'resume' was taken with page_size %d", (int)p->page_size);
  }
  return NULL;
}

static void prepare_drift(lua_State *L, struct listing *listing) {
  static const char *const words[] = {"repair", "strict", "error", "ignore", NULL};
  enum avp_drift_mode mode = (enum avp_drift_mode)settings_word(L, 2, "drift", words, -1);
  int concurrency = listing->client->requests->settings.concurrency;
  int width = (int)settings_whole(L, 2, "concurrency", AVP_WIDTH_MAX, concurrency);
  long first = settings_whole(L, 2, "first_page", PAGE_MAX, 1);
  struct avp_position *start = &listing->page_start;
  bool resumed = start->page > 0;
  if (listing->form.id == NULL && mode != AVP_DRIFT_IGNORE) {
    luaL_error(L, "avepoint: the setting drift needs rows with an id");
  }
  if (!resumed) {
    start->page = first;
    start->firm = true;
  } else if (mode != AVP_DRIFT_IGNORE) {
    mode = AVP_DRIFT_ERROR; /* what was given out before is not known: nothing can be repaired */
  }
  avp_drift_init(&listing->drift, mode, start->page, listing->page_size_asked, width, resumed);
  listing->drift.without_ids = listing->form.id == NULL;
}

static bool prepare(lua_State *L, struct listing *listing) {
  prepare_drift(L, listing);
  avp_pager_init(&listing->pager, listing->client->requests);
  reader_choose_endpoint(listing);
  listing->deadline_ms = settings_ms(L, 2, "deadline", listing->client->deadline_ms);
  if (listing->drift.mode == AVP_DRIFT_IGNORE) return true;
  listing->ids = avp_idset_new();
  if (listing->ids != NULL && listing->asked != NULL) {
    listing->ids->key = listing->asked->key; /* so that one form of an id serves both */
  }
  return listing->ids != NULL;
}

/* Pushes the userdata's own table: all its places are taken now, so that filling them later cannot
 * fail. */
static void push_own_table(lua_State *L) {
  int i;
  lua_createtable(L, LISTING_SLOTS, 0);
  for (i = 1; i <= LISTING_SLOTS; i++) {
    lua_newtable(L);
    lua_rawseti(L, -2, i);
  }
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, LISTING_CLIENT);
}

int core_listing(lua_State *L) {
  struct client *client = to_client(L, 1);
  struct listing *listing;
  const char *wrong;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  push_own_table(L); /* at LISTING_OWN */
  listing = lua_newuserdata(L, sizeof *listing);
  memset(listing, 0, sizeof *listing);
  luaL_setmetatable(L, AVP_LISTING_NAME);
  lua_pushvalue(L, LISTING_OWN);
  lua_setuservalue(L, -2);
  if (client_is_closed(client)) return client_refuse_closed(L);
  listing->client = client;
  if (!read_customer_ids(L, listing)) return error_raise_memory(L);
  read_description(L, listing);
  read_identity(L, listing);
  wrong = read_endpoint(L, listing);
  if (wrong == NULL) wrong = read_resume(L, listing);
  if (wrong != NULL) {
    lua_pushnil(L);
    lua_pushstring(L, wrong);
    return 2;
  }
  if (!prepare(L, listing)) return error_raise_memory(L);
  lua_pushvalue(L, LISTING_OWN + 1);
  return 1;
}
