/* drift.c - decides which pages are read again, and when a list was read whole (drift.h).
 *
 * SPDX-License-Identifier: MIT */
#include "drift.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define PAGES_FACTOR 12 /* a listing asks for at most so many times the pages that there are, */
#define PAGES_SPARE  48 /* and so many more */

/* limits ---------------------------------------------------------------------------------------*/

static long limit_of(const struct avp_drift_limits *limits, uint16_t era) {
  int i = limits->count;
  while (i > 0 && limits->list[i - 1].era >= era) i--;
  return i < limits->count ? limits->list[i].page : LONG_MAX;
}

/* Bounds all marks up to this era. If there are too many limits, the two oldest become one: with
 * the lower page, or the higher one. */
static void set_limit(struct avp_drift_limits *limits, uint16_t era, long page, bool lower) {
  struct avp_drift_limit *list = limits->list;
  while (limits->count > 0 && list[limits->count - 1].page >= page) limits->count--;
  if (limits->count == AVP_DRIFT_LIMITS) {
    if (lower) list[1].page = list[0].page;
    limits->count--;
    memmove(list, list + 1, (size_t)limits->count * sizeof *list);
  }
  list[limits->count].era = era;
  list[limits->count++].page = page;
}

/* recent pages ---------------------------------------------------------------------------------*/

static unsigned kept(const struct avp_drift *drift) {
  return drift->recent_count < AVP_DRIFT_RECENT ? drift->recent_count : AVP_DRIFT_RECENT;
}

/* The accepted page of this number, or NULL if it was long ago. */
static const struct avp_drift_recent *accepted(const struct avp_drift *drift, long number) {
  unsigned i;
  for (i = 1; i <= kept(drift); i++) {
    const struct avp_drift_recent *r = &drift->recent[(drift->recent_count - i) % AVP_DRIFT_RECENT];
    if (r->number == number && r->accepted) return r;
  }
  return NULL;
}

/* The accepted page before this one, but for empty ones without a total: they are passed over. */
static const struct avp_drift_recent *page_before(const struct avp_drift *drift, long number) {
  const struct avp_drift_recent *r = accepted(drift, --number);
  while (r != NULL && r->empty && !r->has_total && number > drift->first_page) {
    r = accepted(drift, --number);
  }
  return r;
}

static void remember(struct avp_drift *drift, const struct avp_drift_page *page) {
  struct avp_drift_recent *r = &drift->recent[drift->recent_count++ % AVP_DRIFT_RECENT];
  memset(r, 0, sizeof *r);
  r->number = page->number;
  r->empty = page->rows == 0;
  r->has_total = page->has_total;
  r->total = page->total;
  r->sent = page->sent;
  r->received = page->received;
  r->fingerprint = page->fingerprint;
}

/* Whether no page that was under way between these two shows another total than they do. */
static bool total_rested(const struct avp_drift *drift, const struct avp_drift_recent *before,
                         const struct avp_drift_page *page) {
  uint64_t from = before->sent < page->sent ? before->sent : page->sent;
  uint64_t to = before->received > page->received ? before->received : page->received;
  unsigned i;
  for (i = 0; i < kept(drift); i++) {
    const struct avp_drift_recent *r = &drift->recent[i];
    if (r->has_total && r->total != page->total && r->received >= from && r->sent <= to) {
      return false;
    }
  }
  return true;
}

/* readings -------------------------------------------------------------------------------------*/

static void begin_reading(struct avp_drift *drift) {
  drift->reading++;
  drift->next = drift->first_page;
  drift->width = drift->reading > 1 ? drift->max_width : 1;
  drift->era++;
  drift->reading_era = drift->era;
  drift->anchors.count = drift->current.count = 0;
  drift->recent_count = 0;
  drift->over = drift->going_back = drift->moved = drift->swapped = false;
  drift->clean = true;
  drift->held = drift->empty_run = drift->same_run = 0;
  drift->sign_page = drift->top = drift->reached = drift->turn_next = drift->turn_pages = 0;
  drift->last_number = 0;
  drift->last_rows = 0;
  drift->grown = drift->rows = drift->seen_here = 0;
  drift->seen_before = drift->seen;
  drift->print_before = drift->print;
  drift->print = 0;
}

