/* drift_reader.h - a reader that drives drift.h as the binding's reader does, over a server that a
 * test plays. Several pages are under way at once; the server cuts them in any order, and they come
 * back in any order.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_DRIFT_READER_H
#define AVP_DRIFT_READER_H

#include <stdlib.h>

#include "check.h"
#include "list/drift.h"
#include "list/idset.h"

#define ROWS_MAX  128   /* rows of a page */
#define IDS_MAX   16384 /* ids are 0 to IDS_MAX - 1 */
#define WAYS_MAX  16    /* pages under way */
#define SEEN_MAX  3000  /* pages of which a note is kept */
#define ASKED_MAX 40000 /* a reader that asks for so many pages would go on for ever */

struct page {
  long number;
  bool cut; /* the server has made it */
  bool here;
  uint64_t sent;
  uint64_t received;
  int ids[ROWS_MAX];
  int rows;
  bool has_total;
  int64_t total;
  long version;   /* of the list when it was cut */
  int list_count; /* its rows then */
  uint64_t cut_at;
};

struct server {
  void (*serve)(struct server *server, long number, struct page *out);
};

struct reader {
  struct avp_drift drift;
  struct avp_idset *ids;
  struct server *server;
  uint64_t random; /* 0: pages are cut and come in the order in which they were asked for */
  uint64_t clock;
  struct page ways[WAYS_MAX];
  int count; /* of them */
  long asked;
  bool yielded[IDS_MAX];
  int64_t rows;                   /* given out */
  int64_t twice;                  /* given out again: never, but under `ignore` */
  enum avp_drift_verdict verdict; /* END or FAIL; PAGE: would go on for ever */
  struct avp_err err;
  bool drops;                 /* now and then all that is under way is dropped and asked for anew */
  struct page seen[SEEN_MAX]; /* the pages that were taken; without ids */
  int seen_count;
};

/* xorshift64*; the same numbers on every machine. */
static inline uint64_t draw(uint64_t *state) {
  uint64_t x = *state;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *state = x;
  return (x * UINT64_C(2685821657736338717)) >> 11;
}

static inline int below(uint64_t *state, int n) { return (int)(draw(state) % (uint64_t)n); }

static inline void reader_init(struct reader *r, struct server *server, enum avp_drift_mode mode,
                               int asked_size, int width) {
  memset(r, 0, sizeof *r);
  avp_drift_init(&r->drift, mode, 1, asked_size, width, false);
  r->server = server;
  if (mode != AVP_DRIFT_IGNORE) r->ids = avp_idset_new();
}

static inline struct page *way_of(struct reader *r, long number) {
  int i;
  for (i = 0; i < r->count; i++) {
    if (r->ways[i].number == number) return &r->ways[i];
  }
  return NULL;
}

static inline void drop_way(struct reader *r, int i) {
  r->count--;
  memmove(r->ways + i, r->ways + i + 1, (size_t)(r->count - i) * sizeof r->ways[0]);
}

static inline void ask_page(struct reader *r, long number) {
  if (way_of(r, number) != NULL || r->count == WAYS_MAX) return;
  memset(&r->ways[r->count], 0, sizeof r->ways[0]);
  r->ways[r->count].number = number;
  r->ways[r->count++].sent = ++r->clock;
  r->asked++;
}

/* Drops the pages behind `last`, but not page `next`. As reader_note_dropped in reader.c. */
static inline void trim(struct reader *r, long next, long last) {
  bool unread = false;
  int i;
  for (i = r->count - 1; i >= 0; i--) {
    if (r->ways[i].number == next || r->ways[i].number <= last) continue;
    unread = unread || r->ways[i].here;
    r->asked--;
    drop_way(r, i);
  }
  if (unread) avp_drift_recheck(&r->drift);
}

/* As ask in reader.c. */
static inline void ask_pages(struct reader *r) {
  long last = avp_drift_last(&r->drift);
  long page;
  trim(r, r->drift.next, last);
  for (page = r->drift.next; page < r->drift.next + r->drift.width; page++) {
    if (page == r->drift.next || (r->asked < r->drift.most && page <= last)) ask_page(r, page);
  }
}

