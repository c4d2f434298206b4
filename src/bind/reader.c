/* reader.c - turns the pages of a listing into rows; see listing.h.
 *
 *     need a row -> [reading over?] -> ask -> wait -> decode -> ids -> drift -> rows
 *                        |                             |
 *                        +-> read again, or the end    +-> an error: the page may be asked for
 *
 * Nothing of a page counts before all of it is known to be good: it is decoded, checked, and room
 * is made for its ids; only then are the ids noted, which cannot fail.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "../core/ground/sys.h"
#include "error.h"
#include "listing.h"
#include "page.h"

/* positions and errors -------------------------------------------------------------------------*/

/* Notes a place behind `index` rows of a page. It is firm if no row that had come before stands
 * behind it, nor, as far as the page tells, on the next one: a resumed listing would give it again.
 */
static void set_place(struct avp_position *place, const struct listing_page *page, size_t index) {
  place->page = page->number;
  place->offset = (long)index;
  place->last_id = index > 0 ? page->ids[index - 1].print : 0;
  place->firm = index >= page->known && !page->known_behind;
}

void reader_position(const struct listing *listing, char *out) {
  const struct listing_page *page = &listing->page;
  struct avp_position p = listing->page_start;
  bool undecided =
      listing->endpoint == AVP_ENDPOINT_AUTO && listing->client->proven == AVP_ENDPOINT_AUTO;
  if (page->index > 0) set_place(&p, page, page->index);
  if (page->number != 0) {
    p.has_total = page->has_total;
    p.total = page->total;
  }
  p.endpoint = undecided ? AVP_ENDPOINT_AUTO : listing->source;
  p.page_size = listing->pager.page_size;
  p.firm = p.firm && avp_drift_is_firm(&listing->drift);
  p.filter = listing->filter_hash;
  avp_position_write(&p, out);
}

static enum turn fail(lua_State *L, struct listing *listing, const struct avp_err *err) {
  char position[AVP_POSITION_SIZE];
  bool resumes = err->kind != AVP_ERR_DRIFT || !listing->drift.resumed;
  reader_position(listing, position);
  error_push(L, err, resumes ? position : NULL);
  return TURN_ERROR;
}

static enum turn fail_for_memory(lua_State *L) {
  error_push_memory(L);
  return TURN_ERROR;
}

/* An error that stays: going on would lose or double customers. */
static enum turn fail_for_good(lua_State *L, struct listing *listing, const struct avp_err *err) {
  listing->final = *err;
  avp_pager_cancel(&listing->pager);
  return fail(L, listing, err);
}

static void finish(struct listing *listing) {
  listing->done = true;
  listing->ended_at = avp_sys_now_ms();
  avp_pager_cancel(&listing->pager);
  avp_idset_free(listing->ids);
  listing->ids = NULL;
}

/* endpoints ------------------------------------------------------------------------------------*/

long reader_page_size(const struct listing *listing, enum avp_endpoint endpoint) {
  long asked = listing->page_size_asked;
  bool cut = endpoint == AVP_ENDPOINT_BATCH && asked > listing->batch_size_max;
  return cut ? listing->batch_size_max : asked;
}

static void use(struct listing *listing, enum avp_endpoint endpoint) {
  long size = reader_page_size(listing, endpoint);
  listing->source = endpoint;
  listing->drift.asked_size = size;
  avp_pager_use(&listing->pager, endpoint == AVP_ENDPOINT_BATCH ? &listing->batch : &listing->get,
                size);
}

void reader_choose_endpoint(struct listing *listing) {
  enum avp_endpoint first = listing->endpoint;
  if (first == AVP_ENDPOINT_AUTO) first = listing->client->proven;
  use(listing, first == AVP_ENDPOINT_AUTO ? AVP_ENDPOINT_GET : first);
}

/* `auto`: whether this failure of the client's first GET means that the batch is to be tried. */
static bool falls_back(const struct listing *listing, const struct avp_err *err) {
  return listing->endpoint == AVP_ENDPOINT_AUTO && listing->source == AVP_ENDPOINT_GET &&
         listing->client->proven == AVP_ENDPOINT_AUTO && !err->at_sign_in &&
         avp_endpoint_falls_back(err->status);
}

/* Whether the server knows no such page: some say so of a page past the end. */
static bool is_no_page(const struct avp_err *err) {
  return !err->at_sign_in && (err->status == 400 || err->status == 404);
}

/* Whether the listing has still to find the place of a position. */
static bool is_resuming(const struct listing *listing) {
  return listing->drift.resumed && listing->page.number == 0 &&
         listing->drift.mode != AVP_DRIFT_IGNORE;
}

