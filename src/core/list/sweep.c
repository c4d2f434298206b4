/* sweep.c - see sweep.h.
 *
 * SPDX-License-Identifier: MIT */
#include "sweep.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PAGES_SPARE 16 /* pages a sweep may read beyond twice those of the first total */

void avp_sweep_init(struct avp_sweep *sweep, enum avp_drift drift, long first_page,
                    long asked_size) {
  memset(sweep, 0, sizeof *sweep);
  sweep->drift = drift;
  sweep->first_page = first_page;
  sweep->asked_size = asked_size;
  sweep->number = 1;
  sweep->window = 1;
}

static bool watches(const struct avp_sweep *sweep) { return sweep->drift != AVP_DRIFT_IGNORE; }

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
note(struct avp_sweep *sweep, const char *format, ...) {
  va_list args;
  if (sweep->sign) return;
  sweep->sign = true;
  va_start(args, format);
  vsnprintf(sweep->reason, sizeof sweep->reason, format, args);
  va_end(args);
}

/* The server's word for its page size is believed, unless its own first page shows it wrong: a
 * page that is longer than the server says, or exactly as long as was asked and shorter than the
 * server says, with more to come. Believing that one would end the list early. */
static int64_t believed_size(const struct avp_sweep *sweep, const struct avp_sweep_page *page) {
  int64_t said = page->size > 0 ? page->size : sweep->asked_size;
  bool more = page->has_total && page->total > page->number * page->rows;
  if (sweep->cut_size > 0) return sweep->cut_size;
  if (page->rows > said) return page->rows;
  if (said > sweep->asked_size && page->rows == sweep->asked_size && more) return page->rows;
  return said;
}

static long pages_of(int64_t total, int64_t size) {
  int64_t pages = total / size + (total % size != 0);
  return pages > LONG_MAX / 4 ? LONG_MAX / 4 : (long)pages;
}

long avp_sweep_last(const struct avp_sweep *sweep) {
  long last;
  if (!sweep->has_total || sweep->size == 0) return 0;
  last = pages_of(sweep->total, sweep->size);
  return last > sweep->first_page ? last : sweep->first_page;
}

static void note_total(struct avp_sweep *sweep, const struct avp_sweep_page *page) {
  if (sweep->pages > 0 && page->has_total != sweep->has_total) {
    sweep->total_moved = true;
    note(sweep, "page %ld %s a total count", page->number, page->has_total ? "has" : "lacks");
  } else if (sweep->pages > 0 && page->has_total && page->total != sweep->total) {
    sweep->total_moved = true;
    note(sweep, "the total count went from %.0f to %.0f", (double)sweep->total,
         (double)page->total);
  }
  if (page->has_total) sweep->total = page->total;
  if (page->has_total || sweep->pages == 0) sweep->has_total = page->has_total;
}

static void note_size(struct avp_sweep *sweep, const struct avp_sweep_page *page) {
  if (sweep->pages == 0) {
    sweep->said_size = page->size;
    sweep->size = believed_size(sweep, page);
  } else if (page->size > 0 && page->size != sweep->said_size) {
    note(sweep, "the page size went from %.0f to %.0f", (double)sweep->said_size,
         (double)page->size);
  }
}

/* How many rows the total leaves for this page. */
static int64_t rows_due(const struct avp_sweep *sweep, long number) {
  int64_t before = (number - 1) * sweep->size;
  int64_t left = sweep->total > before ? sweep->total - before : 0;
  return left < sweep->size ? left : sweep->size;
}

static void note_rows(struct avp_sweep *sweep, const struct avp_sweep_page *page) {
  if (page->repeated > 0) {
    note(sweep, "page %ld repeats %.0f rows", page->number, (double)page->repeated);
  }
  if (sweep->has_total && page->rows != rows_due(sweep, page->number)) {
    note(sweep, "page %ld has %.0f rows where the total leaves %.0f", page->number,
         (double)page->rows, (double)rows_due(sweep, page->number));
  }
}

/* The same rows page after page: drift can do that once or twice while rows are added in front,
 * but then the total grows by as many. Gives false where the server only repeats itself. */
static bool check_repeats(struct avp_sweep *sweep, const struct avp_sweep_page *page,
                          struct avp_err *err) {
  int64_t grown;
  if (page->rows == 0 || sweep->same_run == 0 || page->fingerprint != sweep->last_print) {
    sweep->same_run = page->rows > 0 ? 1 : 0;
    sweep->last_print = page->fingerprint;
    sweep->run_total = page->total;
    return true;
  }
  sweep->same_run++;
  grown = page->has_total ? page->total - sweep->run_total : 0;
  if (sweep->same_run < 3 || grown >= (sweep->same_run - 1) * page->rows) return true;
  avp_err_set(err, AVP_ERR_PROTOCOL,
              "the server sends the same page again and again (pages %ld to %ld)",
              page->number - sweep->same_run + 1, page->number);
  return false;
}

