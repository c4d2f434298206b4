/* reader.c - turning the pages of a listing; see listing.h.
 *
 *     need a row -> [sweep over?] -> ask -> wait -> decode -> ids -> sweep -> rows
 *                        |                            |
 *                        +-> next sweep, or the end   +-> an error leaves the page to be asked anew
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

/* A page on its way in: what was learnt before anything of it counts. */
struct intake {
  int rows; /* stack index of the list of rows */
  struct page_counts counts;
  struct avp_id *ids; /* one for each row, in a userdata on the stack */
  uint64_t *prints;   /* the same */
  struct avp_sweep_page page;
};

void reader_position(const struct listing *listing, int back, char *out) {
  struct avp_position p = listing->before;
  if (listing->page != 0 && listing->index > (size_t)back) {
    p.page = listing->page;
    p.offset = (long)listing->index - back;
    p.last_id = listing->prints[p.offset - 1];
  }
  if (listing->page != 0) {
    p.has_total = listing->has_total;
    p.total = listing->total;
  }
  p.endpoint = listing->source;
  if (listing->page == 0 && listing->endpoint == AVP_ENDPOINT_AUTO &&
      listing->client->proven == AVP_ENDPOINT_AUTO) {
    p.endpoint = AVP_ENDPOINT_AUTO;
  }
  p.page_size = listing->pager.page_size;
  p.sweep = listing->sweep.number;
  p.filter = listing->filter_hash;
  avp_position_write(&p, out);
}

static enum turn fail(lua_State *L, struct listing *listing, const struct avp_err *err) {
  char position[AVP_POSITION_SIZE];
  reader_position(listing, 0, position);
  error_push(L, err, position);
  return TURN_ERROR;
}

/* An error that stays: going on would lose or double customers. */
static enum turn fail_for_good(lua_State *L, struct listing *listing, const struct avp_err *err) {
  listing->failed = true;
  listing->final = *err;
  avp_pager_cancel(&listing->pager);
  return fail(L, listing, err);
}

void reader_use(struct listing *listing, enum avp_endpoint endpoint) {
  const struct client *client = listing->client;
  struct avp_source source;
  long size = avp_customers_page_size(endpoint, listing->page_size_asked);
  avp_customers_source(&source, endpoint,
                       endpoint == AVP_ENDPOINT_BATCH ? client->batch_url : client->get_url,
                       listing->body);
  listing->source = endpoint;
  listing->sweep.asked_size = size;
  avp_pager_use(&listing->pager, &source, size);
}

/* `auto`: whether this failure of the client's first GET means that the batch is to be tried. */
static bool falls_back(const struct listing *listing, const struct avp_err *err) {
  return listing->endpoint == AVP_ENDPOINT_AUTO && listing->source == AVP_ENDPOINT_GET &&
         listing->client->proven == AVP_ENDPOINT_AUTO && listing->page == 0 && !err->at_sign_in &&
         avp_customers_falls_back(err->status);
}

static enum turn page_failed(lua_State *L, struct listing *listing) {
  struct avp_err err = *avp_pager_error(&listing->pager);
  if (falls_back(listing, &err)) {
    listing->get_status = err.status;
    reader_use(listing, AVP_ENDPOINT_BATCH);
    return TURN_AGAIN;
  }
  avp_pager_again(&listing->pager);
  if (listing->get_status != 0 && listing->client->proven == AVP_ENDPOINT_AUTO) {
    avp_err_add(&err, "; before that, GET %s was answered with status %d", AVP_CUSTOMERS_PATH,
                listing->get_status);
    reader_use(listing, AVP_ENDPOINT_GET); /* a later call tries both again */
  }
  if (err.past_deadline && listing->sweep.number > 1) {
    err.kind = AVP_ERR_DRIFT;
    avp_err_add(&err, "; the list had changed while it was read and was being read again");
  }
  return fail(L, listing, &err);
}

/* Makes the ids of all rows and room for them. Raises or gives false when memory is out; nothing
 * counts yet. */