void avp_drift_init(struct avp_drift *drift, enum avp_drift_mode mode, long first_page,
                    int64_t asked_size, int max_width, bool resumed) {
  memset(drift, 0, sizeof *drift);
  drift->mode = mode;
  drift->first_page = first_page;
  drift->asked_size = asked_size;
  drift->max_width = max_width;
  drift->resumed = resumed;
  drift->rested = true;
  drift->first_total = -1;
  drift->most = PAGES_FACTOR + PAGES_SPARE;
  begin_reading(drift);
}

/* ids ------------------------------------------------------------------------------------------*/

static bool is_of_reading(const struct avp_drift *drift, const struct avp_mark *mark) {
  return mark->era >= drift->reading_era;
}

static int64_t size_of_page(const struct avp_drift *drift) {
  return drift->page_size > 0 ? drift->page_size : drift->asked_size;
}

/* Whether a row of page `number` can have come to this page because the total has grown since. */
static bool is_pushed(const struct avp_drift *drift, long number,
                      const struct avp_drift_page *page) {
  const struct avp_drift_recent *r = accepted(drift, number);
  return r != NULL && r->has_total && page->has_total &&
         page->total - r->total > (int64_t)(page->number - number - 1) * size_of_page(drift);
}

void avp_drift_look(const struct avp_drift *drift, struct avp_drift_page *page,
                    const struct avp_mark *mark) {
  if (!is_of_reading(drift, mark)) {
    page->has_new = true;
  } else if (mark->page > 0) {
    long number = drift->first_page + (long)mark->page - 1;
    bool repeats = number < page->number && number <= limit_of(&drift->current, mark->era) &&
                   !is_pushed(drift, number, page);
    if (number <= limit_of(&drift->anchors, mark->era)) page->anchored = true;
    if (repeats) page->repeats = true;
    if (repeats && number == page->number - 1) page->repeats_last = true;
  }
}

bool avp_drift_take(struct avp_drift *drift, struct avp_mark *mark) {
  bool first = mark->era == 0;
  long page = drift->last_number - drift->first_page + 1;
  bool accepted = drift->next > drift->last_number && page <= AVP_PAGE_MAX;
  if (first) drift->seen++;
  if (!is_of_reading(drift, mark)) {
    drift->seen_here++;
    mark->era = drift->era;
    mark->page = 0;
  }
  if (accepted) {
    mark->era = drift->era;
    mark->page = (uint32_t)page;
  }
  return first;
}

/* sizes and the end ----------------------------------------------------------------------------*/

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

/* Servers cut pages without a word, whatever size they claim: the fullest page that had more behind
 * it shows how many rows a page can have. */
static void learn_size(struct avp_drift *drift, const struct avp_drift_page *page) {
  int64_t size = page->rows > drift->page_size ? page->rows : drift->page_size;
  bool more = page->has_total && !drift->own_totals &&
              page->total > (int64_t)(page->number - 1) * size + page->rows;
  if (page->rows > 0 && page->number == drift->last_number + 1 &&
      drift->last_rows > drift->page_size) {
    drift->page_size = drift->last_rows;
  }
  if (more) drift->page_size = size;
  if (page->rows > 0 && page->number > drift->highest) drift->highest = page->number;
}

static bool is_full(const struct avp_drift *drift, const struct avp_drift_page *page) {
  if (page->rows == 0) return false;
  return page->rows >= drift->asked_size ||
         (drift->page_size > 0 && page->rows >= drift->page_size);
}

