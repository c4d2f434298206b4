/* sweep_reader.h - a reader that drives sweep.h as the binding's reader does, over a server that a
 * test plays. A page's content is fixed at the moment it is fetched, which may be long before it
 * is taken, as with pages that are asked for ahead.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_SWEEP_READER_H
#define AVP_SWEEP_READER_H

#include "check.h"
#include "list/idset.h"
#include "list/sweep.h"

#define ROWS_MAX   100   /* rows of a page */
#define IDS_MAX    32768 /* ids are 0 to IDS_MAX - 1 */
#define WINDOW_MAX 4
#define PAGES_CAP  20000 /* a reader that took so many pages would go on for ever */

struct page {
  bool here;    /* it was fetched */
  long version; /* of the list when it was fetched */
  int ids[ROWS_MAX];
  int rows;
  bool has_total;
  int64_t total;
  int64_t said; /* the server's word for its page size, 0 if it has none */
};

struct server {
  void (*serve)(struct server *server, long number, struct page *out);
};

/* What one sweep has shown, noted by the test itself and not taken from sweep.c. */
struct record {
  long pages;
  int64_t total;     /* on the first page */
  bool totals_equal; /* on all pages, and there was one */
  bool no_totals;    /* on no page */
  bool cut_short;    /* a page was short and not the last */
  int last_rows;     /* rows of the latest page */
  int64_t distinct;  /* different ids */
  int64_t repeats;   /* rows whose id had come before in this sweep */
  int64_t fresh;     /* ids that no sweep had shown */
  long oldest;       /* version of the list */
  long newest;
};

#define KEPT_MAX 512

struct kept {
  struct page page;
  int64_t fresh; /* of its ids, when it was taken */
};

