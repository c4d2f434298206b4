/* drift_list.h - lists that are written down, for the tests of drift.h: servers at rest, honest or
 * not, and a reader of one.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_DRIFT_LIST_H
#define AVP_DRIFT_LIST_H

#include "drift_reader.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))

static struct reader r; /* large, and used by one test at a time */

static const enum avp_drift_mode modes[] = {AVP_DRIFT_REPAIR, AVP_DRIFT_STRICT, AVP_DRIFT_ERROR,
                                            AVP_DRIFT_IGNORE};
static const char *const mode_names[] = {"repair", "strict", "error", "ignore"};
static const int widths[] = {1, 4, 16};

static inline void check_fail(enum avp_err_kind kind, const char *words) {
  CHECK_INT(AVP_DRIFT_FAIL, r.verdict);
  if (r.verdict != AVP_DRIFT_FAIL) return;
  CHECK_STR(avp_err_kind_name(kind), avp_err_kind_name(r.err.kind));
  if (strstr(r.err.message, words) == NULL) printf("# \"%s\"\n", r.err.message);
  CHECK(strstr(r.err.message, words) != NULL);
}

/* Totals that are no number. */
enum { NONE = -1000000, OWN_PAGE };

/* What comes for a page past the end: no rows and the total; neither, as for each empty page (404);
 * the last page. */
enum past { EMPTY, NO_PAGE, CLAMPED };

/* Row n has the id n. */
struct list {
  struct server server;
  int rows;
  int size;     /* of a page */
  int64_t over; /* the total is so much too high; NONE; OWN_PAGE: it counts the page's rows */
  enum past past;
  int from; /* each `hide`-th row from this one to that one is counted and not sent */
  int to;
  int hide;
  bool compact;  /* they are left out before the list is cut into pages */
  int twice;     /* in this place row 0 is listed again */
  long wide;     /* this page has one row too many: the first one of the next page */
  long turns;    /* after so many pages the first one comes again, and so on */
  int added;     /* rows that each request adds, at the end */
  bool puffed;   /* each request adds a page to the total, and no row */
  bool restless; /* each other request shows a total that is one higher */
};

static inline bool is_hidden(const struct list *s, int place) {
  return s->hide > 0 && place >= s->from && place < s->to && (place - s->from) % s->hide == 0;
}

static inline int hidden_rows(const struct list *s) {
  int hidden = 0;
  int i;
  for (i = 0; i < s->rows; i++) hidden += is_hidden(s, i);
  return hidden;
}

static inline void cut_page(const struct list *s, long number, struct page *out) {
  int64_t from = (int64_t)(number - 1) * s->size;
  int64_t to = from + s->size + (number == s->wide);
  int64_t n = 0;
  int i;
  for (i = 0; i < s->rows && i < IDS_MAX && n < to; i++) {
    bool hidden = is_hidden(s, i);
    if (hidden && s->compact) continue;
    if (n >= from && n < to && !hidden) out->ids[out->rows++] = i == s->twice && i > 0 ? 0 : i;
    n++;
  }
}

static inline void serve_list(struct server *server, long number, struct page *out) {
  struct list *s = (struct list *)server;
  int cut = s->rows - (s->compact ? hidden_rows(s) : 0);
  long last = cut > 0 ? (cut - 1) / s->size + 1 : 1;
  bool past = number > last;
  if (past && s->past == CLAMPED) number = last;
  if (s->turns > 0) number = (number - 1) % s->turns + 1;
  cut_page(s, number, out);
  out->has_total = s->over != NONE && !(number > 1 && out->rows == 0 && s->past == NO_PAGE);
  if (out->has_total) out->total = s->over == OWN_PAGE ? out->rows : s->rows + s->over;
  s->rows += s->added;
  if (s->puffed) s->over += s->size;
  if (s->restless) s->over = !s->over;
}

static inline void read_list(struct list s, enum avp_drift_mode mode, int asked, int width) {
  s.server.serve = serve_list;
  reader_init(&r, &s.server, mode, asked, width);
  reader_run(&r);
}

#define ROWS(n)       .rows = (n), .size = 10
#define HIDE(a, b, n) .from = (a), .to = (b), .hide = (n)

#endif
