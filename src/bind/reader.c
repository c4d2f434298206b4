/* reader.c - turns the pages of a listing into rows; see listing.h.
 *
 *     need a row -> [reading over?] -> ask -> wait -> decode -> ids -> drift -> rows
 *                        |                             |
 *                        +-> read again, or the end    +-> an error: the page may be asked for
 *
 * Nothing of a page counts before all of it is known to be good: it is decoded, checked, and room
 * is made for its ids; only then are the ids noted, which cannot fail.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "../core/ground/sys.h"
#include "../core/wire/url.h"
#include "error.h"
#include "listing.h"
#include "page.h"

/* A decoded page whose rows do not count yet. */
struct decoded_page {
  int rows; /* stack index of the list of rows; behind it the metadata, the hashes and the ids */
  struct page_counts counts;
  uint64_t *id_hashes; /* one for each row, in a userdata */
  struct avp_id *ids;  /* the same */
  size_t known;        /* rows up to the last one that had come before; 0: none had */
  struct avp_page drift;
};

/* positions and errors -------------------------------------------------------------------------*/

/* Whether no row of the page that had come before stands behind this place, nor, as far as the page
 * tells, on the next one: a resumed listing would give it again. */
static bool is_firm_at(const struct listing_page *page, size_t index) {
  return index >= page->known && !page->known_behind;
}

void reader_position(const struct listing *listing, char *out) {
  const struct listing_page *page = &listing->page;
  struct avp_position p = listing->page_start;
  if (page->number != 0 && page->index > 0) {
    p.page = page->number;
    p.offset = (long)page->index;
    p.last_id = page->id_hashes[page->index - 1];
    p.firm = is_firm_at(page, page->index);
  }
  if (page->number != 0) {
    p.has_total = page->has_total;
    p.total = page->total;
  }
  p.endpoint = listing->source;
  if (page->number == 0 && listing->endpoint == AVP_ENDPOINT_AUTO &&
      listing->client->proven == AVP_ENDPOINT_AUTO) {
    p.endpoint = AVP_ENDPOINT_AUTO;
  }
  p.page_size = listing->pager.page_size;
  p.firm = p.firm && avp_drift_is_firm(&listing->drift);
  p.filter = listing->filter_hash;
  avp_position_write(&p, out);
}

static enum turn fail(lua_State *L, struct listing *listing, const struct avp_err *err) {
  char position[AVP_POSITION_SIZE];
  reader_position(listing, position);
  error_push(L, err, position);
  return TURN_ERROR;
}

static enum turn fail_for_memory(lua_State *L, struct listing *listing) {
  struct avp_err err;
  avp_err_set(&err, AVP_ERR_MEMORY, "out of memory");
  return fail(L, listing, &err);
}

