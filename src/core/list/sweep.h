/* sweep.h - whether a list that moved while it was read was nevertheless read whole.
 *
 * Pages are numbered, so a customer added or removed while the list is read shifts the rest: some
 * row is then read twice, or never. This unit watches for the signs: an id seen twice in one
 * sweep, a total that changes, a page with fewer or more rows than the total leaves for it, ids
 * that do not add up to the total. After a sweep with a sign it asks for another one, until one
 * finds nothing new under one constant total. That one may begin on any page: once as many pages
 * in a row as the list has, the last followed by the first, have shown no sign, it is whole.
 *
 * A pure state machine: no ids (idset.h), no pages, no time. It is told what each page held and
 * answers what to do.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_SWEEP_H
#define AVP_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../ground/err.h"

#define AVP_SWEEPS_MAX 8

enum avp_drift {
  AVP_DRIFT_REPAIR, /* sweep again after a sign */
  AVP_DRIFT_STRICT, /* also once more after a sweep without one */
  AVP_DRIFT_ERROR,  /* an error at the first sign */
  AVP_DRIFT_IGNORE  /* look for no sign */
};

/* What one page held. */
struct avp_sweep_page {
  long number;
  int64_t rows;      /* rows on it */
  int64_t fresh;     /* ids not seen before in any sweep */
  int64_t repeated;  /* ids seen before in this sweep */
  int64_t in_window; /* ids seen before in this window (avp_sweep.window) */
  bool has_total;
  int64_t total;        /* the server's count of all rows */
  int64_t size;         /* the page size that the server says it used, 0 if it does not */
  uint64_t fingerprint; /* a hash of its ids in order */
};

struct avp_sweep {
  enum avp_drift drift;
  long first_page;       /* sweeps begin there */
  bool resumed;          /* the listing goes on from a position */
  int64_t skipped;       /* rows of the first page that lie before the resumed position */
  long asked_size;       /* the page size asked of the server */
  int number;            /* of this sweep, from 1 */
  long pages;            /* read in this sweep */
  bool sign;             /* this sweep has shown one */
  char reason[128];      /* the first sign of this sweep, in words */
  bool total_moved;      /* one sign was the total */
  bool has_total;        /* on the latest page */
  int64_t total;         /* on the latest page that had one */
  int64_t said_size;     /* the server's word for its page size on the first page, or 0 */
  int64_t size;          /* the page size that is believed */
  int64_t even_rows;     /* rows of every page of this sweep, -1 where they differ */
  int64_t cut_size;      /* the page size as earlier sweeps have shown it, 0 if they have not */
  int64_t last_rows;     /* rows of the latest page */
  int64_t distinct;      /* different ids in this sweep */
  int64_t fresh;         /* of these, new ones */
  int64_t repeated;      /* rows whose id came twice in this sweep */
  long pages_max;        /* most pages a sweep reads; set by the first total, 0 before it */
  long empty_run;        /* empty pages in a row */
  uint64_t last_print;   /* fingerprint of the page before */
  int same_run;          /* pages in a row with that fingerprint */
  int64_t run_total;     /* total at the first of them */
  uint64_t mark;         /* fingerprint of the page that later ones are compared with */
  long mark_next;        /* pages of the sweep after which another one is marked */
  int mark_hits;         /* pages like it since */
  uint64_t print;        /* of all pages of this sweep, in order */
  uint64_t print_before; /* of the sweep before, 0 in the first */
  int window;            /* number of the window of pages without a sign, 1 to 255 in turns */
  long window_pages;     /* pages in it */
  int64_t window_rows;   /* rows on them */
  int64_t window_total;  /* the total on all of them */
  int64_t missing;       /* at the end: ids that the server counts but does not send */
};

enum avp_sweep_verdict {
  AVP_SWEEP_GO_ON, /* the next page, if there is one; avp_sweep_last tells */
  AVP_SWEEP_AGAIN, /* from the first page, as a new sweep */
  AVP_SWEEP_END,   /* the list was read whole, or `missing` says how much the total overstates */
  AVP_SWEEP_FAIL   /* `err` is filled: `drift` or `protocol` */
};

void avp_sweep_init(struct avp_sweep *sweep, enum avp_drift drift, long first_page,
                    long asked_size);

/* Takes a page in. GO_ON, FAIL, or END where a repairing sweep is whole (it brought nothing new, so
 * there is nothing to deliver). Where `window` is another one afterwards, the page's ids are to be
 * noted for it. */
enum avp_sweep_verdict avp_sweep_page(struct avp_sweep *sweep, const struct avp_sweep_page *page,
                                      struct avp_err *err);

/* The last page by the latest total, at least the first; 0 where there is no total. */
long avp_sweep_last(const struct avp_sweep *sweep);

/* Whether page `next` is behind the end of this sweep. */
bool avp_sweep_is_over(const struct avp_sweep *sweep, long next);

/* At the end of a sweep: what now. AGAIN begins the next one. */
enum avp_sweep_verdict avp_sweep_end(struct avp_sweep *sweep, struct avp_err *err);

#endif