struct reader {
  struct avp_sweep sweep;
  struct avp_idset *ids;
  struct server *server;
  uint64_t random; /* 0: fetch all that the window allows, in order */
  int window;
  long next;
  long last;
  struct page slots[WINDOW_MAX];
  bool yielded[IDS_MAX];
  int stamp[IDS_MAX];             /* sweep that showed the id last */
  long fetched;                   /* pages, in all sweeps */
  int64_t count;                  /* ids yielded */
  int64_t twice;                  /* ids yielded again: never */
  long highest;                   /* highest page number fetched */
  struct record now;              /* the sweep that runs, or the last one */
  struct record prior;            /* the one before */
  enum avp_sweep_verdict verdict; /* END or FAIL; GO_ON: would go on for ever */
  struct avp_err err;
  struct kept kept[KEPT_MAX]; /* the latest pages, in a ring */
  long kept_count;
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

static inline void reader_init(struct reader *r, struct server *server, enum avp_drift drift,
                               int asked_size) {
  memset(r, 0, sizeof *r);
  avp_sweep_init(&r->sweep, drift, 1, asked_size);
  r->server = server;
  r->window = 1;
  r->next = 1;
  r->ids = drift == AVP_DRIFT_IGNORE ? NULL : avp_idset_new();
}

static inline struct page *slot_of(struct reader *r, long number) {
  return &r->slots[number % WINDOW_MAX];
}

static inline void drop_slots(struct reader *r, long above) {
  long page;
  for (page = above + 1; page < r->next + WINDOW_MAX; page++) slot_of(r, page)->here = false;
}

static inline void fetch(struct reader *r, long number) {
  struct page *page = slot_of(r, number);
  if (page->here) return;
  memset(page, 0, sizeof *page);
  r->server->serve(r->server, number, page);
  page->here = true;
  r->fetched++;
  if (number > r->highest) r->highest = number;
}

/* Now and then all that waits is dropped and asked for anew, as after a `break` in a loop. */
static inline void drop_sometimes(struct reader *r) {
  if (r->random != 0 && below(&r->random, 16) == 0) drop_slots(r, r->next - 1);
}

/* The next page, before or after some of those behind it that may be asked for too. */
static inline void fetch_some(struct reader *r) {
  int ahead = r->last > 0 ? r->window : 1;
  int first = r->random != 0 ? below(&r->random, ahead) : 0;
  int i;
  for (i = 0; i < ahead; i++) {
    long number = r->next + (first + i) % ahead;
    if (number != r->next && number > r->last) continue;
    if (number != r->next && r->random != 0 && below(&r->random, 3) == 0) continue;
    fetch(r, number);
  }
}

static inline void note_record(struct reader *r, const struct page *page) {
  struct record *now = &r->now;
  if (now->pages == 0) {
    now->total = page->total;
    now->totals_equal = page->has_total;
    now->no_totals = true;
    now->oldest = now->newest = page->version;
  } else if (now->last_rows < r->sweep.size) {
    now->cut_short = true;
  }
  if (!page->has_total || page->total != now->total) now->totals_equal = false;
  if (page->has_total) now->no_totals = false;
  if (page->version < now->oldest) now->oldest = page->version;
  if (page->version > now->newest) now->newest = page->version;
  now->last_rows = page->rows;
  now->pages++;
}

/* One row, as note_row of reader.c; gives a part of the fingerprint. */
static inline uint64_t take_row(struct reader *r, int id, struct avp_sweep_page *page) {
  enum avp_idset_result seen = AVP_IDSET_NEW;
  if (r->ids != NULL) {
    struct avp_id key = avp_idset_id(r->ids, (const char *)&id, sizeof id);
    CHECK(avp_idset_reserve(r->ids, &key));
    seen = avp_idset_add(r->ids, &key, r->sweep.number);
    page->in_window += avp_idset_note_window(r->ids, &key, r->sweep.window);
  }
  if (seen == AVP_IDSET_NEW) {
    page->fresh++;
    r->twice += r->yielded[id];
    r->yielded[id] = true;
    r->count++;
  }
  if (seen == AVP_IDSET_REPEATED) page->repeated++;
  if (r->stamp[id] == r->sweep.number) {
    r->now.repeats++;
  } else {
    r->now.distinct++;
    r->now.fresh += r->stamp[id] == 0;
  }
  r->stamp[id] = r->sweep.number;
  return (uint64_t)id + 1;
}

/* As note_window of reader.c. */
static inline void mark_window(struct reader *r, const struct page *page) {
  int i;
  for (i = 0; r->ids != NULL && i < page->rows; i++) {
    struct avp_id key = avp_idset_id(r->ids, (const char *)&page->ids[i], sizeof page->ids[i]);
    (void)avp_idset_note_window(r->ids, &key, r->sweep.window);
  }
}

/* Keeps the page for note_last_pages. */
static inline void keep(struct reader *r, const struct page *page, int64_t fresh) {
  struct kept *kept = &r->kept[r->kept_count++ % KEPT_MAX];
  kept->page = *page;
  kept->fresh = fresh;
}

/* The listing ended in mid-sweep: what the last pages have shown that together are the list. */
static inline void note_last_pages(struct reader *r) {
  long n = avp_sweep_last(&r->sweep) - r->sweep.first_page + 1;
  static bool seen[IDS_MAX];
  long k;
  int i;
  CHECK(n <= KEPT_MAX && n <= r->kept_count);
  memset(seen, 0, sizeof seen);
  memset(&r->now, 0, sizeof r->now);
  for (k = r->kept_count - n; k < r->kept_count; k++) {
    const struct kept *kept = &r->kept[k % KEPT_MAX];
    note_record(r, &kept->page);
    r->now.cut_short = false; /* the last page of the list may stand in the midst */
    r->now.fresh += kept->fresh;
    for (i = 0; i < kept->page.rows; i++) {
      if (seen[kept->page.ids[i]]) {
        r->now.repeats++;
      } else {
        r->now.distinct++;
      }
      seen[kept->page.ids[i]] = true;
    }
  }
  memset(&r->prior, 0, sizeof r->prior);
}

/* As take_page of reader.c. */
static inline void take_page(struct reader *r) {
  struct page *page = slot_of(r, r->next);
  struct avp_sweep_page told;
  int window;
  int i;
  memset(&told, 0, sizeof told);
  told.number = r->next;
  told.rows = page->rows;
  told.has_total = page->has_total;
  told.total = page->total;
  told.size = page->said;
  for (i = 0; i < page->rows; i++) {
    told.fingerprint =
        told.fingerprint * UINT64_C(0x9e3779b97f4a7c15) + take_row(r, page->ids[i], &told);
  }
  note_record(r, page);
  keep(r, page, told.fresh);
  window = r->sweep.window;
  r->verdict = avp_sweep_page(&r->sweep, &told, &r->err);
  if (r->sweep.window != window) mark_window(r, page);
  if (r->verdict == AVP_SWEEP_END) note_last_pages(r);
  page->here = false;
  r->next++;
  r->last = avp_sweep_last(&r->sweep);
  if (r->last > 0) drop_slots(r, r->last > r->next - 1 ? r->last : r->next - 1);
}

/* As end_sweep of reader.c. */
static inline void end_sweep(struct reader *r) {
  r->verdict = avp_sweep_end(&r->sweep, &r->err);
  if (r->verdict != AVP_SWEEP_AGAIN) return;
  r->next = r->sweep.first_page;
  memset(r->slots, 0, sizeof r->slots);
  r->prior = r->now;
  memset(&r->now, 0, sizeof r->now);
}

/* Reads the list to its end, to an error, or to the cap. */
static inline void reader_run(struct reader *r) {
  r->next = r->sweep.first_page;
  r->verdict = AVP_SWEEP_GO_ON;
  while (r->fetched < PAGES_CAP && r->verdict != AVP_SWEEP_END && r->verdict != AVP_SWEEP_FAIL) {
    if (avp_sweep_is_over(&r->sweep, r->next)) {
      end_sweep(r);
    } else {
      drop_sometimes(r);
      fetch_some(r);
      take_page(r);
    }
  }
  avp_idset_free(r->ids);
  r->ids = NULL;
}

#endif
