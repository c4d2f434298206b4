/* retry.h - decides whether to try a request again, and how long to wait, such as after a 429.
 *
 * Pure functions: time and chance are arguments. The rules are the tables of doc/errors.md;
 * Retry-After is RFC 9110 section 10.2.3.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_RETRY_H
#define AVP_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "../ground/sys.h"

enum avp_retry_verdict {
  AVP_RETRY_WAIT,         /* try again after `delay_ms` */
  AVP_RETRY_FINAL,        /* trying again would not help */
  AVP_RETRY_SPENT,        /* all attempts are used */
  AVP_RETRY_TOO_LONG,     /* the server asks for a longer wait than is accepted */
  AVP_RETRY_PAST_DEADLINE /* the wait would pass the deadline */
};

struct avp_retry_policy {
  int max_attempts;    /* 1 or more */
  int64_t max_wait_ms; /* longest single wait */
};

struct avp_retry_case {
  int status;             /* HTTP status, 0 if there was no reply */
  bool transport_failed;  /* no whole reply came, and the failure may pass */
  int attempts;           /* attempts made so far, this one included */
  bool paced;             /* the client's pace (pace.h) spaces its requests */
  int64_t retry_after_ms; /* what the server asked for, -1 if it did not */
  int64_t now;            /* ms */
  int64_t deadline;       /* ms on the same clock, or AVP_NEVER */
  double chance;          /* a random number, 0 <= chance < 1 */
};

struct avp_retry_answer {
  enum avp_retry_verdict verdict;
  int64_t delay_ms;  /* for WAIT: how long to wait; for the others: how long it would be */
  bool whole_client; /* the wait is for all requests of the client, not just this one */
};

/* Whether a reply of this status may be tried again (408, 429, 500, 502 to 504, 509, 520 to 524).
 */
bool avp_retry_status(int status);

/* Whether a reply of this status says that the server is overloaded (429, 503). */
bool avp_retry_is_refusal(int status);

/* Decides about a request whose latest attempt ended as `c` says. */
struct avp_retry_answer avp_retry_decide(const struct avp_retry_policy *policy,
                                         const struct avp_retry_case *c);

/* Reads a date of a header: seconds since 1970, at most those of the year 9999 (libcurl takes any
 * year, and seconds times 1000 would overflow); negative if `text` is NULL or unreadable. */
int64_t avp_retry_date(const char *text);

/* Reads Retry-After: seconds (a fraction is allowed) or an HTTP date, from which the reply's own
 * Date is subtracted (if `date` is NULL or unreadable: `wall_ms`, ms since 1970). Returns ms, at
 * most AVP_RETRY_AFTER_MAX; 0 for a past date; -1 if `value` is NULL, negative or unreadable. */
#define AVP_RETRY_AFTER_MAX ((int64_t)1000 * 60 * 60 * 24 * 366)
int64_t avp_retry_after(const char *value, const char *date, int64_t wall_ms);

#endif
