/* drift.h - decides which page of a moving list is read next or again, and when it was read whole.
 *
 * Pages are numbered, so a customer added or removed while the list is read shifts the rest. A page
 * is accepted if every customer that stays in the list and stands before the end of that page has
 * been seen: it is the first page of a reading; or it holds a customer of an accepted page, since
 * rows keep their order; or it shows the total of the accepted page before it, and so does every
 * page that was under way between the two. Any other page is a sign of a change: the reading goes
 * back to the last page that is beyond doubt. At the end the ids must add up to the total, or the
 * list is read again. doc/consistency.md has the whole rule.
 *
 *     look at each id -> avp_drift_page: accepted, or a sign -> take each id -> avp_drift_next
 *
 * A pure state machine: it holds no ids (idset.h does), no rows and no clock.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_DRIFT_H
#define AVP_DRIFT_H

#include <stdbool.h>
#include <stdint.h>

#include "../ground/err.h"
#include "recent.h"

enum avp_drift_mode {
  AVP_DRIFT_REPAIR, /* goes back after a sign */
  AVP_DRIFT_STRICT, /* the same, and reads the list twice at least */
  AVP_DRIFT_ERROR,  /* fails at the first sign */
  AVP_DRIFT_IGNORE  /* accepts every page; no id is looked at or taken */
};

/* What is known of one id. All zero: the listing has not seen it. */
struct avp_mark {
  uint16_t era;  /* the era in which it was last seen; 1 is the first */
  uint32_t page; /* the accepted page that held it, counted from the first one; 0: none did */
};

#define AVP_ERA_MAX      0x7fff
#define AVP_PAGE_MAX     0xffffff
#define AVP_DRIFT_LIMITS 128

/* Up to which page marks count: those of era[i] and before, up to page[i]. Both grow with i. */
struct avp_drift_limits {
  int count;
  uint16_t era[AVP_DRIFT_LIMITS];
  long page[AVP_DRIFT_LIMITS];
};

/* What a reading has shown so far. */
struct avp_drift_reading {
  long top;       /* highest page accepted */
  long sign_page; /* highest page of a sign, until it is accepted; else 0 */
  int held;       /* boundaries that held since the width last changed */
  bool sign;      /* there was one */
  bool moved;     /* the total has changed */
  bool swapped;   /* an id came on two pages while the total rested */
  int64_t grown;  /* by how much the total has grown */
  int64_t rows;   /* ids that came twice included */
  int64_t seen;   /* different ids */
  uint64_t print; /* of the pages, in order */
  struct avp_recent recent;
};

/* Fields of the first part may be read by the owner. */
struct avp_drift {
  enum avp_drift_mode mode;
  long next;       /* the page to be read next */
  int width;       /* pages that may be under way at once */
  long most;       /* pages that the listing may ask for in all, see avp_page.asked */
  int reading;     /* number of this reading, from 1 */
  long went_back;  /* signs after which the listing went back */
  int64_t missing; /* at the end: rows that the server counts and does not send */
  bool over;       /* the reading has reached its end: avp_drift_next tells what that means */
  int same_run;    /* pages in a row that hold the same rows in the same order */
  bool repeated;   /* the latest page only repeats the one before it: under `ignore` it is not given
                    * out */
  int64_t page_size; /* the fullest page that had more behind it, 0 before there was one */

  long first_page;
  bool without_ids;    /* no field tells rows apart; set it after avp_drift_init */
  bool resumed;        /* the listing goes on from a position: what came before is not known */
  int64_t asked_size;  /* the page size that the server was asked for */
  int max_width;       /* the option `concurrency` */
  bool has_total;      /* there is a total, and it is believed */
  bool own_totals;     /* totals count their own page only: they are not believed */
  bool ever_moved;     /* the total has changed, in this reading or before */
  bool blind;          /* a page with rows was accepted although no page had a total */
  int64_t total;       /* the latest */
  int64_t first_total; /* of the listing */
  long highest;        /* highest page with rows */
  long step;           /* pages that the latest going back went, until a page is accepted; else 0 */
  uint64_t lacking;    /* print of the latest sign that was one for want of a total */
  int64_t same_total;  /* of the first page of `same_run` */
  uint64_t turn_print; /* see check_turns */
  int turn_hits;
  int64_t seen;          /* different ids */
  int64_t seen_before;   /* of these, before this reading */
  uint64_t print_before; /* of the reading before */
  uint16_t era;          /* a new one begins with each reading and each going back */
  uint16_t reading_era;  /* the one with which this reading began */
  struct avp_drift_limits anchors;
  struct avp_drift_limits current;
  struct avp_drift_reading now;
};

enum avp_drift_verdict {
  AVP_DRIFT_PAGE,  /* read page `next` */
  AVP_DRIFT_AGAIN, /* what is under way is of no use; then read page `next` */
  AVP_DRIFT_END,   /* the list was read whole, or `missing` tells what the total overstates */
  AVP_DRIFT_FAIL   /* `err` is filled: `drift` or `protocol` */
};

/* Starts at `first_page`, with pages of `asked_size` rows asked for. `resumed`: at a position. */
void avp_drift_init(struct avp_drift *drift, enum avp_drift_mode mode, long first_page,
                    int64_t asked_size, int max_width, bool resumed);

/* Notes in `page` what an id of it says. Changes nothing else. */
void avp_drift_look(const struct avp_drift *drift, struct avp_page *page,
                    const struct avp_mark *mark);

/* Judges the page `next`: PAGE if it is accepted, AGAIN if it is a sign, FAIL. Its rows are given
 * out in the first two cases. */
enum avp_drift_verdict avp_drift_page(struct avp_drift *drift, const struct avp_page *page,
                                      struct avp_err *err);

/* Takes an id of the page that was just judged and updates its mark. Returns whether the listing
 * sees it for the first time. */
bool avp_drift_take(struct avp_drift *drift, struct avp_mark *mark);

/* What comes after the page: PAGE; at the end of a reading also AGAIN, END or FAIL. */
enum avp_drift_verdict avp_drift_next(struct avp_drift *drift, struct avp_err *err);

/* Pages that had come were dropped unread: what totals they showed is unknown. The last accepted
 * page is read again, so that no boundary is accepted for totals alone across the gap. It is no
 * sign. */
void avp_drift_recheck(struct avp_drift *drift);

/* The last page that may be asked for ahead, by the total; 0 if there is none to believe. */
long avp_drift_last(const struct avp_drift *drift);

/* Whether a listing can resume where this one stands without knowing what it gave out before. */
bool avp_drift_is_firm(const struct avp_drift *drift);

#endif