/* Whether the accepted page is the last of the reading. */
static bool ends_reading(const struct avp_drift *drift, const struct avp_drift_page *page) {
  bool first_time = page->number > drift->reached;
  bool ignore = drift->mode == AVP_DRIFT_IGNORE;
  if (drift->empty_run >= 2) return true;
  if (drift->has_total) {
    long last = last_page(drift);
    bool nothing_new = ignore ? drift->same_run > 1 : first_time && !page->has_new;
    if (page->number < last) return false;
    return !is_full(drift, page) || nothing_new;
  }
  if (page->rows == 0) return true;
  if (ignore) return drift->page_size > 0 && !is_full(drift, page);
  return first_time && !page->has_new;
}

/* totals ---------------------------------------------------------------------------------------*/

/* A page 2 with rows for which the total of page 1 left none, while both count just their own:
 * there is no total of the list. */
static void detect_own_totals(struct avp_drift *drift, const struct avp_drift_recent *before,
                              const struct avp_drift_page *page) {
  if (page->number != drift->first_page + 1 || page->rows == 0 || page->anchored ||
      drift->going_back || before == NULL || !before->has_total || !page->has_total ||
      drift->mode == AVP_DRIFT_IGNORE) {
    return;
  }
  if (before->total == drift->last_rows && page->total == page->rows) {
    drift->own_totals = true;
    drift->has_total = false;
  }
}

static void note_total(struct avp_drift *drift, const struct avp_drift_page *page) {
  if (!page->has_total || drift->own_totals) return;
  if (drift->has_total && page->total != drift->total) {
    drift->rested = false;
    if (drift->last_number != 0) {
      drift->moved = true;
      if (page->total > drift->total) drift->grown += page->total - drift->total;
    }
  }
  if (drift->first_total < 0) drift->first_total = page->total;
  drift->has_total = true;
  drift->total = page->total;
}

/* An empty page behind the end by the total of the page before it: whatever total it shows. */
static bool is_behind_end(const struct avp_drift *drift, const struct avp_drift_recent *before,
                          const struct avp_drift_page *page) {
  return page->rows == 0 && before != NULL && before->has_total && !drift->own_totals &&
         (int64_t)(page->number - 1) * size_of_page(drift) >= before->total;
}

/* acceptance -----------------------------------------------------------------------------------*/

enum proof { NO_PROOF, BY_START, BY_CUSTOMER, BY_TOTAL };

/* One of the two pages shows no total although the list has one. It is believed the second time, if
 * the page before it has not changed since. */
static enum proof prove_without_total(struct avp_drift *drift,
                                      const struct avp_drift_recent *before,
                                      const struct avp_drift_page *page) {
  uint64_t print = before != NULL ? before->fingerprint + (uint64_t)before->total : 0;
  bool second = drift->lacking == page->number && drift->lacking_print == print;
  bool both_empty = page->rows == 0 && drift->empty_run > 0;
  bool past_end =
      page->rows == 0 && (int64_t)(page->number - 1) * size_of_page(drift) >= drift->total;
  if (page->anchored) return BY_CUSTOMER;
  if (past_end || second || both_empty) return BY_TOTAL;
  drift->lacking = page->number;
  drift->lacking_print = print;
  return NO_PROOF;
}

static enum proof prove(struct avp_drift *drift, const struct avp_drift_recent *before,
                        const struct avp_drift_page *page, bool behind_end) {
  if (page->number == drift->first_page) return BY_START;
  if (drift->going_back) return page->anchored ? BY_CUSTOMER : NO_PROOF;
  if (!drift->has_total && page->rows > 0) drift->blind = true;
  if (drift->mode == AVP_DRIFT_IGNORE || behind_end || !drift->has_total) return BY_TOTAL;
  if (before == NULL || !before->has_total || !page->has_total) {
    return prove_without_total(drift, before, page);
  }
  if (page->total == before->total && total_rested(drift, before, page)) {
    if (page->repeats_last || (page->repeats && page->number > drift->top)) drift->swapped = true;
    return page->anchored ? BY_CUSTOMER : BY_TOTAL;
  }
  return page->anchored ? BY_CUSTOMER : NO_PROOF;
}