static enum turn page_failed(lua_State *L, struct listing *listing, struct avp_err err) {
  if (falls_back(listing, &err)) {
    listing->get_status = err.status;
    use(listing, AVP_ENDPOINT_BATCH);
    return TURN_AGAIN;
  }
  avp_pager_drop_failed(&listing->pager);
  if (is_resuming(listing) && listing->page_start.page > 1 && is_no_page(&err)) {
    avp_err_set(&err, AVP_ERR_DRIFT,
                "the page of this position is gone: the list has changed since it was taken; start "
                "anew");
    err.page = listing->drift.next;
    return fail_for_good(L, listing, &err);
  }
  if (listing->get_status != 0 && listing->client->proven == AVP_ENDPOINT_AUTO) {
    avp_err_add(&err, "; before that, GET %s was answered with status %d", listing->get_path,
                listing->get_status);
    use(listing, AVP_ENDPOINT_GET); /* a later call tries both again */
  }
  return fail(L, listing, &err);
}

/* a page ---------------------------------------------------------------------------------------*/

/* What drift.h is told of the page, but of its ids. */
static void describe(const struct listing *listing, const struct avp_call *call,
                     struct decoded_page *decoded) {
  struct avp_page *drift = &decoded->drift;
  drift->number = decoded->page.number;
  drift->rows = (int64_t)decoded->page.rows;
  drift->has_total = decoded->page.has_total;
  drift->total = decoded->page.total;
  drift->sent = call->sent;
  drift->received = call->received;
  drift->asked = listing->pager.asked;
}

/* Makes room for the ids of all rows, and tells drift.h what is known of them. Returns false when
 * memory is out; nothing counts yet. */
static bool look_at_ids(const struct listing *listing, struct decoded_page *decoded) {
  struct avp_page *drift = &decoded->drift;
  struct avp_idset *set = listing->ids;
  size_t i;
  if (set != NULL && !avp_idset_reserve(set, decoded->ids, decoded->page.rows)) return false;
  for (i = 0; i < decoded->page.rows; i++) {
    const struct avp_id *id = &decoded->ids[i];
    drift->fingerprint = drift->fingerprint * UINT64_C(0x9e3779b97f4a7c15) + id->print;
    if (set != NULL) {
      struct avp_mark mark = avp_idset_get(set, id);
      avp_drift_look(&listing->drift, drift, &mark);
    }
  }
  return true;
}

/* Whether the row is new to the listing. Under `ignore` only a page that repeats the one before it
 * brings nothing new. */
static bool take_row(struct listing *listing, const struct avp_id *id) {
  struct avp_mark mark;
  bool is_new;
  if (listing->ids == NULL) return !listing->drift.repeated;
  mark = avp_idset_get(listing->ids, id);
  is_new = avp_drift_take(&listing->drift, &mark);
  avp_idset_put(listing->ids, id, &mark);
  return is_new;
}

static bool is_asked_for(const struct listing *listing, const struct avp_id *id) {
  return listing->asked == NULL || avp_idset_get(listing->asked, id).era != 0;
}

static void take_rows(lua_State *L, struct listing *listing, struct decoded_page *decoded) {
  size_t i;
  for (i = 0; i < decoded->page.rows; i++) {
    const struct avp_id *id = &decoded->ids[i];
    bool is_new = take_row(listing, id);
    if (!is_new) decoded->page.known = i + 1;
    if (is_new && is_asked_for(listing, id)) {
      listing->received++;
      continue;
    }
    lua_pushboolean(L, 0);
    lua_rawseti(L, decoded->at, (int)i + 1);
  }
}

/* Whether the page still holds what the position said, at the place where it said it. */
static bool position_holds(const struct listing *listing, const struct listing_page *page) {
  const struct avp_position *p = &listing->page_start;
  if (p->has_total && (!page->has_total || p->total != page->total)) return false;
  if ((size_t)p->offset > page->rows) return false;
  return p->offset == 0 || page->ids[p->offset - 1].print == p->last_id;
}

static bool check_resumed(const struct listing *listing, const struct listing_page *page,
                          struct avp_err *err) {
  const char *wrong = NULL;
  if (!is_resuming(listing)) return true;
  if (!listing->page_start.firm) {
    wrong = "this position was taken while a changed list was read again";
  } else if (!position_holds(listing, page)) {
    wrong = "the list has changed since the position was taken";
  }
  if (wrong == NULL) return true;
  avp_err_set(err, AVP_ERR_DRIFT, "%s: start anew, or resume with drift = \"ignore\"", wrong);
  return false;
}

static struct avp_event *add_event(const struct listing *listing, enum avp_event_kind kind) {
  struct avp_events *events = &listing->client->requests->shared.events;
  return avp_event_add(events, kind, (double)avp_sys_wall_ms() / 1000);
}

