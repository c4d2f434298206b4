/* drift.c - decides which pages are read again, and when a list was read whole (drift.h).
 *
 * SPDX-License-Identifier: MIT */
#include "drift.h"

#include <limits.h>
#include <string.h>

#define PAGES_FACTOR 12 /* a listing asks for at most so many times the pages that there are, */
#define PAGES_SPARE  48 /* and so many more */
#define SPREAD       UINT64_C(0x9e3779b97f4a7c15) /* for hashes */

/* limits ---------------------------------------------------------------------------------------*/

static long limit_of(const struct avp_drift_limits *limits, uint16_t era) {
  int i = limits->count;
  while (i > 0 && limits->era[i - 1] >= era) i--;
  return i < limits->count ? limits->page[i] : LONG_MAX;
}

/* Bounds all marks up to this era. If there are too many limits, the two oldest become one: with
 * the lower page, or the higher one. */
static void set_limit(struct avp_drift_limits *limits, uint16_t era, long page, bool lower) {
  while (limits->count > 0 && limits->page[limits->count - 1] >= page) limits->count--;
  if (limits->count == AVP_DRIFT_LIMITS) {
    if (lower) limits->page[1] = limits->page[0];
    limits->count--;
    memmove(limits->era, limits->era + 1, sizeof limits->era - sizeof limits->era[0]);
    memmove(limits->page, limits->page + 1, sizeof limits->page - sizeof limits->page[0]);
  }
  limits->era[limits->count] = era;
  limits->page[limits->count++] = page;
}

static const struct avp_page *latest(const struct avp_drift *drift) {
  return avp_recent_last(&drift->now.recent);
}

/* sizes ----------------------------------------------------------------------------------------*/

static int64_t size_of_page(const struct avp_drift *drift) {
  return drift->page_size > 0 ? drift->page_size : drift->asked_size;
}

/* Servers cut pages without a word, whatever size they claim: the fullest page that had more behind
 * it shows how many rows a page can have. */
static void learn_size(struct avp_drift *drift, const struct avp_page *page) {
  int64_t size = page->rows > drift->page_size ? page->rows : drift->page_size;
  bool more = page->has_total && !drift->own_totals &&
              page->total > (int64_t)(page->number - 1) * size + page->rows;
  if (page->rows > 0 && page->number == latest(drift)->number + 1 &&
      latest(drift)->rows > drift->page_size) {
    drift->page_size = latest(drift)->rows;
  }
  if (more) drift->page_size = size;
  if (page->rows > 0 && page->number > drift->highest) drift->highest = page->number;
}

static bool is_full(const struct avp_drift *drift, const struct avp_page *page) {
  return page->rows >= drift->asked_size || page->rows >= size_of_page(drift);
}

/* The last page by the total. */
static long last_page(const struct avp_drift *drift) {
  int64_t size = size_of_page(drift);
  int64_t pages = drift->total / size + (drift->total % size != 0);
  if (pages > LONG_MAX / 32) pages = LONG_MAX / 32;
  return (long)pages > drift->first_page ? (long)pages : drift->first_page;
}

long avp_drift_last(const struct avp_drift *drift) {
  if (!drift->has_total) return 0;
  return last_page(drift) + (drift->total > 0 && drift->total % size_of_page(drift) == 0);
}

static bool is_past_end(const struct avp_drift *drift, const struct avp_page *page, int64_t total) {
  return page->rows == 0 && (int64_t)(page->number - 1) * size_of_page(drift) >= total;
}

/* Whether a page that is like another need not be a repetition: rows without ids may be alike, if
 * the total left some for it. */
static bool may_be_alike(const struct avp_drift *drift, const struct avp_page *page) {
  int64_t before = (int64_t)(page->number - 1) * size_of_page(drift);
  return drift->without_ids && (!page->has_total || before < page->total);
}

static void set_bound(struct avp_drift *drift) {
  long pages = drift->highest;
  if (drift->has_total) {
    int64_t grown = drift->total - drift->first_total;
    if (last_page(drift) > pages) pages = last_page(drift);
    /* what the list has grown by does not count: it could grow as fast as it is read */
    if (grown > 0) pages -= (long)(grown / size_of_page(drift));
  }
  drift->most = PAGES_FACTOR * (pages > 1 ? pages : 1) + PAGES_SPARE;
}