/* The first page behind a boundary that was accepted for its total alone while `page`, which shows
 * another total, was under way: the change may lie there. Returns the page's number if there is no
 * such boundary. */
static long first_in_doubt(const struct avp_drift *drift, const struct avp_drift_page *page) {
  long doubt = page->number;
  long number = page->number - 1;
  long lowest = page->number - 1 - drift->max_width;
  if (!page->has_total || !drift->has_total || drift->going_back) return doubt;
  for (; number > drift->first_page && number >= lowest; number--) {
    const struct avp_drift_recent *behind = accepted(drift, number);
    const struct avp_drift_recent *before = accepted(drift, number - 1);
    if (behind == NULL || before == NULL) break;
    if (behind->received < page->sent && before->received < page->sent) continue;
    if (behind->by_total && behind->has_total && behind->total != page->total) doubt = number;
  }
  return doubt;
}

static void accept(struct avp_drift *drift, const struct avp_drift_page *page, enum proof proof) {
  struct avp_drift_recent *r = &drift->recent[(drift->recent_count - 1) % AVP_DRIFT_RECENT];
  r->accepted = true;
  r->by_total = proof == BY_TOTAL;
  drift->next = page->number + 1;
  if (page->number >= drift->sign_page) drift->sign_page = 0;
  drift->empty_run = page->rows == 0 ? drift->empty_run + 1 : 0;
  drift->over = ends_reading(drift, page);
  if (page->number > drift->top) drift->top = page->number;
  if (drift->going_back) {
    drift->going_back = false;
  } else if (drift->recent_count == 1) {
    drift->width = drift->max_width;
  } else if (++drift->held >= 2 * drift->width && drift->width < drift->max_width) {
    drift->width++;
    drift->held = 0;
  }
}

/* Begins to read again from page `to`, where a page counts only if it is anchored. */
static void read_again_from(struct avp_drift *drift, long to) {
  unsigned i;
  set_limit(&drift->current, drift->era, to - 1, false);
  for (i = 0; i < kept(drift); i++) {
    if (drift->recent[i].number >= to) drift->recent[i].accepted = false;
  }
  drift->era++;
  drift->going_back = true;
  drift->empty_run = drift->same_run = drift->held = 0;
  drift->width = 1;
  drift->next = to;
  if (to == drift->first_page) drift->grown = 0; /* who was added meanwhile is met now */
}

void avp_drift_recheck(struct avp_drift *drift) {
  bool begun = drift->next > drift->first_page && !drift->over && !drift->going_back;
  if (!begun || drift->mode == AVP_DRIFT_IGNORE) return;
  drift->step = 1;
  read_again_from(drift, drift->next - 1);
}

/* `doubt`: the first page behind a boundary in doubt, or the page itself. */
static void go_back(struct avp_drift *drift, const struct avp_drift_page *page, long doubt) {
  long to = doubt - 1;
  if (drift->going_back) {
    drift->step *= 2;
    to = page->number - drift->step;
  } else {
    drift->step = 1;
    if (page->number > drift->sign_page) drift->sign_page = page->number;
    if (to < page->number - 1) set_limit(&drift->anchors, drift->era, to, true);
  }
  drift->went_back++;
  drift->clean = false;
  read_again_from(drift, to < drift->first_page ? drift->first_page : to);
}

/* errors ---------------------------------------------------------------------------------------*/

static void give_reason(struct avp_drift *drift, const struct avp_drift_recent *before,
                        const struct avp_drift_page *page) {
  if (before != NULL && before->has_total && page->has_total && before->total != page->total) {
    snprintf(drift->reason, sizeof drift->reason, "the total count went from %.0f to %.0f",
             (double)before->total, (double)page->total);
  } else if (before != NULL && before->has_total != page->has_total) {
    snprintf(drift->reason, sizeof drift->reason, "page %ld %s a total count", page->number,
             page->has_total ? "has" : "lacks");
  } else {
    snprintf(drift->reason, sizeof drift->reason,
             "the total count changed while page %ld was under way", page->number);
  }
}