static void report_page(const struct listing *listing, const struct listing_page *page,
                        int reading) {
  struct avp_event *event = add_event(listing, AVP_EVENT_PAGE);
  if (event == NULL) return;
  event->page = page->number;
  event->count = (double)page->rows;
  if (page->has_total) event->total = (double)page->total;
  event->reading = reading;
}

/* Whether nothing known stands behind a page: it was read again and ends as the one before did. */
static bool ends_like_before(const struct listing *listing, const struct listing_page *page) {
  return page->ids[page->rows - 1].print == listing->page_start.last_id;
}

/* Customers on the pages before this one, the first that is read. */
static int64_t rows_before(const struct avp_drift *drift, const struct decoded_page *decoded) {
  int64_t pages = decoded->drift.number - 1;
  int64_t rows = decoded->drift.rows;
  int64_t total = decoded->drift.has_total ? decoded->drift.total : INT64_MAX;
  bool last = pages * drift->asked_size + rows == total; /* its rows tell no size */
  int64_t before = pages * (last || drift->page_size == 0 ? drift->asked_size : drift->page_size);
  return pages > 0 && before > total - rows ? total - rows : before;
}

/* The page is good and counted: it becomes the current one. */
static void install_page(lua_State *L, struct listing *listing, struct decoded_page *decoded) {
  struct listing_page *page = &decoded->page;
  const struct listing_page *before = &listing->page;
  int i;
  if (before->number != 0) {
    set_place(&listing->page_start, before, before->rows);
  } else {
    size_t offset = (size_t)listing->page_start.offset;
    listing->before = rows_before(&listing->drift, decoded);
    page->index = offset < page->rows ? offset : page->rows;
  }
  page->known_behind =
      page->known > 0 && page->known == page->rows && !ends_like_before(listing, page);
  if (!page->has_total) {
    page->has_total = before->has_total;
    page->total = before->total;
  }
  listing->page = *page;
  listing->pages_read++;
  for (i = 0; i < 3; i++) {
    lua_pushvalue(L, decoded->at + i);
    lua_rawseti(L, LISTING_OWN, LISTING_ROWS + i);
  }
}

/* The listing goes back: what was read ahead is of no use, and counts as asked for. What comes next
 * is anchored or begins anew, so that totals that were not read do no harm. */
static void drop_ahead(struct listing *listing) {
  listing->pager.asked += avp_pager_cancel(&listing->pager);
  listing->pager.unread = false;
}

/* A reply that could not be read; its page can be asked for again. */
static enum turn fail_to_read(lua_State *L, struct listing *listing, const struct avp_call *call,
                              struct avp_err *err) {
  avp_call_blame(listing->client->requests, call, err);
  avp_pager_drop(&listing->pager, listing->drift.next);
  return fail(L, listing, err);
}

/* Pushes rows, metadata and ids. A page past the end may be no page at all; it has no total then,
 * but that page 1 is empty says that the list is. */
static bool decode(lua_State *L, const struct listing *listing, const struct avp_call *call,
                   struct decoded_page *decoded, struct avp_err *err) {
  const struct avp_idset *set = listing->ids != NULL ? listing->ids : listing->asked;
  struct listing_page *page = &decoded->page;
  bool no_content = call->state == AVP_CALL_FAILED || call->status == 204;
  page->number = listing->drift.next;
  page->has_total = no_content && page->number == 1;
  lua_rawgeti(L, LISTING_OWN, LISTING_CLIENT);
  lua_getuservalue(L, -1);
  return page_decode(L, lua_gettop(L), no_content ? NULL : &call->body_received, &listing->form,
                     set, decoded, err);
}

static enum turn take_page(lua_State *L, struct listing *listing, const struct avp_call *call) {
  int reading = listing->drift.reading;
  enum avp_drift_verdict verdict;
  struct decoded_page decoded;
  struct avp_err err;
  memset(&decoded, 0, sizeof decoded);
  listing->decoded = true;
  if (!decode(L, listing, call, &decoded, &err)) return fail_to_read(L, listing, call, &err);
  describe(listing, call, &decoded);
  if (!look_at_ids(listing, &decoded)) return fail_for_memory(L);
  if (!check_resumed(listing, &decoded.page, &err)) return fail_for_good(L, listing, &err);
  verdict = avp_drift_page(&listing->drift, &decoded.drift, &err);
  if (verdict == AVP_DRIFT_FAIL) {
    err.page = decoded.page.number;
    return fail_for_good(L, listing, &err);
  }
  take_rows(L, listing, &decoded);
  if (listing->endpoint == AVP_ENDPOINT_AUTO) listing->client->proven = listing->source;
  report_page(listing, &decoded.page, reading);
  install_page(L, listing, &decoded);
  avp_pager_drop(&listing->pager, listing->page.number);
  if (verdict == AVP_DRIFT_AGAIN) drop_ahead(listing);
  return TURN_ROWS;
}

