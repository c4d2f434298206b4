/* pace.h - how fast a client's requests follow each other once the server has refused some.
 *
 * After a 429 or a 503 requests start at even distances. A refusal makes the distance longer, each
 * success a little shorter, so that it settles about the server's limit; a distance of next to
 * nothing ends it. Pure functions: time is an argument, in ms. The rules are those of
 * doc/errors.md.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_PACE_H
#define AVP_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: no pace. */
struct avp_pace {
  double distance;   /* ms between two starts; 0: no pace */
  double floor;      /* ms: just above the distance that was refused last, or 0 */
  double usual;      /* ms between two successes, a moving average; */
  int successes;     /* so many of them count in it */
  int64_t succeeded; /* when the latest success came */
  int64_t next;      /* no request starts before that */
  int64_t slowed;    /* when the latest refusal made the distance longer */
};

/* Notes that a request starts. */
void avp_pace_start(struct avp_pace *pace, int64_t now);

/* Notes a success. */
void avp_pace_success(struct avp_pace *pace, int64_t now);

/* Notes the refusal of a request that was sent at `sent`; `again`: not the request's first. The
 * distance becomes `longest` ms at most. Returns whether it is news: false if the request was sent
 * before the latest refusal was known. */
bool avp_pace_refusal(struct avp_pace *pace, int64_t sent, bool again, int64_t longest,
                      int64_t now);

#endif