static enum avp_drift_verdict fail(const struct avp_drift *drift, struct avp_err *err,
                                   const char *advice) {
  avp_err_set(err, AVP_ERR_DRIFT, "the list changed while it was read: %s; %s", drift->reason,
              advice);
  err->retryable = !drift->resumed;
  return AVP_DRIFT_FAIL;
}

static enum avp_drift_verdict fail_at_sign(const struct avp_drift *drift, struct avp_err *err) {
  if (drift->resumed) {
    return fail(drift, err,
                "what was given out before the position is not known: start anew, or resume with "
                "drift = \"ignore\"");
  }
  return fail(drift, err, "read it again, or use drift = \"repair\"");
}

/* The same rows under other numbers: rows that are added in front can do that once or twice, but
 * then the total grows by as many. False if the server only repeats itself. */
static bool check_same(struct avp_drift *drift, const struct avp_drift_page *page,
                       struct avp_err *err) {
  int64_t grown = page->has_total ? page->total - drift->same_total : 0;
  if (page->rows == 0 || drift->same_run == 0 || page->fingerprint != drift->same_print) {
    drift->same_run = page->rows > 0 ? 1 : 0;
    drift->same_print = page->fingerprint;
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
static bool check_turns(struct avp_drift *drift, const struct avp_drift_page *page,
                        struct avp_err *err) {
  if (drift->turn_pages++ >= drift->turn_next) {
    drift->turn_print = page->fingerprint;
    drift->turn_next = 2 * drift->turn_next + 1;
    drift->turn_hits = 0;
    return true;
  }
  if (page->has_total && drift->mode != AVP_DRIFT_IGNORE) return true;
  if (page->rows == 0 || page->fingerprint != drift->turn_print) return true;
  if (++drift->turn_hits < 3) return true;
  avp_err_set(err, AVP_ERR_PROTOCOL,
              "the server sends the same pages again and again (page %ld came three times before)",
              page->number);
  return false;
}

static void set_bound(struct avp_drift *drift) {
  long pages = drift->highest;
  if (drift->has_total && last_page(drift) > pages) pages = last_page(drift);
  if (drift->has_total && drift->total > drift->first_total) {
    /* what the list has grown by does not count: it could grow as fast as it is read */
    pages -= (long)((drift->total - drift->first_total) / size_of_page(drift));
  }
  drift->most = PAGES_FACTOR * (pages > 1 ? pages : 1) + PAGES_SPARE;
}

static bool check_bound(const struct avp_drift *drift, struct avp_err *err) {
  if (drift->asked < drift->most && drift->era < AVP_ERA_MAX) return true;
  avp_err_set(err, AVP_ERR_DRIFT,
              "the list changes faster than it can be read: %ld pages were asked for, %ld at most; "
              "read it again later",
              drift->asked, drift->most);
  err->retryable = !drift->resumed;
  return false;
}

/* the page -------------------------------------------------------------------------------------*/

enum avp_drift_verdict avp_drift_page(struct avp_drift *drift, const struct avp_drift_page *page,
                                      struct avp_err *err) {
  const struct avp_drift_recent *before = page_before(drift, page->number);
  enum proof proof;
  bool behind_end;
  long doubt = page->number;
  if (!check_same(drift, page, err) || !check_turns(drift, page, err)) return AVP_DRIFT_FAIL;
  detect_own_totals(drift, before, page);
  learn_size(drift, page);
  behind_end = !drift->going_back && is_behind_end(drift, before, page);
  if (!behind_end) note_total(drift, page);
  proof = prove(drift, before, page, behind_end);
  if (proof != BY_START && !behind_end && drift->mode != AVP_DRIFT_IGNORE && before != NULL &&
      before->has_total) {
    doubt = first_in_doubt(drift, page);
  }
  drift->print =
      (drift->print ^ page->fingerprint) * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)page->number;
  if (drift->same_run < 2) drift->rows += page->rows;
  if (proof == NO_PROOF || doubt < page->number) {
    give_reason(drift, before, page);
    if (drift->mode == AVP_DRIFT_ERROR) return fail_at_sign(drift, err);
    remember(drift, page);
    go_back(drift, page, doubt);
  } else {
    remember(drift, page);
    accept(drift, page, proof);
  }
  if (page->number > drift->reached) drift->reached = page->number;
  drift->last_number = page->number;
  drift->last_rows = page->rows;
  drift->asked = page->asked;
  set_bound(drift);
  if (!drift->over && !check_bound(drift, err)) return AVP_DRIFT_FAIL;
  return drift->next > page->number ? AVP_DRIFT_PAGE : AVP_DRIFT_AGAIN;
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
  if (!drift->moved && drift->seen_here >= drift->total) return true;
  if (drift->rested && drift->seen >= drift->total) return true;
  return !drift->swapped && drift->seen >= drift->total - drift->grown;
}

/* A reading that does not add up, and another one would not help: the total counts what this
 * registration may not see. */
static bool is_overstated(const struct avp_drift *drift) {
  bool steady = drift->seen == drift->seen_before && !drift->moved;
  bool alike = drift->print == drift->print_before;
  if (drift->reading < 2) return false;
  if (steady && ((drift->clean && !drift->swapped) || alike)) return true;
  return drift->reading > 2 && !drift->swapped && drift->mode == AVP_DRIFT_REPAIR &&
         drift->seen < drift->total - drift->grown;
}

static enum avp_drift_verdict end_overstated(struct avp_drift *drift, struct avp_err *err) {
  int64_t gap = drift->total - drift->grown - drift->seen;
  if (gap <= 0 && !drift->swapped) return AVP_DRIFT_END;
  if (drift->mode == AVP_DRIFT_REPAIR) {
    drift->missing = gap > 0 ? gap : 0;
    return AVP_DRIFT_END;
  }
  return fail(drift, err,
              "the total may count customers that this app registration must not see; drift = "
              "\"repair\" accepts that");
}

/* Whether the list has to be read again though it adds up. */
static bool needs_another(const struct avp_drift *drift) {
  if (drift->mode == AVP_DRIFT_STRICT) {
    return drift->reading < 2 || !drift->clean || drift->seen > drift->seen_before;
  }
  return (!drift->has_total || drift->blind) && drift->reading < 2 &&
         drift->mode == AVP_DRIFT_REPAIR;
}

static enum avp_drift_verdict end_ignoring(struct avp_drift *drift) {
  if (is_counted(drift) && drift->total > drift->rows) drift->missing = drift->total - drift->rows;
  return AVP_DRIFT_END;
}

static enum avp_drift_verdict end_reading(struct avp_drift *drift, struct avp_err *err) {
  bool whole = adds_up(drift);
  if (drift->mode == AVP_DRIFT_IGNORE) return end_ignoring(drift);
  if (!whole) {
    snprintf(drift->reason, sizeof drift->reason, "%.0f customers were read and %.0f counted",
             (double)drift->seen, (double)drift->total);
    if (drift->mode == AVP_DRIFT_ERROR) return fail_at_sign(drift, err);
    if (is_overstated(drift)) return end_overstated(drift, err);
  } else if (!needs_another(drift)) {
    return AVP_DRIFT_END;
  }
  if (!check_bound(drift, err)) return AVP_DRIFT_FAIL;
  begin_reading(drift);
  return AVP_DRIFT_AGAIN;
}

enum avp_drift_verdict avp_drift_next(struct avp_drift *drift, struct avp_err *err) {
  return drift->over ? end_reading(drift, err) : AVP_DRIFT_PAGE;
}

bool avp_drift_is_firm(const struct avp_drift *drift) {
  return drift->reading == 1 && drift->sign_page == 0;
}