/* readings -------------------------------------------------------------------------------------*/

static void begin_reading(struct avp_drift *drift) {
  drift->reading++;
  drift->next = drift->first_page;
  drift->width = drift->reading > 1 ? drift->max_width : 1;
  drift->reading_era = ++drift->era;
  drift->anchors.count = drift->current.count = 0;
  drift->over = false;
  drift->same_run = 0;
  drift->seen_before = drift->seen;
  drift->print_before = drift->now.print;
  memset(&drift->now, 0, sizeof drift->now);
}

void avp_drift_init(struct avp_drift *drift, enum avp_drift_mode mode, long first_page,
                    int64_t asked_size, int max_width, bool resumed) {
  memset(drift, 0, sizeof *drift);
  drift->mode = mode;
  drift->first_page = first_page;
  drift->asked_size = asked_size;
  drift->max_width = max_width;
  drift->resumed = resumed;
  set_bound(drift);
  begin_reading(drift);
}

bool avp_drift_is_firm(const struct avp_drift *drift) {
  return drift->reading == 1 && drift->now.sign_page == 0;
}

/* ids ------------------------------------------------------------------------------------------*/

static bool is_of_reading(const struct avp_drift *drift, const struct avp_mark *mark) {
  return mark->era >= drift->reading_era;
}

/* Whether a row of page `number` can have come to this page because the total has grown since. */
static bool is_pushed(const struct avp_drift *drift, long number, const struct avp_page *page) {
  const struct avp_page *from = avp_recent_accepted(&drift->now.recent, number);
  return from->has_total && page->has_total &&
         page->total - from->total > (int64_t)(page->number - number - 1) * size_of_page(drift);
}

void avp_drift_look(const struct avp_drift *drift, struct avp_page *page,
                    const struct avp_mark *mark) {
  long number = drift->first_page + (long)mark->page - 1;
  if (!is_of_reading(drift, mark)) {
    page->has_new = true;
  } else if (mark->page > 0) {
    bool tells = number == page->number - 1 || page->number > drift->now.top;
    if (number <= limit_of(&drift->anchors, mark->era)) page->anchored = true;
    if (tells && number <= limit_of(&drift->current, mark->era) &&
        !is_pushed(drift, number, page)) {
      page->repeats = true;
    }
  }
}

bool avp_drift_take(struct avp_drift *drift, struct avp_mark *mark) {
  const struct avp_page *page = latest(drift);
  long place = page->number - drift->first_page + 1;
  bool counts = page->accepted && place <= AVP_PAGE_MAX;
  bool is_first = mark->era == 0;
  bool is_new = !is_of_reading(drift, mark);
  drift->seen += is_first;
  drift->now.seen += is_new;
  if (counts || is_new) {
    mark->era = drift->era;
    mark->page = counts ? (uint32_t)place : 0;
  }
  return is_first;
}

/* servers that repeat themselves ---------------------------------------------------------------*/

/* The same rows under other numbers: rows that are added in front can do that once or twice, but
 * then the total grows by as many. False if the server only repeats itself. */
static bool check_same(struct avp_drift *drift, const struct avp_page *page, struct avp_err *err) {
  int64_t grown = page->has_total ? page->total - drift->same_total : 0;
  if (page->rows == 0 || drift->same_run == 0 || page->fingerprint != latest(drift)->fingerprint) {
    drift->same_run = page->rows > 0;
    drift->same_total = page->total;
    return true;
  }
  drift->same_run++;
  if (drift->same_run < 3 || grown >= (drift->same_run - 1) * page->rows) return true;
  avp_err_set(err, AVP_ERR_PROTOCOL,
              "the server sends the same page again and again (pages %ld to %ld)",
              page->number - drift->same_run + 1, page->number);
  return false;
}

/* Pages in turns: with a total the number of pages is bounded, without one (or without a look at
 * the ids) only this ends them. A page is marked, then one twice as far on, and so on (Brent's
 * search for a cycle, in constant memory); a moving list does not come back to the marked page
 * three times. */