/* Pages in turns: with a total the sweep's length is bounded, without one only this ends it. A page
 * is marked, then one twice as far on, and so on (Brent's search for a cycle, in constant memory);
 * a moving list does not come back to the marked page three times. */
static bool check_turns(struct avp_sweep *sweep, const struct avp_sweep_page *page,
                        struct avp_err *err) {
  if (sweep->pages >= sweep->mark_next) {
    sweep->mark = page->fingerprint;
    sweep->mark_next = 2 * sweep->mark_next + 1;
    sweep->mark_hits = 0;
    return true;
  }
  if (page->has_total || page->rows == 0 || page->fingerprint != sweep->mark) return true;
  if (++sweep->mark_hits < 3) return true;
  avp_err_set(err, AVP_ERR_PROTOCOL,
              "the server sends the same pages again and again (page %ld came three times before)",
              page->number);
  return false;
}

/* An empty page is not the end, but a total that promises pages for ever is no list either. */
static bool check_empty_run(struct avp_sweep *sweep, const struct avp_sweep_page *page,
                            struct avp_err *err) {
  sweep->empty_run = page->rows == 0 ? sweep->empty_run + 1 : 0;
  if (sweep->empty_run <= PAGES_SPARE + (sweep->pages + 1 - sweep->empty_run)) return true;
  avp_err_set(err, AVP_ERR_PROTOCOL,
              "the server counts %.0f customers but sends nothing from page %ld on",
              (double)page->total, page->number - sweep->empty_run + 1);
  return false;
}

static bool check_length(struct avp_sweep *sweep, struct avp_err *err) {
  if (sweep->pages_max == 0 && sweep->has_total) {
    long pages = pages_of(sweep->total, sweep->size);
    sweep->pages_max = pages > LONG_MAX / 4 ? LONG_MAX / 2 : 2 * pages + PAGES_SPARE;
  }
  if (sweep->pages_max == 0 || sweep->pages <= sweep->pages_max) return true;
  avp_err_set(err, AVP_ERR_DRIFT,
              "the list grows faster than it can be read: %ld pages read, %.0f customers counted",
              sweep->pages, (double)sweep->total);
  return false;
}

static enum avp_sweep_verdict drift_error(const struct avp_sweep *sweep, struct avp_err *err,
                                          const char *advice) {
  avp_err_set(err, AVP_ERR_DRIFT, "the list changed while it was read: %s; %s", sweep->reason,
              advice);
  err->retryable = true;
  return AVP_SWEEP_FAIL;
}

static const char *advice_for_error(const struct avp_sweep *sweep) {
  if (sweep->resumed) {
    return "what was given out before the position is not known: start anew, or resume with "
           "drift = \"ignore\"";
  }
  return "read it again, or use drift = \"repair\"";
}

/* Ids that should have been read in this sweep. */
static int64_t expected(const struct avp_sweep *sweep) {
  int64_t before = (sweep->first_page - 1) * sweep->size + sweep->skipped;
  return sweep->total > before ? sweep->total - before : 0;
}

static void begin_window(struct avp_sweep *sweep) {
  sweep->window = sweep->window % 255 + 1; /* one that has the number of an old one sees signs */
  sweep->window_pages = 0;
  sweep->window_rows = 0;
}

/* Whether the pages since the last sign, this one included, are all of the list. */
static bool window_is_whole(struct avp_sweep *sweep, const struct avp_sweep_page *page) {
  bool joins = page->has_total && page->total == sweep->window_total && page->in_window == 0;
  if (!page->has_total || page->fresh > 0 || page->repeated > 0 ||
      page->rows != rows_due(sweep, page->number)) {
    sweep->window_total = -1; /* a sign of its own: the next page begins a window, without it */
    return false;
  }
  if (!joins) begin_window(sweep); /* a sign against the pages before: with it */
  sweep->window_total = page->total;
  sweep->window_pages++;
  sweep->window_rows += page->rows;
  return sweep->window_pages > avp_sweep_last(sweep) - sweep->first_page &&
         sweep->window_rows == expected(sweep);
}