/* An error that stays: going on would lose or double customers. */
static enum turn fail_for_good(lua_State *L, struct listing *listing, const struct avp_err *err) {
  listing->failed = true;
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

void reader_use(struct listing *listing, enum avp_endpoint endpoint) {
  const struct client *client = listing->client;
  struct avp_source source = {NULL, NULL, "pageIndex", "pageSize"};
  long size = avp_endpoint_page_size(endpoint, listing->page_size_asked);
  source.url = endpoint == AVP_ENDPOINT_BATCH ? client->batch_url : client->get_url;
  source.body = endpoint == AVP_ENDPOINT_BATCH ? listing->body : NULL;
  listing->source = endpoint;
  listing->drift.asked_size = size;
  avp_pager_use(&listing->pager, &source, size);
}

/* `auto`: whether this failure of the client's first GET means that the batch is to be tried. */
static bool falls_back(const struct listing *listing, const struct avp_err *err) {
  return listing->endpoint == AVP_ENDPOINT_AUTO && listing->source == AVP_ENDPOINT_GET &&
         listing->client->proven == AVP_ENDPOINT_AUTO && listing->page.number == 0 &&
         !err->at_sign_in && avp_endpoint_falls_back(err->status);
}

/* Whether the page of a position is past the end by now, as some servers put it. */
static bool is_gone(const struct listing *listing, const struct avp_err *err) {
  return listing->resume.page > 1 && listing->page.number == 0 && !err->at_sign_in &&
         listing->drift.mode != AVP_DRIFT_IGNORE && (err->status == 400 || err->status == 404);
}

static enum turn page_failed(lua_State *L, struct listing *listing, struct avp_err err) {
  if (falls_back(listing, &err)) {
    listing->get_status = err.status;
    reader_use(listing, AVP_ENDPOINT_BATCH);
    return TURN_AGAIN;
  }
  avp_pager_drop_failed(&listing->pager);
  if (is_gone(listing, &err)) {
    avp_err_set(&err, AVP_ERR_DRIFT,
                "the page of this position is gone: the list has changed since it was taken; start "
                "anew");
    err.page = listing->drift.next;
    return fail_for_good(L, listing, &err);
  }
  if (listing->get_status != 0 && listing->client->proven == AVP_ENDPOINT_AUTO) {
    avp_err_add(&err, "; before that, GET %s was answered with status %d", AVP_CUSTOMERS_PATH,
                listing->get_status);
    reader_use(listing, AVP_ENDPOINT_GET); /* a later call tries both again */
  }
  return fail(L, listing, &err);
}

/* a page ---------------------------------------------------------------------------------------*/

/* Makes the ids of all rows and room for them. Raises or returns false when memory is out; nothing
 * counts yet. */
static bool make_room(lua_State *L, struct listing *listing, struct decoded_page *page) {
  struct avp_idset *set = listing->ids != NULL ? listing->ids : listing->asked;
  size_t n = page->counts.rows;
  size_t i;
  page->id_hashes = lua_newuserdata(L, n * sizeof *page->id_hashes + 1);
  page->ids = lua_newuserdata(L, n * sizeof *page->ids + 1);
  for (i = 0; i < n; i++) {
    size_t len;
    const char *id = page_row_id(L, page->rows, i + 1, &len);
    page->id_hashes[i] = avp_position_hash(id, len);
    if (set != NULL) page->ids[i] = avp_idset_id(set, id, len);
    lua_pop(L, 2);
  }
  if (listing->ids != NULL) avp_idset_unreserve(listing->ids); /* for a page that ran short */
  for (i = 0; listing->ids != NULL && i < n; i++) {
    if (!avp_idset_reserve(listing->ids, &page->ids[i])) return false;
  }
  return true;
}

/* What drift.h is told of the page. */
static void describe(const struct listing *listing, const struct avp_call *call,
                     struct decoded_page *page) {
  struct avp_page *drift = &page->drift;
  size_t i;
  drift->number = listing->drift.next;
  drift->rows = (int64_t)page->counts.rows;
  drift->has_total = page->counts.has_total;
  drift->total = page->counts.total;
  drift->sent = call->sent;
  drift->received = call->received;
  drift->asked = listing->pager.asked;
  for (i = 0; i < page->counts.rows; i++) {
    drift->fingerprint = drift->fingerprint * UINT64_C(0x9e3779b97f4a7c15) + page->id_hashes[i];
    if (listing->ids != NULL) {
      struct avp_mark mark = avp_idset_get(listing->ids, &page->ids[i]);
      avp_drift_look(&listing->drift, drift, &mark);
    }
  }
}

/* Whether the row is new to the listing. Under `ignore` only a page that repeats the one before it
 * brings nothing new. */
static bool take_row(struct listing *listing, const struct avp_id *id) {
  struct avp_mark mark;
  bool is_new;
  if (listing->ids == NULL) return listing->drift.same_run < 2;
  mark = avp_idset_get(listing->ids, id);
  is_new = avp_drift_take(&listing->drift, &mark);
  avp_idset_put(listing->ids, id, &mark);
  return is_new;
}

static bool is_asked_for(const struct listing *listing, const struct avp_id *id) {
  return listing->asked == NULL || avp_idset_get(listing->asked, id).era != 0;
}

static void take_rows(lua_State *L, struct listing *listing, struct decoded_page *page) {
  size_t i;
  for (i = 0; i < page->counts.rows; i++) {
    bool is_new = take_row(listing, &page->ids[i]);
    if (!is_new) page->known = i + 1;
    if (is_new && is_asked_for(listing, &page->ids[i])) {
      listing->received++;
      continue;
    }
    lua_pushboolean(L, 0);
    lua_rawseti(L, page->rows, (int)i + 1);
  }
}

/* Whether the page still holds what the position said, at the place where it said it. */
static bool position_holds(const struct listing *listing, const struct decoded_page *page) {
  const struct avp_position *p = &listing->resume;
  if (p->has_total && (!page->counts.has_total || p->total != page->counts.total)) return false;
  if ((size_t)p->offset > page->counts.rows) return false;
  return p->offset == 0 || page->id_hashes[p->offset - 1] == p->last_id;
}

static bool check_resumed(const struct listing *listing, const struct decoded_page *page,
                          struct avp_err *err) {
  bool first = listing->page.number == 0 && listing->resume.page > 0;
  if (!first || listing->drift.mode == AVP_DRIFT_IGNORE) return true;
  if (!listing->resume.firm) {
    avp_err_set(err, AVP_ERR_DRIFT,
                "this position was taken while a changed list was read again: "
                "start anew, or resume with drift = \"ignore\"");
    return false;
  }
  if (position_holds(listing, page)) return true;
  avp_err_set(err, AVP_ERR_DRIFT,
              "the list has changed since the position was taken: start anew, "
              "or resume with drift = \"ignore\"");
  return false;
}

static void report_page(const struct listing *listing, const struct decoded_page *page,
                        int reading) {
  struct avp_events *events = &listing->client->requests->shared.events;
  struct avp_event *event = avp_event_add(events, AVP_EVENT_PAGE, (double)avp_sys_wall_ms() / 1000);
  if (event == NULL) return;
  event->page = page->drift.number;
  event->count = (double)page->counts.rows;
  if (page->counts.has_total) event->total = (double)page->counts.total;
  event->reading = reading;
}

/* Whether the page was read again and ends as the one before it did: nothing known stands behind.
 */
static bool ends_like_before(const struct listing *listing, const struct decoded_page *page) {
  size_t rows = page->counts.rows;
  return rows > 0 && page->id_hashes[rows - 1] == listing->page_start.last_id;
}

/* The page is good and counted: it becomes the current one. */
static void install_page(lua_State *L, struct listing *listing, int own,
                         const struct decoded_page *page) {
  struct listing_page *current = &listing->page;
  bool first = current->number == 0;
  if (!first) {
    listing->page_start.page = current->number;
    listing->page_start.offset = (long)current->rows;
    listing->page_start.last_id = current->rows > 0 ? current->id_hashes[current->rows - 1] : 0;
    listing->page_start.firm = is_firm_at(current, current->rows);
  }
  current->index = first ? (size_t)listing->resume.offset : 0;
  if (current->index > page->counts.rows) current->index = page->counts.rows;
  current->number = page->drift.number;
  current->rows = page->counts.rows;
  current->known = page->known;
  current->known_behind =
      page->known > 0 && page->known == page->counts.rows && !ends_like_before(listing, page);
  current->id_hashes = page->id_hashes;
  if (page->counts.has_total || first) {
    current->has_total = page->counts.has_total;
    current->total = page->counts.total;
  }
  lua_pushvalue(L, page->rows);
  lua_rawseti(L, own, LISTING_ROWS);
  lua_pushvalue(L, page->rows + 1);
  lua_rawseti(L, own, LISTING_METADATA);
  lua_pushvalue(L, page->rows + 2);
  lua_rawseti(L, own, LISTING_HASHES);
  listing->pages_read++;
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
  err->page = listing->drift.next;
  err->status = call->status;
  err->attempts = call->attempts;
  memcpy(err->request_id, call->request_id, sizeof err->request_id);
  avp_url_for_print(listing->pager.source.url, err->url, sizeof err->url);
  avp_err_body(err, call->body_received.data, call->body_received.len);
  avp_signin_redact(&listing->client->requests->signin, err);
  avp_pager_drop(&listing->pager, listing->drift.next);
  return fail(L, listing, err);
}

/* Pushes rows and metadata. A page past the end may be no page at all; it has no total then, but
 * that page 1 is empty says that the list is. */
static bool decode(lua_State *L, const struct listing *listing, const struct avp_call *call,
                   struct decoded_page *page, struct avp_err *err) {
  const struct avp_buf *body = &call->body_received;
  int status = call->state == AVP_CALL_FAILED ? 204 : call->status;
  bool decoded = page_decode(L, page->rows - 1, status, body->data, body->len, listing->raw,
                             &page->counts, err);
  if (status == 204 && listing->drift.next == 1) page->counts.has_total = true;
  return decoded;
}

static enum turn take_page(lua_State *L, struct listing *listing, int own,
                           const struct avp_call *call) {
  int reading = listing->drift.reading;
  enum avp_drift_verdict verdict;
  struct decoded_page page;
  struct avp_err err;
  memset(&page, 0, sizeof page);
  listing->decoded = true;
  lua_rawgeti(L, own, LISTING_STATE);
  page.rows = lua_gettop(L) + 1;
  if (!decode(L, listing, call, &page, &err)) return fail_to_read(L, listing, call, &err);
  if (!make_room(L, listing, &page)) return fail_for_memory(L, listing);
  if (!check_resumed(listing, &page, &err)) return fail_for_good(L, listing, &err);
  describe(listing, call, &page);
  verdict = avp_drift_page(&listing->drift, &page.drift, &err);
  if (verdict == AVP_DRIFT_FAIL) {
    err.page = page.drift.number;
    return fail_for_good(L, listing, &err);
  }
  take_rows(L, listing, &page);
  if (listing->endpoint == AVP_ENDPOINT_AUTO) listing->client->proven = listing->source;
  install_page(L, listing, own, &page);
  report_page(listing, &page, reading);
  avp_pager_drop(&listing->pager, page.drift.number);
  if (verdict == AVP_DRIFT_AGAIN) drop_ahead(listing);
  return TURN_ROWS;
}

/* what comes next ------------------------------------------------------------------------------*/

static void warn_of_missing(const struct listing *listing) {
  struct avp_events *events = &listing->client->requests->shared.events;
  struct avp_event *event;
  if (listing->drift.missing == 0) return;
  event = avp_event_add(events, AVP_EVENT_WARNING, (double)avp_sys_wall_ms() / 1000);
  if (event == NULL) return;
  snprintf(event->message, sizeof event->message,
           "the server counts %.0f customers more than it sends; the app registration's customer "
           "scope may hide them",
           (double)listing->drift.missing);
}

/* How many pages may be asked for: one before a second customer is pulled, and no more than hold
 * what will be pulled. */
static int pages_wanted(const struct listing *listing) {
  int64_t need = listing->need;
  int64_t size =
      listing->drift.page_size > 0 ? listing->drift.page_size : listing->drift.asked_size;
  if (listing->pulled < 2) return 1;
  if (need < 0) return listing->drift.width;
  need = (need - (int64_t)(listing->page.rows - listing->page.index) + size - 1) / size;
  return need < 1 ? 1 : need < listing->drift.width ? (int)need : listing->drift.width;
}

/* Pages that came and are of no use are dropped with their totals unread. */
void reader_note_dropped(struct listing *listing) {
  if (listing->pager.unread) avp_drift_recheck(&listing->drift);
  listing->pager.unread = false;
}

static bool ask(struct listing *listing, int pages) {
  long last = avp_drift_last(&listing->drift);
  if (listing->started_at == 0) {
    if (listing->endpoint == AVP_ENDPOINT_AUTO && listing->client->proven != AVP_ENDPOINT_AUTO) {
      reader_use(listing, listing->client->proven);
    }
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

/* Some servers answer a page past the end so: it counts as an empty one. */
static bool is_past_end(const struct listing *listing, const struct avp_call *call) {
  return listing->drift.next > listing->drift.first_page && !call->err.at_sign_in &&
         (call->err.status == 400 || call->err.status == 404);
}

static enum turn next_page(lua_State *L, struct listing *listing, int own) {
  const struct avp_call *call;
  struct avp_err err;
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
  if (!ask(listing, pages_wanted(listing))) return fail_for_memory(L, listing);
  call = avp_pager_page(&listing->pager, listing->drift.next);
  if (call->state == AVP_CALL_FAILED && !is_past_end(listing, call)) {
    return page_failed(L, listing, call->err);
  }
  if (call->state == AVP_CALL_DONE || call->state == AVP_CALL_FAILED) {
    if (!listing->decoded) return take_page(L, listing, own, call);
    listing->decoded = false; /* between two pages the host has its turn */
    return TURN_AGAIN;
  }
  listing->decoded = false;
  return TURN_WAIT;
}

bool reader_find_row(lua_State *L, struct listing *listing, int own) {
  struct listing_page *page = &listing->page;
  bool found = false;
  lua_rawgeti(L, own, LISTING_ROWS);
  while (page->index < page->rows && !found) {
    lua_rawgeti(L, -1, (int)page->index + 1);
    found = lua_istable(L, -1);
    if (!found) page->index++;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return found;
}

enum turn reader_turn(lua_State *L, struct listing *listing, int own) {
  int top = lua_gettop(L);
  enum turn turn;
  if (listing->failed) return fail(L, listing, &listing->final);
  if (reader_find_row(L, listing, own)) return TURN_ROWS;
  if (listing->done) return TURN_END;
  turn = next_page(L, listing, own);
  if (turn == TURN_ERROR) return turn;
  lua_settop(L, top);
  if (turn == TURN_ROWS && !reader_find_row(L, listing, own)) return TURN_AGAIN;
  return turn;
}

void reader_look_ahead(struct listing *listing) {
  if (listing->done || listing->failed || listing->drift.over) return;
  if (listing->page.number == 0 || listing->pulled < 2) return;
  if (listing->need >= 0 && listing->need <= (int64_t)(listing->page.rows - listing->page.index)) {
    return; /* this page holds all that will be pulled */
  }
  if (!ask(listing, pages_wanted(listing))) return; /* asked for again when it is needed */
  avp_requests_step(listing->client->requests, avp_sys_now_ms(), avp_sys_wall_ms());
}