static bool check_turns(struct avp_drift *drift, const struct avp_page *page, struct avp_err *err) {
  unsigned before = drift->now.recent.count;
  if ((before & (before + 1)) == 0) {
    drift->turn_print = page->fingerprint;
    drift->turn_hits = 0;
    return true;
  }
  if (page->has_total && (drift->mode != AVP_DRIFT_IGNORE || may_be_alike(drift, page)))
    return true;
  if (page->rows == 0 || page->fingerprint != drift->turn_print) return true;
  if (++drift->turn_hits < 3) return true;
  avp_err_set(err, AVP_ERR_PROTOCOL,
              "the server sends the same pages again and again (page %ld came three times before)",
              page->number);
  return false;
}

/* totals ---------------------------------------------------------------------------------------*/

static bool counts_itself(const struct avp_page *page) {
  return page->has_total && page->total == page->rows;
}

/* A page 2 with rows for which the total of page 1 left none, while both count just their own:
 * there is no total of the list. */
static void detect_own_totals(struct avp_drift *drift, const struct avp_page *before,
                              const struct avp_page *page) {
  if (page->number != drift->first_page + 1 || page->rows == 0 || page->anchored) return;
  if (drift->mode == AVP_DRIFT_IGNORE || drift->step > 0) return;
  if (counts_itself(before) && counts_itself(page)) {
    drift->own_totals = true;
    drift->has_total = false;
  }
}

static void note_total(struct avp_drift *drift, const struct avp_page *page) {
  if (!page->has_total || drift->own_totals) return;
  if (!drift->has_total) {
    drift->first_total = page->total;
  } else if (page->total != drift->total) {
    drift->ever_moved = true;
    if (drift->now.recent.count > 0) {
      drift->now.moved = true;
      if (page->total > drift->total) drift->now.grown += page->total - drift->total;
    }
  }
  drift->has_total = true;
  drift->total = page->total;
}

/* acceptance -----------------------------------------------------------------------------------*/

/* One of the two pages shows no total although the list has one. It is believed the second time, if
 * the page before it has not changed since. */
static bool is_believed(struct avp_drift *drift, const struct avp_page *before,
                        const struct avp_page *page) {
  uint64_t print =
      (before->fingerprint + (uint64_t)before->total) * SPREAD + (uint64_t)page->number;
  if (page->anchored || avp_recent_both_empty(&drift->now.recent, page)) return true;
  if (is_past_end(drift, page, drift->total) || print == drift->lacking) return true;
  drift->lacking = print;
  return false;
}

/* The rule of drift.h. */
static bool is_accepted(struct avp_drift *drift, const struct avp_page *before,
                        const struct avp_page *page) {
  const struct avp_recent *recent = &drift->now.recent;
  bool rested;
  if (page->number == drift->first_page) return true;
  if (drift->step > 0) return page->anchored;
  if (!drift->has_total && page->rows > 0) drift->blind = true;
  if (drift->mode == AVP_DRIFT_IGNORE || !drift->has_total) return true;
  if (!before->has_total || !page->has_total) return is_believed(drift, before, page);
  rested = page->total == before->total && avp_recent_rested(recent, before, page);
  if (rested && page->repeats) drift->now.swapped = true;
  return (rested || page->anchored) &&
         avp_recent_doubt(recent, page, drift->max_width) == page->number;
}

/* Whether the accepted page is the last of the reading. */
static bool ends_reading(const struct avp_drift *drift, const struct avp_page *page) {
  bool ignore = drift->mode == AVP_DRIFT_IGNORE;
  bool is_new = page->number > drift->now.top && page->number > drift->now.sign_page;
  bool nothing_new = ignore ? drift->repeated : is_new && !page->has_new;
  if (avp_recent_both_empty(&drift->now.recent, page)) return true;
  if (drift->has_total) {
    return page->number >= last_page(drift) && (nothing_new || !is_full(drift, page));
  }
  if (page->rows == 0) return true;
  return ignore ? drift->page_size > 0 && !is_full(drift, page) : nothing_new;
}