static bool make_room(lua_State *L, struct listing *listing, struct intake *in) {
  struct avp_idset *set = listing->ids != NULL ? listing->ids : listing->asked;
  size_t n = in->counts.rows;
  size_t i;
  in->prints = lua_newuserdata(L, n * sizeof *in->prints + 1);
  in->ids = lua_newuserdata(L, n * sizeof *in->ids + 1);
  for (i = 0; i < n; i++) {
    size_t len;
    const char *id = page_row_id(L, in->rows, i + 1, &len);
    in->prints[i] = avp_position_hash(id, len);
    if (set != NULL) in->ids[i] = avp_idset_id(set, id, len);
    lua_pop(L, 2);
  }
  if (listing->ids != NULL) avp_idset_unreserve(listing->ids); /* for a page that ran short */
  for (i = 0; listing->ids != NULL && i < n; i++) {
    if (!avp_idset_reserve(listing->ids, &in->ids[i])) return false;
  }
  return true;
}

/* Notes one row's id and says whether the row is to be given out. */
static bool note_row(struct listing *listing, struct intake *in, size_t i) {
  enum avp_idset_result seen = AVP_IDSET_NEW;
  if (listing->ids != NULL) seen = avp_idset_add(listing->ids, &in->ids[i], listing->sweep.number);
  if (seen == AVP_IDSET_NEW) in->page.fresh++;
  if (seen == AVP_IDSET_REPEATED) in->page.repeated++;
  if (listing->ids != NULL &&
      avp_idset_note_window(listing->ids, &in->ids[i], listing->sweep.window)) {
    in->page.in_window++;
  }
  if (seen != AVP_IDSET_NEW) return false;
  return listing->asked == NULL || avp_idset_has(listing->asked, &in->ids[i]);
}

/* The page is the first of another window. */
static void note_window(struct listing *listing, const struct intake *in) {
  size_t i;
  for (i = 0; listing->ids != NULL && i < in->counts.rows; i++) {
    (void)avp_idset_note_window(listing->ids, &in->ids[i], listing->sweep.window);
  }
}

static void note_rows(lua_State *L, struct listing *listing, struct intake *in) {
  size_t i;
  for (i = 0; i < in->counts.rows; i++) {
    in->page.fingerprint = in->page.fingerprint * UINT64_C(0x9e3779b97f4a7c15) + in->prints[i];
    if (note_row(listing, in, i)) {
      listing->received++;
      continue;
    }
    lua_pushboolean(L, 0);
    lua_rawseti(L, in->rows, (int)i + 1);
  }
}

/* Whether the page still holds what the position said, at the place where it said it. */
static bool position_holds(const struct listing *listing, const struct intake *in) {
  const struct avp_position *p = &listing->resume;
  if (p->has_total && (!in->counts.has_total || p->total != in->counts.total)) return false;
  if ((size_t)p->offset > in->counts.rows) return false;
  return p->offset == 0 || in->prints[p->offset - 1] == p->last_id;
}

static bool check_resumed(const struct listing *listing, const struct intake *in,
                          struct avp_err *err) {
  bool first = listing->page == 0 && listing->resume.page > 0;
  if (!first || listing->sweep.drift == AVP_DRIFT_IGNORE) return true;
  if (listing->resume.sweep > 1) {
    avp_err_set(err, AVP_ERR_DRIFT,
                "this position was taken while a changed list was read again: "
                "start anew, or resume with drift = \"ignore\"");
    return false;
  }
  if (position_holds(listing, in)) return true;
  avp_err_set(err, AVP_ERR_DRIFT,
              "the list has changed since the position was taken: start anew, "
              "or resume with drift = \"ignore\"");
  return false;
}

static void report_page(const struct listing *listing, const struct intake *in) {
  struct avp_events *events = &listing->client->requests->shared.events;
  struct avp_event *event = avp_event_add(events, AVP_EVENT_PAGE, (double)avp_sys_wall_ms() / 1000);
  if (event == NULL) return;
  event->page = in->page.number;
  event->count = (double)in->counts.rows;
  if (in->counts.has_total) event->total = (double)in->counts.total;
  event->sweep = listing->sweep.number;
}