/* One thing happens on the way: a page is cut, or it comes. */
static inline void move_on(struct reader *r) {
  struct page *page;
  int i = 0;
  if (r->random != 0) {
    do {
      i = below(&r->random, r->count);
    } while (r->ways[i].here);
  } else {
    while (r->ways[i].here) i++;
  }
  page = &r->ways[i];
  if (page->cut) {
    page->here = true;
    page->received = ++r->clock;
  } else {
    page->cut = true;
    page->cut_at = ++r->clock;
    r->server->serve(r->server, page->number, page);
  }
}

static inline struct avp_id id_of(const struct reader *r, int id) {
  return avp_idset_id(r->ids, (const char *)&id, sizeof id);
}

static inline void give_row(struct reader *r, int id) {
  r->twice += r->yielded[id];
  r->yielded[id] = true;
  r->rows++;
}

static inline void take_rows(struct reader *r, const struct page *page) {
  int i;
  for (i = 0; i < page->rows; i++) {
    struct avp_id id;
    struct avp_mark mark;
    if (r->ids == NULL) {
      if (!r->drift.repeated) give_row(r, page->ids[i]);
      continue;
    }
    id = id_of(r, page->ids[i]);
    mark = avp_idset_get(r->ids, &id);
    if (avp_drift_take(&r->drift, &mark)) give_row(r, page->ids[i]);
    avp_idset_put(r->ids, &id, &mark);
  }
}

/* As take_page in reader.c. */
static inline void take_page(struct reader *r, const struct page *page) {
  struct avp_id ids[ROWS_MAX];
  struct avp_page told;
  int i;
  memset(&told, 0, sizeof told);
  told.number = page->number;
  told.rows = page->rows;
  told.has_total = page->has_total;
  told.total = page->total;
  told.sent = page->sent;
  told.received = page->received;
  told.asked = r->asked;
  for (i = 0; i < page->rows; i++) {
    told.fingerprint = told.fingerprint * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)page->ids[i] + 1;
    if (r->ids != NULL) {
      struct avp_mark mark;
      ids[i] = id_of(r, page->ids[i]);
      mark = avp_idset_get(r->ids, &ids[i]);
      avp_drift_look(&r->drift, &told, &mark);
    }
  }
  CHECK(r->ids == NULL || avp_idset_reserve(r->ids, ids, (size_t)page->rows));
  if (r->seen_count < SEEN_MAX) r->seen[r->seen_count++] = *page;
  r->verdict = avp_drift_page(&r->drift, &told, &r->err);
  if (r->verdict == AVP_DRIFT_FAIL) return;
  take_rows(r, page);
  if (r->verdict == AVP_DRIFT_AGAIN) r->count = 0;
  if (r->verdict == AVP_DRIFT_PAGE) r->verdict = avp_drift_next(&r->drift, &r->err);
  if (r->verdict == AVP_DRIFT_AGAIN) r->count = 0;
}

/* As after a `break` in the loop over a listing. */
static inline void drop_sometimes(struct reader *r) {
  if (!r->drops || below(&r->random, 50) != 0) return;
  trim(r, 0, 0);
}

/* Reads the list to its end, to an error, or to the cap. */
static inline void reader_run(struct reader *r) {
  r->verdict = AVP_DRIFT_PAGE;
  while (r->asked < ASKED_MAX && r->verdict != AVP_DRIFT_END && r->verdict != AVP_DRIFT_FAIL) {
    struct page *page;
    ask_pages(r);
    page = way_of(r, r->drift.next);
    if (page->here) {
      struct page copy = *page;
      drop_way(r, (int)(page - r->ways));
      take_page(r, &copy);
    } else {
      move_on(r);
      drop_sometimes(r);
    }
  }
  avp_idset_free(r->ids);
  r->ids = NULL;
}

#endif
