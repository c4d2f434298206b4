/* listing.c - what Lua can call of a listing; see listing.h.
 *
 * Functions that may have to wait never do: they return nil, nil and a word instead. "wait": step
 * the client when it is ready, then call again; "again": call again after the host had its turn.
 * An error is nil and the error object. lua/avepoint/pump.lua turns that into plain calls.
 * SPDX-License-Identifier: MIT */
#include "listing.h"

#include "../core/ground/sys.h"
#include "class.h"
#include "error.h"
#include "fields.h"

#define NEED_MAX 9e18 /* what an int64_t can hold, and no list */

/* The listing at stack index 1. Leaves an argument, and the own table at LISTING_OWN. */
static struct listing *to_listing(lua_State *L) {
  struct listing *listing = luaL_checkudata(L, 1, AVP_LISTING_NAME);
  lua_settop(L, 2);
  lua_getuservalue(L, 1);
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

/* Pushes the rows of the page that are left. They count as given only when all of them are in the
 * list: memory may run out before. */
static void push_rest(lua_State *L, struct listing *listing) {
  struct listing_page *page = &listing->page;
  size_t i;
  int n = 0;
  lua_newtable(L);
  lua_rawgeti(L, LISTING_OWN, LISTING_ROWS);
  for (i = page->index; i < page->rows; i++) {
    lua_rawgeti(L, -1, (int)i + 1);
    if (lua_istable(L, -1)) {
      lua_rawseti(L, -3, ++n);
    } else {
      lua_pop(L, 1);
    }
  }
  lua_pop(L, 1);
  page->index = i;
  listing->yielded += n;
}

/* Lua, called protected: turn(listing, whole page, own) -> error object, list, row or nil */
static int turn_protected(lua_State *L) {
  struct listing *listing = lua_touserdata(L, 1);
  /* a finalizer may have closed it since take_turn looked */
  listing->turn = listing->closed ? TURN_END : reader_turn(L, listing);
  if (listing->turn == TURN_ERROR) return 1;
  if (listing->turn != TURN_ROWS) return 0;
  if (lua_toboolean(L, 2)) push_rest(L, listing);
  return 1;
}

static enum turn closed_error(lua_State *L, const char *what) {
  error_push_text(L, AVP_ERR_CLOSED, what);
  return TURN_ERROR;
}

/* One turn, under protection: running out of memory must come out as an error object and leave the
 * listing as it was. Leaves one value: an error object, the next row or, if the whole page is asked
 * for, the list of its rows; else nil. */
static enum turn take_turn(lua_State *L, struct listing *listing, bool whole_page) {
  int result;
  if (listing->closed) return closed_error(L, "the listing is closed");
  if (!listing->done && client_is_closed(listing->client)) {
    return closed_error(L, "the client of this listing is closed");
  }
  if (listing->turning) luaL_error(L, "avepoint: this listing is busy: a finalizer uses it");
  lua_pushcfunction(L, turn_protected);
  lua_pushvalue(L, 1);
  lua_pushboolean(L, whole_page);
  lua_pushvalue(L, LISTING_OWN);
  listing->turning = true;
  result = lua_pcall(L, 3, 1, 0);
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
  return listing->turn;
}

/* Leaves what a function returns that could not give a value: see the file's header. */
static int no_value(lua_State *L, enum turn turn) {
  lua_pushnil(L);
  if (turn == TURN_ERROR) {
    lua_insert(L, -2);
    return 2;
  }
  if (turn == TURN_END) return 1;
  lua_pushnil(L);
  lua_pushstring(L, turn == TURN_WAIT ? "wait" : "again");
  return 3;
}

/* Pushes a row to give out. If the current page has one, that needs no turn, and no memory. */
static enum turn push_row(lua_State *L, struct listing *listing) {
  bool open = !listing->closed && listing->final.kind == AVP_OK && !listing->turning &&
              (listing->done || !client_is_closed(listing->client));
  if (open && reader_push_row(L, listing)) return TURN_ROWS;
  return take_turn(L, listing, false);
}

/* Lua: listing:ready() -> true if a customer can be given out, or as no_value says */
static int listing_ready(lua_State *L) {
  enum turn turn = push_row(L, to_listing(L));
  if (turn != TURN_ROWS) return no_value(L, turn);
  lua_pushboolean(L, 1);
  return 1;
}

/* As to_listing, for the way of every row: the type's metatable is an upvalue, not looked up. */
static struct listing *to_listing_quickly(lua_State *L) {
  if (!lua_getmetatable(L, 1) || !lua_rawequal(L, -1, lua_upvalueindex(1))) return to_listing(L);
  lua_settop(L, 1);
  lua_pushnil(L);
  lua_getuservalue(L, 1);
  return lua_touserdata(L, 1);
}

/* Lua: listing:next() -> customer, or as no_value says. After the row counts as given nothing may
 * need memory. */
static int listing_next(lua_State *L) {
  struct listing *listing = to_listing_quickly(L);
  enum turn turn = push_row(L, listing);
  if (turn != TURN_ROWS) return no_value(L, turn);
  listing->pulled++;
  reader_look_ahead(listing);
  listing->page.index++;
  listing->yielded++;
  if (listing->need > 0) listing->need--;
  return 1;
}

/* Lua: listing:page() -> list of the page's remaining customers, metadata; or as no_value says */
static int listing_page(lua_State *L) {
  struct listing *listing = to_listing(L);
  enum turn turn;
  listing->need = 0;
  turn = take_turn(L, listing, true);
  if (turn != TURN_ROWS) return no_value(L, turn);
  listing->pulled += 2; /* who reads by pages wants the next one too */
  reader_look_ahead(listing);
  lua_rawgeti(L, LISTING_OWN, LISTING_METADATA);
  return 2;
}

static void push_total(lua_State *L, const struct listing_page *page) {
  if (page->has_total) {
    avp_pushwhole(L, (double)page->total);
  } else {
    lua_pushnil(L);
  }
}

/* Lua: listing:total() -> the server's count or nil; or as no_value says */
static int listing_total(lua_State *L) {
  struct listing *listing = to_listing(L);
  if (listing->page.number == 0 || listing->closed) {
    enum turn turn = take_turn(L, listing, false);
    if (listing->page.number == 0 || listing->closed) return no_value(L, turn);
  }
  push_total(L, &listing->page);
  return 1;
}

/* Lua: listing:position() -> string; also of a closed listing */
static int listing_position(lua_State *L) {
  const struct listing *listing = to_listing(L);
  char position[AVP_POSITION_SIZE];
  reader_position(listing, position);
  lua_pushstring(L, position);
  return 1;
}

static double seconds_of(const struct listing *listing) {
  int64_t end = listing->ended_at != 0 ? listing->ended_at : avp_sys_now_ms();
  return listing->started_at != 0 ? (double)(end - listing->started_at) / 1000 : 0;
}

/* Lua: listing:stats() -> table; also of a closed listing */
static int listing_stats(lua_State *L) {
  const struct listing *listing = to_listing(L);
  lua_createtable(L, 0, 8);
  set_number(L, "requests", (double)listing->pager.stats.requests, -1);
  set_number(L, "retries", (double)listing->pager.stats.retries, -1);
  set_number(L, "pages", (double)listing->pages_read, -1);
  set_number(L, "bytes", listing->pager.stats.bytes, -1);
  set_number(L, "went_back", (double)listing->drift.went_back, -1);
  set_number(L, "readings", listing->drift.reading, -1);
  set_number(L, "missing", (double)listing->drift.missing, -1);
  lua_pushnumber(L, seconds_of(listing));
  lua_setfield(L, -2, "seconds");
  return 1;
}

/* Lua: listing:progress() -> given out, total or nil, page (0 before the first), "open", "done" or
 * "closed", pages read, customers received and those before them */
static int listing_progress(lua_State *L) {
  const struct listing *listing = to_listing(L);
  bool closed = listing->closed || client_is_closed(listing->client);
  avp_pushwhole(L, (double)listing->yielded);
  push_total(L, &listing->page);
  avp_pushwhole(L, (double)listing->page.number);
  lua_pushstring(L, closed ? "closed" : listing->done ? "done" : "open");
  avp_pushwhole(L, (double)listing->pages_read);
  avp_pushwhole(L, (double)(listing->before + listing->received));
  return 6;
}

/* Lua: listing:need(n): no more than n customers will be pulled from here on; nil: unknown. If more
 * are all the same, it is unknown from then on. */
static int listing_need(lua_State *L) {
  struct listing *listing = to_listing(L);
  double n = luaL_optnumber(L, 2, 0);
  listing->need = n > 0 && n < NEED_MAX ? (int64_t)n : 0;
  return 0;
}

/* Lua: listing:cancel(): ends what is in flight and drops pages that wait */
static int listing_cancel(lua_State *L) {
  struct listing *listing = to_listing(L);
  if (!listing->closed && !listing->done && !listing->turning) {
    avp_pager_cancel(&listing->pager);
    reader_note_dropped(listing);
  }
  return 0;
}

static const luaL_Reg methods[] = {
    {"ready", listing_ready},       {"page", listing_page},
    {"total", listing_total},       {"position", listing_position},
    {"stats", listing_stats},       {"need", listing_need},
    {"progress", listing_progress}, {"cancel", listing_cancel},
    {"close", listing_close},       {NULL, NULL},
};

void listing_open(lua_State *L) {
  define_class(L, AVP_LISTING_NAME, methods, listing_close, "listing", core_listing);
  luaL_getmetatable(L, AVP_LISTING_NAME);
  lua_getfield(L, -1, "__index");
  lua_pushvalue(L, -2);
  lua_pushcclosure(L, listing_next, 1);
  lua_setfield(L, -2, "next");
  lua_pop(L, 2);
}