enum avp_sweep_verdict avp_sweep_page(struct avp_sweep *sweep, const struct avp_sweep_page *page,
                                      struct avp_err *err) {
  note_total(sweep, page);
  note_size(sweep, page);
  if (watches(sweep)) note_rows(sweep, page);
  sweep->distinct += page->rows - page->repeated - (sweep->pages == 0 ? sweep->skipped : 0);
  sweep->fresh += page->fresh;
  sweep->repeated += page->repeated;
  sweep->last_rows = page->rows;
  sweep->print =
      (sweep->print ^ page->fingerprint) * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)page->total + 1;
  sweep->even_rows = sweep->pages == 0 || page->rows == sweep->even_rows ? page->rows : -1;
  if (!check_repeats(sweep, page, err) || !check_turns(sweep, page, err) ||
      !check_empty_run(sweep, page, err)) {
    return AVP_SWEEP_FAIL;
  }
  sweep->pages++;
  if (!check_length(sweep, err)) return AVP_SWEEP_FAIL;
  if (sweep->sign && sweep->drift == AVP_DRIFT_ERROR) {
    return drift_error(sweep, err, advice_for_error(sweep));
  }
  if (sweep->number > 1 && sweep->drift == AVP_DRIFT_REPAIR && window_is_whole(sweep, page)) {
    return AVP_SWEEP_END;
  }
  return AVP_SWEEP_GO_ON;
}

bool avp_sweep_is_over(const struct avp_sweep *sweep, long next) {
  if (sweep->pages == 0) return false;
  if (sweep->has_total) return next > avp_sweep_last(sweep);
  return sweep->last_rows < sweep->size; /* without a total a short page is the last */
}

static void begin_next(struct avp_sweep *sweep) {
  sweep->print_before = sweep->print;
  sweep->print = 0;
  sweep->number++;
  sweep->pages = 0;
  sweep->sign = false;
  sweep->total_moved = false;
  sweep->distinct = 0;
  sweep->fresh = 0;
  sweep->repeated = 0;
  sweep->empty_run = 0;
  sweep->same_run = 0;
  sweep->mark_next = 0;
}

static enum avp_sweep_verdict sweep_again(struct avp_sweep *sweep, struct avp_err *err) {
  if (sweep->number >= AVP_SWEEPS_MAX) {
    return drift_error(sweep, err, "it did not come to rest in eight sweeps; read it again later");
  }
  begin_next(sweep);
  return AVP_SWEEP_AGAIN;
}

/* Rows are missing, and each page has the same number of rows, fewer than the server says: it may
 * cut pages without a word. Then there are more pages than it seems. */
static bool learn_size(struct avp_sweep *sweep, int64_t gap) {
  if (gap <= 0 || sweep->cut_size > 0 || sweep->pages < 2) return false;
  if (sweep->even_rows <= 0 || sweep->even_rows >= sweep->size) return false;
  sweep->cut_size = sweep->even_rows;
  note(sweep, "all pages have %.0f rows where the server says %.0f", (double)sweep->even_rows,
       (double)sweep->size);
  return true;
}

/* The same rows in the same order under the same total, twice: the list stands still. Where its
 * rows do not add up, the total is off. */
static enum avp_sweep_verdict end_at_rest(struct avp_sweep *sweep, int64_t gap,
                                          struct avp_err *err) {
  if (gap == 0) return AVP_SWEEP_END;
  if (learn_size(sweep, gap)) return sweep_again(sweep, err);
  if (gap > 0 && sweep->drift == AVP_DRIFT_REPAIR) {
    sweep->missing = gap;
    return AVP_SWEEP_END;
  }
  return drift_error(sweep, err,
                     gap > 0 ? "the total may count customers that this app registration must not "
                               "see; drift = \"repair\" accepts that"
                             : "the total is lower than what is there");
}

/* The end of a second or later sweep. */
static enum avp_sweep_verdict end_repair(struct avp_sweep *sweep, int64_t gap,
                                         struct avp_err *err) {
  bool steady = !sweep->total_moved && sweep->fresh == 0;
  if (sweep->fresh > 0) {
    note(sweep, "sweep %d found %.0f more customers", sweep->number, (double)sweep->fresh);
  }
  /* a row that came twice may have kept another from being seen, even where the ids add up */
  if (steady && gap == 0 && sweep->repeated == 0) return AVP_SWEEP_END;
  if (steady && sweep->print == sweep->print_before) return end_at_rest(sweep, gap, err);
  return sweep_again(sweep, err);
}

enum avp_sweep_verdict avp_sweep_end(struct avp_sweep *sweep, struct avp_err *err) {
  int64_t gap = sweep->has_total ? expected(sweep) - sweep->distinct : 0;
  if (!watches(sweep)) {
    sweep->missing = gap > 0 ? gap : 0; /* rows, not ids: these are not known */
    return AVP_SWEEP_END;
  }
  if (gap != 0) {
    note(sweep, "%.0f customers were read and %.0f counted", (double)sweep->distinct,
         (double)expected(sweep));
  }
  if (sweep->drift == AVP_DRIFT_ERROR) {
    return sweep->sign ? drift_error(sweep, err, advice_for_error(sweep)) : AVP_SWEEP_END;
  }
  if (sweep->number > 1) return end_repair(sweep, gap, err);
  if (!sweep->sign && sweep->drift == AVP_DRIFT_REPAIR) return AVP_SWEEP_END;
  return sweep_again(sweep, err);
}