static void accept(struct avp_drift *drift, const struct avp_page *page) {
  struct avp_drift_reading *now = &drift->now;
  drift->over = ends_reading(drift, page);
  drift->next = page->number + 1;
  if (page->number >= now->sign_page) now->sign_page = 0;
  if (page->number > now->top) now->top = page->number;
  if (drift->step > 0) {
    drift->step = 0;
  } else if (now->recent.count == 0) {
    drift->width = drift->max_width;
  } else if (++now->held >= 2 * drift->width && drift->width < drift->max_width) {
    drift->width++;
    now->held = 0;
  }
}

/* Begins to read again from page `to`, where a page counts only if it is anchored. */
static void read_again_from(struct avp_drift *drift, long to, long step) {
  set_limit(&drift->current, drift->era, to - 1, false);
  avp_recent_reject(&drift->now.recent, to);
  drift->era++;
  drift->step = step;
  drift->same_run = drift->now.held = 0;
  drift->width = 1;
  drift->next = to;
  if (to == drift->first_page) drift->now.grown = 0; /* who was added meanwhile is met now */
}

void avp_drift_recheck(struct avp_drift *drift) {
  bool begun = drift->next > drift->first_page && !drift->over && drift->step == 0;
  if (begun && drift->mode != AVP_DRIFT_IGNORE) read_again_from(drift, drift->next - 1, 1);
}

static void go_back(struct avp_drift *drift, const struct avp_page *before,
                    const struct avp_page *page) {
  long step = drift->step > 0 ? 2 * drift->step : 1;
  long to = page->number - step;
  if (drift->step == 0) {
    if (before->has_total && page->has_total) {
      to = avp_recent_doubt(&drift->now.recent, page, drift->max_width) - 1;
    }
    if (to < page->number - 1) set_limit(&drift->anchors, drift->era, to, true);
    if (page->number > drift->now.sign_page) drift->now.sign_page = page->number;
  }
  drift->went_back++;
  drift->now.sign = true;
  read_again_from(drift, to < drift->first_page ? drift->first_page : to, step);
}

/* errors ---------------------------------------------------------------------------------------*/

static enum avp_drift_verdict fail(const struct avp_drift *drift, struct avp_err *err,
                                   const char *advice) {
  avp_err_add(err, "; %s", advice);
  err->retryable = !drift->resumed;
  return AVP_DRIFT_FAIL;
}

static enum avp_drift_verdict fail_at_sign(const struct avp_drift *drift, struct avp_err *err) {
  return fail(drift, err,
              drift->resumed ? "what was given out before the position is not known: start anew, "
                               "or resume with drift = \"ignore\""
                             : "read it again, or use drift = \"repair\"");
}

static void name_sign(struct avp_err *err, const struct avp_page *before,
                      const struct avp_page *page) {
  avp_err_set(err, AVP_ERR_DRIFT, "the list changed while it was read: ");
  if (before->has_total && page->has_total && before->total != page->total) {
    avp_err_add(err, "the total count went from %.0f to %.0f", (double)before->total,
                (double)page->total);
  } else if (before->has_total != page->has_total) {
    avp_err_add(err, "page %ld %s a total count", page->number, page->has_total ? "has" : "lacks");
  } else {
    avp_err_add(err, "the total count changed while page %ld was under way", page->number);
  }
}

/* Whether more may be asked for. */
static bool check_bound(const struct avp_drift *drift, struct avp_err *err) {
  if (latest(drift)->asked < drift->most && drift->era < AVP_ERA_MAX) return true;
  avp_err_set(err, AVP_ERR_DRIFT,
              "the list changes faster than it can be read: %ld pages were asked for, %ld at most",
              latest(drift)->asked, drift->most);
  fail(drift, err, "read it again later");
  return false;
}

/* the page -------------------------------------------------------------------------------------*/

