/* retry.c - how long to wait after a 429 or another failure, and what Retry-After says (retry.h).
 * SPDX-License-Identifier: MIT */
#include "retry.h"

#include <curl/curl.h>
#include <string.h>

#define BACKOFF_FIRST_MS   1500  /* first delay after a failure, doubled each time */
#define BACKOFF_CAP_MS     30000 /* longest delay after a failure */
#define THROTTLED_FIRST_MS 4000  /* first delay after a 429 without Retry-After */
#define THROTTLED_CAP_MS   32000 /* longest; limits are usually per minute */

#define DATE_MAX INT64_C(253402300799) /* the last second of the year 9999 */

bool avp_retry_status(int status) {
  return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504) ||
         status == 509 || (status >= 520 && status <= 524);
}

bool avp_retry_is_refusal(int status) { return status == 429 || status == 503; }

/* Returns `first`, doubled so many times, but at most `cap`. */
static int64_t doubled(int64_t first, int times, int64_t cap) {
  int64_t value = first;
  while (times-- > 0 && value < cap) value *= 2;
  return value < cap ? value : cap;
}

/* Returns the delay if the server names none: half fixed, so that an outage is survived, and half
 * random, which spreads clients. */
static int64_t own_delay(const struct avp_retry_case *c) {
  int64_t base = c->status == 429 ? doubled(THROTTLED_FIRST_MS, c->attempts - 1, THROTTLED_CAP_MS)
                                  : doubled(BACKOFF_FIRST_MS, c->attempts - 1, BACKOFF_CAP_MS);
  return base / 2 + (int64_t)((double)base / 2 * c->chance);
}

/* Returns the delay. What the server asks for counts, but "at once" only the first time. A paced
 * request that is refused for the first time waits for its turn only. */
static int64_t delay(const struct avp_retry_case *c) {
  bool first = c->attempts == 1;
  if (c->retry_after_ms > 0 || (c->retry_after_ms == 0 && first)) return c->retry_after_ms;
  return c->paced && first && avp_retry_is_refusal(c->status) ? 0 : own_delay(c);
}

struct avp_retry_answer avp_retry_decide(const struct avp_retry_policy *policy,
                                         const struct avp_retry_case *c) {
  struct avp_retry_answer answer = {AVP_RETRY_FINAL, 0, false};
  if (!c->transport_failed && !avp_retry_status(c->status)) return answer;
  answer.delay_ms = delay(c);
  answer.whole_client = c->retry_after_ms >= 0 || c->status == 429;
  if (c->attempts >= policy->max_attempts) {
    answer.verdict = AVP_RETRY_SPENT;
  } else if (c->retry_after_ms > policy->max_wait_ms) {
    answer.verdict = AVP_RETRY_TOO_LONG;
  } else {
    if (answer.delay_ms > policy->max_wait_ms) answer.delay_ms = policy->max_wait_ms;
    answer.verdict =
        answer.delay_ms >= c->deadline - c->now ? AVP_RETRY_PAST_DEADLINE : AVP_RETRY_WAIT;
  }
  return answer;
}

/* Returns the ms of digits with an optional fraction; -1 for anything else. */
static int64_t read_seconds(const char *text) {
  int64_t ms = 0;
  int64_t unit = 100;
  if (*text < '0' || *text > '9') return -1;
  for (; *text >= '0' && *text <= '9'; text++) {
    ms = ms * 10 + (int64_t)(*text - '0') * 1000;
    if (ms > AVP_RETRY_AFTER_MAX) ms = AVP_RETRY_AFTER_MAX;
  }
  if (*text == '.') {
    for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10) {
      ms += (int64_t)(*text - '0') * unit;
    }
  }
  text += strspn(text, " \t");
  if (*text != '\0') return -1;
  return ms < AVP_RETRY_AFTER_MAX ? ms : AVP_RETRY_AFTER_MAX;
}

static bool only_digits_and_signs(const char *text) {
  return text[strspn(text, "+-0123456789. \t")] == '\0';
}

int64_t avp_retry_date(const char *text) {
  int64_t seconds = text != NULL ? (int64_t)curl_getdate(text, NULL) : -1;
  return seconds < DATE_MAX ? seconds : DATE_MAX;
}

int64_t avp_retry_after(const char *value, const char *date, int64_t wall_ms) {
  int64_t then;
  int64_t now;
  int64_t wait;
  if (value == NULL) return -1;
  value += strspn(value, " \t");
  wait = read_seconds(value);
  /* libcurl's parser takes a bare number for a date (20300101): it must never see one */
  if (wait >= 0 || only_digits_and_signs(value)) return wait;
  then = avp_retry_date(value);
  if (then < 0) return -1;
  now = avp_retry_date(date);
  wait = now >= 0 ? (then - now) * 1000 : then * 1000 - wall_ms;
  if (wait > AVP_RETRY_AFTER_MAX) wait = AVP_RETRY_AFTER_MAX;
  return wait > 0 ? wait : 0;
}