/* The page is good and counted: it becomes the current one. */
static void install_page(lua_State *L, struct listing *listing, int own, const struct intake *in) {
  if (listing->page != 0) {
    listing->before.page = listing->page;
    listing->before.offset = (long)listing->rows;
    listing->before.last_id = listing->rows > 0 ? listing->prints[listing->rows - 1] : 0;
  }
  listing->index = 0;
  if (listing->page == 0 && listing->resume.page > 0) {
    listing->index = (size_t)listing->resume.offset;
    if (listing->index > in->counts.rows) listing->index = in->counts.rows;
  }
  listing->page = in->page.number;
  listing->rows = in->counts.rows;
  listing->prints = in->prints;
  listing->has_total = in->counts.has_total;
  listing->total = in->counts.total;
  lua_pushvalue(L, in->rows);
  lua_rawseti(L, own, LISTING_ROWS);
  lua_pushvalue(L, in->rows + 1);
  lua_rawseti(L, own, LISTING_METADATA);
  lua_pushvalue(L, in->rows + 2);
  lua_rawseti(L, own, LISTING_PRINTS);
  listing->pages_read++;
  avp_pager_advance(&listing->pager);
  avp_pager_set_last(&listing->pager, avp_sweep_last(&listing->sweep));
  report_page(listing, in);
}

/* What the sweep is told of the page, but for the ids. */
static void describe(struct listing *listing, int status, struct intake *in) {
  in->page.number = listing->pager.next;
  if (status == 204 && in->page.number == 1) {
    in->counts.has_total = true; /* an empty list */
  } else if (status == 204) {    /* no rows, but no word about the total either */
    in->counts.has_total = listing->sweep.has_total;
    in->counts.total = listing->sweep.total;
  }
  in->page.rows = (int64_t)in->counts.rows;
  in->page.has_total = in->counts.has_total;
  in->page.total = in->counts.total;
  in->page.size = in->counts.size;
}

static enum turn take_page(lua_State *L, struct listing *listing, int own) {
  const struct avp_call *call = avp_pager_reply(&listing->pager);
  const struct avp_buf *body = &call->body_received;
  enum avp_sweep_verdict verdict;
  struct intake in;
  struct avp_err err;
  int window;
  int state;
  memset(&in, 0, sizeof in);
  listing->decoded = true;
  lua_rawgeti(L, own, LISTING_STATE);
  state = lua_gettop(L);
  if (!page_decode(L, state, call->status, body->data, body->len, listing->raw, &in.counts, &err)) {
    err.page = listing->pager.next;
    err.status = call->status;
    err.attempts = call->attempts;
    memcpy(err.request_id, call->request_id, sizeof err.request_id);
    avp_url_for_print(listing->pager.source.url, err.url, sizeof err.url);
    avp_err_body(&err, body->data, body->len);
    avp_signin_redact(&listing->client->requests->signin, &err);
    avp_pager_again(&listing->pager);
    return fail(L, listing, &err);
  }
  in.rows = state + 1; /* then the metadata, the prints and the ids */
  describe(listing, call->status, &in);
  if (!make_room(L, listing, &in)) {
    avp_err_set(&err, AVP_ERR_MEMORY, "out of memory");
    return fail(L, listing, &err);
  }
  if (!check_resumed(listing, &in, &err)) return fail_for_good(L, listing, &err);
  note_rows(L, listing, &in);
  window = listing->sweep.window;
  verdict = avp_sweep_page(&listing->sweep, &in.page, &err);
  if (verdict == AVP_SWEEP_FAIL) {
    err.page = in.page.number;
    return fail_for_good(L, listing, &err);
  }
  if (listing->sweep.window != window) note_window(listing, &in);
  if (listing->endpoint == AVP_ENDPOINT_AUTO) listing->client->proven = listing->source;
  install_page(L, listing, own, &in);
  if (verdict == AVP_SWEEP_END) {
    reader_finish(listing);
    return TURN_END;
  }
  return TURN_ROWS;
}

static void warn_of_missing(const struct listing *listing) {
  struct avp_events *events = &listing->client->requests->shared.events;
  struct avp_event *event;
  if (listing->sweep.missing == 0) return;
  event = avp_event_add(events, AVP_EVENT_WARNING, (double)avp_sys_wall_ms() / 1000);
  if (event == NULL) return;
  snprintf(event->message, sizeof event->message,
           "the server counts %.0f customers more than it sends; the app registration's customer "
           "scope may hide them",
           (double)listing->sweep.missing);
}

void reader_finish(struct listing *listing) {
  listing->done = true;
  listing->ended_at = avp_sys_now_ms();
  avp_pager_cancel(&listing->pager);
  avp_idset_free(listing->ids);
  listing->ids = NULL;
}