/* what comes next ------------------------------------------------------------------------------*/

static void warn_of_missing(const struct listing *listing) {
  struct avp_event *event;
  if (listing->drift.missing == 0) return;
  event = add_event(listing, AVP_EVENT_WARNING);
  if (event == NULL) return;
  snprintf(
      event->message, sizeof event->message,
      "the server counts %.0f %s more than it sends; the app registration's customer scope may "
      "hide them",
      (double)listing->drift.missing, listing->form.customers ? "customers" : "rows");
}

/* How many pages to ask for, no more than hold what will be pulled; 0: what is here will do. Before
 * a second customer is pulled, nothing is read ahead. */
static int pages_ahead(const struct listing *listing) {
  const struct avp_drift *drift = &listing->drift;
  int64_t size = drift->page_size > 0 ? drift->page_size : drift->asked_size;
  int64_t left = (int64_t)(listing->page.rows - listing->page.index);
  int64_t pages = (listing->need - left + size - 1) / size;
  if (listing->pulled < 2 || drift->over) return 0;
  if (listing->need <= 0 || pages > drift->width) return drift->width;
  return pages > 0 ? (int)pages : 0;
}

/* Pages that came and are of no use are dropped with their totals unread. */
void reader_note_dropped(struct listing *listing) {
  if (listing->pager.unread) avp_drift_recheck(&listing->drift);
  listing->pager.unread = false;
}

static bool ask(struct listing *listing, int pages) {
  long last = avp_drift_last(&listing->drift);
  if (listing->started_at == 0) {
    reader_choose_endpoint(listing);
    listing->started_at = avp_sys_now_ms();
    if (listing->deadline_ms != AVP_NEVER) {
      listing->pager.deadline = listing->started_at + listing->deadline_ms;
    }
  }
  if (pages > listing->drift.most - listing->pager.asked) pages = 1;
  avp_pager_trim(&listing->pager, listing->drift.next, last);
  reader_note_dropped(listing);
  return avp_pager_ask(&listing->pager, listing->drift.next, pages, last);
}

static enum turn next_page(lua_State *L, struct listing *listing) {
  const struct avp_call *call;
  struct avp_err err;
  bool ended;
  int pages;
  switch (avp_drift_next(&listing->drift, &err)) {
  case AVP_DRIFT_END:
    warn_of_missing(listing);
    finish(listing);
    return TURN_END;
  case AVP_DRIFT_FAIL:
    return fail_for_good(L, listing, &err);
  case AVP_DRIFT_AGAIN:
    drop_ahead(listing);
    break;
  case AVP_DRIFT_PAGE:
    break;
  }
  pages = pages_ahead(listing);
  if (!ask(listing, pages > 0 ? pages : 1)) return fail_for_memory(L);
  call = avp_pager_page(&listing->pager, listing->drift.next);
  if (call->state == AVP_CALL_FAILED &&
      (listing->drift.next <= listing->drift.first_page || !is_no_page(&call->err))) {
    return page_failed(L, listing, call->err);
  }
  ended = call->state == AVP_CALL_DONE || call->state == AVP_CALL_FAILED;
  if (ended && !listing->decoded) return take_page(L, listing, call);
  listing->decoded = false; /* between two pages the host has its turn */
  return ended ? TURN_AGAIN : TURN_WAIT;
}

bool reader_push_row(lua_State *L, struct listing *listing) {
  struct listing_page *page = &listing->page;
  if (page->index >= page->rows) return false;
  lua_rawgeti(L, LISTING_OWN, LISTING_ROWS);
  for (; page->index < page->rows; page->index++) {
    lua_rawgeti(L, -1, (int)page->index + 1);
    if (lua_istable(L, -1)) return true;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return false;
}

enum turn reader_turn(lua_State *L, struct listing *listing) {
  enum turn turn;
  if (listing->final.kind != AVP_OK) return fail(L, listing, &listing->final);
  if (reader_push_row(L, listing)) return TURN_ROWS;
  if (listing->done) return TURN_END;
  turn = next_page(L, listing);
  return turn == TURN_ROWS && !reader_push_row(L, listing) ? TURN_AGAIN : turn;
}

void reader_look_ahead(struct listing *listing) {
  int pages = pages_ahead(listing);
  if (listing->done || listing->final.kind != AVP_OK || listing->page.number == 0) return;
  if (pages == 0 || listing->page.looked_ahead) return;
  listing->page.looked_ahead = true;
  if (!ask(listing, pages)) return; /* asked for again when it is needed */
  avp_requests_step(listing->client->requests, avp_sys_now_ms(), avp_sys_wall_ms());
}
