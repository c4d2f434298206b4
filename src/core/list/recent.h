/* recent.h - the pages of a reading that came last, and what they say of a new one.
 *
 * A boundary between two pages that is accepted for equal totals alone holds only if the total
 * rested while they were under way. What was under way with what, these pages tell.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_RECENT_H
#define AVP_RECENT_H

#include <stdbool.h>
#include <stdint.h>

#define AVP_RECENT_MAX 128 /* more than were ever under way at once */

/* One page as it came. The owner fills the first part, avp_drift_look the second. */
struct avp_page {
  long number;
  int64_t rows;
  bool has_total;
  int64_t total;     /* the server's count of all rows; 0 if it gives none */
  uint64_t sent;     /* when it was asked for, and when it came: numbers of one sequence, which */
  uint64_t received; /* grows by one with each request that leaves or ends */
  uint64_t fingerprint; /* a hash of its ids in order */
  long asked;           /* pages asked for so far, with those that a going back dropped */

  bool anchored; /* holds an id of an accepted page */
  bool repeats;  /* holds an id of a page whose rows still count, which no growth of the total can
                  * have pushed here: of the page just before, or this page is read first */
  bool has_new;  /* holds an id that this reading has not seen */

  bool accepted; /* and not read again since; set in what is remembered */
};

struct avp_recent {
  unsigned count; /* pages that came in this reading */
  struct avp_page ring[AVP_RECENT_MAX];
};

void avp_recent_add(struct avp_recent *recent, const struct avp_page *page, bool accepted);

/* The pages from this one on count no more. */
void avp_recent_reject(struct avp_recent *recent, long from);

/* Returns the page that came last; all zero before the first one. */
const struct avp_page *avp_recent_last(const struct avp_recent *recent);

/* Returns the accepted page of this number; all zero if there is none, or it was long ago. */
const struct avp_page *avp_recent_accepted(const struct avp_recent *recent, long number);

/* Returns the accepted page before this one. Empty ones without a total are passed over. */
const struct avp_page *avp_recent_before(const struct avp_recent *recent, long number);

/* Whether this page and the accepted one that came just before it are empty. */
bool avp_recent_both_empty(const struct avp_recent *recent, const struct avp_page *page);

/* Whether no page that was under way between these two shows another total than `page`. */
bool avp_recent_rested(const struct avp_recent *recent, const struct avp_page *before,
                       const struct avp_page *page);

/* Returns the first of the last `width` pages that was accepted for its total alone while `page`,
 * which shows another total, was under way: the change may lie in front of it. Else the page's own
 * number. */
long avp_recent_doubt(const struct avp_recent *recent, const struct avp_page *page, int width);

#endif