static enum turn end_sweep(lua_State *L, struct listing *listing) {
  struct avp_err err;
  switch (avp_sweep_end(&listing->sweep, &err)) {
  case AVP_SWEEP_AGAIN:
    avp_pager_seek(&listing->pager, listing->sweep.first_page);
    memset(&listing->before, 0, sizeof listing->before);
    listing->before.page = listing->sweep.first_page;
    return TURN_AGAIN;
  case AVP_SWEEP_END:
    warn_of_missing(listing);
    reader_finish(listing);
    return TURN_END;
  default:
    return fail_for_good(L, listing, &err);
  }
}

/* How many pages ahead make sense: none before a second customer is pulled, and no more than hold
 * what will be pulled. */
static int pages_ahead(const struct listing *listing) {
  int64_t need = listing->need;
  int64_t size = listing->sweep.size > 0 ? listing->sweep.size : listing->sweep.asked_size;
  int64_t pages;
  if (listing->max_items >= 0 && (need < 0 || need > listing->max_items - listing->yielded)) {
    need = listing->max_items - listing->yielded;
  }
  if (need < 0) return listing->pulled < 2 ? 0 : listing->pager.window;
  need -= (int64_t)(listing->rows - listing->index);
  if (need <= 0 || listing->pulled < 2) return 0;
  pages = (need + size - 1) / size;
  return pages < listing->pager.window ? (int)pages : listing->pager.window;
}

static bool ask(struct listing *listing, int pages) {
  if (!listing->started) {
    if (listing->endpoint == AVP_ENDPOINT_AUTO && listing->client->proven != AVP_ENDPOINT_AUTO) {
      reader_use(listing, listing->client->proven);
    }
    listing->started = true;
    listing->started_at = avp_sys_now_ms();
    if (listing->deadline_ms != AVP_NEVER) {
      listing->pager.deadline = listing->started_at + listing->deadline_ms;
    }
  }
  listing->pager.allowed = pages;
  return avp_pager_fill(&listing->pager);
}

static enum turn next_page(lua_State *L, struct listing *listing, int own) {
  int ahead = pages_ahead(listing);
  struct avp_err err;
  if (avp_sweep_is_over(&listing->sweep, listing->pager.next)) return end_sweep(L, listing);
  if (!ask(listing, ahead > 0 ? ahead : 1)) {
    avp_err_set(&err, AVP_ERR_MEMORY, "out of memory");
    return fail(L, listing, &err);
  }
  switch (avp_pager_state(&listing->pager)) {
  case AVP_PAGER_FAILED:
    return page_failed(L, listing);
  case AVP_PAGER_READY:
    if (!listing->decoded) return take_page(L, listing, own);
    listing->decoded = false; /* between two pages the host has its turn */
    return TURN_AGAIN;
  default:
    listing->decoded = false;
    return TURN_WAIT;
  }
}

/* Steps over rows that are not given out. */
static bool find_row(lua_State *L, struct listing *listing, int own) {
  bool found = false;
  lua_rawgeti(L, own, LISTING_ROWS);
  while (listing->index < listing->rows && !found) {
    lua_rawgeti(L, -1, (int)listing->index + 1);
    found = lua_istable(L, -1);
    if (!found) listing->index++;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return found;
}

enum turn reader_turn(lua_State *L, struct listing *listing, int own) {
  int top = lua_gettop(L);
  enum turn turn;
  if (listing->failed) return fail(L, listing, &listing->final);
  if (find_row(L, listing, own)) return TURN_ROWS;
  if (listing->done) return TURN_END;
  turn = next_page(L, listing, own);
  if (turn == TURN_ERROR) return turn;
  lua_settop(L, top);
  if (turn == TURN_ROWS && !find_row(L, listing, own)) return TURN_AGAIN;
  return turn;
}

void reader_look_ahead(struct listing *listing) {
  int ahead = pages_ahead(listing);
  if (ahead == 0 || listing->done || listing->failed || listing->sweep.pages == 0) return;
  if (avp_sweep_is_over(&listing->sweep, listing->pager.next)) return;
  if (!ask(listing, ahead)) return; /* the page will be asked for again when it is needed */
  avp_requests_step(listing->client->requests, avp_sys_now_ms(), avp_sys_wall_ms());
}