enum avp_drift_verdict avp_drift_page(struct avp_drift *drift, const struct avp_page *page,
                                      struct avp_err *err) {
  struct avp_drift_reading *now = &drift->now;
  const struct avp_page *before = avp_recent_before(&now->recent, page->number);
  bool behind_end; /* by the total of the page before it, whatever total it shows */
  bool fits;
  if (!check_same(drift, page, err) || !check_turns(drift, page, err)) return AVP_DRIFT_FAIL;
  detect_own_totals(drift, before, page);
  learn_size(drift, page);
  drift->repeated = drift->same_run > 1 && !may_be_alike(drift, page);
  behind_end = drift->step == 0 && before->has_total && is_past_end(drift, page, before->total);
  if (!behind_end) note_total(drift, page);
  fits = behind_end || is_accepted(drift, before, page);
  if (!fits && drift->mode == AVP_DRIFT_ERROR) {
    name_sign(err, before, page);
    return fail_at_sign(drift, err);
  }
  if (fits) accept(drift, page);
  if (!fits) go_back(drift, before, page);
  avp_recent_add(&now->recent, page, fits);
  now->print = (now->print ^ page->fingerprint) * SPREAD + (uint64_t)page->number;
  if (!drift->repeated) now->rows += page->rows;
  set_bound(drift);
  if (!drift->over && !check_bound(drift, err)) return AVP_DRIFT_FAIL;
  return fits ? AVP_DRIFT_PAGE : AVP_DRIFT_AGAIN;
}

/* the end of a reading -------------------------------------------------------------------------*/

static bool is_counted(const struct avp_drift *drift) {
  return drift->has_total && drift->first_page == 1 && !drift->resumed;
}

/* Whether as many ids have come as there must be. Who was added in the part already read is not met
 * again, and was not there from first to last. If rows of equal rank change places, only a total
 * that rested says how many there must be. */
static bool adds_up(const struct avp_drift *drift) {
  if (!is_counted(drift)) return true;
  if (!drift->now.moved && drift->now.seen >= drift->total) return true;
  if (!drift->ever_moved && drift->seen >= drift->total) return true;
  return !drift->now.swapped && drift->seen >= drift->total - drift->now.grown;
}

/* A reading that does not add up, and another one would not help: the total counts what this
 * registration may not see. */
static bool is_overstated(const struct avp_drift *drift) {
  const struct avp_drift_reading *now = &drift->now;
  bool nothing_new = drift->seen == drift->seen_before && !now->moved;
  bool untroubled = !now->sign && !now->swapped;
  if (drift->reading < 2) return false;
  if (nothing_new && (untroubled || now->print == drift->print_before)) return true;
  return drift->reading > 2 && !now->swapped && drift->mode == AVP_DRIFT_REPAIR;
}

/* Whether the list has to be read again though it adds up. */
static bool needs_another(const struct avp_drift *drift) {
  if (drift->mode == AVP_DRIFT_STRICT) {
    return drift->reading < 2 || drift->now.sign || drift->seen > drift->seen_before;
  }
  return (!drift->has_total || drift->blind) && drift->reading < 2 &&
         drift->mode == AVP_DRIFT_REPAIR;
}

/* Ends the listing, `gap` rows short of its total. */
static enum avp_drift_verdict end_short(struct avp_drift *drift, int64_t gap) {
  drift->missing = gap > 0 ? gap : 0;
  return AVP_DRIFT_END;
}

static void name_gap(const struct avp_drift *drift, struct avp_err *err) {
  avp_err_set(err, AVP_ERR_DRIFT,
              "the list changed while it was read: %.0f were read and %.0f counted",
              (double)drift->seen, (double)drift->total);
}

static enum avp_drift_verdict end_overstated(struct avp_drift *drift, struct avp_err *err) {
  if (drift->mode == AVP_DRIFT_REPAIR) {
    return end_short(drift, drift->total - drift->now.grown - drift->seen);
  }
  name_gap(drift, err);
  return fail(drift, err,
              "the total may count what this app registration must not see; drift = "
              "\"repair\" accepts that");
}

enum avp_drift_verdict avp_drift_next(struct avp_drift *drift, struct avp_err *err) {
  if (!drift->over) return AVP_DRIFT_PAGE;
  if (drift->mode == AVP_DRIFT_IGNORE) {
    return end_short(drift, is_counted(drift) ? drift->total - drift->now.rows : 0);
  }
  if (adds_up(drift)) {
    if (!needs_another(drift)) return AVP_DRIFT_END;
  } else if (drift->mode == AVP_DRIFT_ERROR) {
    name_gap(drift, err);
    return fail_at_sign(drift, err);
  } else if (is_overstated(drift)) {
    return end_overstated(drift, err);
  }
  if (!check_bound(drift, err)) return AVP_DRIFT_FAIL;
  begin_reading(drift);
  return AVP_DRIFT_AGAIN;
}
