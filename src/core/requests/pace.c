/* pace.c - lengthens and shortens the distance between requests (pace.h).
 * SPDX-License-Identifier: MIT */
#include "pace.h"

#define UNKNOWN     400.0 /* ms: first distance while too few successes tell a usual one */
#define ENOUGH      4     /* so many do */
#define NOTHING     5.0   /* ms: a shorter distance is none */
#define SHORTENING  0.10  /* the part of what is above the floor that a success takes away */
#define LENGTHENING 1.25  /* by a refusal: more than the time on the network varies */
#define GROSS       2.0   /* by a request's second one, which shows how wrong the pace is */
#define MARGIN      1.10  /* the floor above the distance that was refused */
#define MEMORY      60000 /* ms: for so long a floor counts; limits change */

static double at_most(double x, double limit) { return x < limit ? x : limit; }
static double at_least(double x, double limit) { return x > limit ? x : limit; }

void avp_pace_start(struct avp_pace *pace, int64_t now) {
  pace->next = pace->distance > 0 ? now + (int64_t)pace->distance : 0;
}

void avp_pace_success(struct avp_pace *pace, int64_t now) {
  double floor = now - pace->slowed < MEMORY ? pace->floor : 0;
  double gap = (double)(now - pace->succeeded);
  if (pace->successes > 0) {
    pace->usual += (gap - pace->usual) / (pace->successes < ENOUGH ? pace->successes : ENOUGH);
  }
  pace->successes++;
  pace->succeeded = now;
  pace->distance -= at_least(pace->distance - floor, 0) * SHORTENING;
  if (pace->distance < NOTHING) pace->distance = 0;
}

bool avp_pace_refusal(struct avp_pace *pace, int64_t sent, bool again, int64_t longest,
                      int64_t now) {
  if (sent < pace->slowed) return false;
  pace->slowed = now + 1; /* what was sent in this moment belongs to the same burst */
  if (pace->distance > 0) {
    pace->floor = pace->distance * MARGIN;
    pace->distance *= again ? GROSS : LENGTHENING;
  } else {
    pace->floor = 0;
    pace->distance = pace->successes > ENOUGH ? 1.5 * pace->usual : UNKNOWN;
  }
  if (again) pace->distance = at_least(pace->distance, UNKNOWN);
  pace->distance = at_least(pace->distance, 2 * NOTHING);
  pace->distance = at_most(pace->distance, (double)longest);
  pace->next = now + (int64_t)pace->distance;
  return true;
}
