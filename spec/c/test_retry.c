/* test_retry.c - retry.h: tables of statuses, verdicts, delays and Retry-After values.
 *
 * SPDX-License-Identifier: MIT */
#include "requests/retry.h"

#include "check.h"

static const struct avp_retry_policy policy = {5, 120000};

static struct avp_retry_case case_of(int status, int attempts) {
  struct avp_retry_case c;
  memset(&c, 0, sizeof c);
  c.status = status;
  c.transport_failed = status == 0;
  c.attempts = attempts;
  c.retry_after_ms = -1;
  c.now = 1000;
  c.deadline = AVP_NEVER;
  c.chance = 0.5;
  return c;
}

static bool is_retried(int status) {
  static const int retried[] = {408, 429, 500, 502, 503, 504, 509, 520, 521, 522, 523, 524};
  size_t i;
  for (i = 0; i < sizeof retried / sizeof retried[0]; i++) {
    if (retried[i] == status) return true;
  }
  return false;
}

static void test_every_status(void) {
  int status;
  for (status = 100; status < 600; status++) {
    struct avp_retry_case c = case_of(status, 1);
    struct avp_retry_answer answer = avp_retry_decide(&policy, &c);
    CHECK_INT(is_retried(status), avp_retry_status(status));
    CHECK_INT(is_retried(status) ? AVP_RETRY_WAIT : AVP_RETRY_FINAL, answer.verdict);
    CHECK_INT(status == 429 || status == 503, avp_retry_is_refusal(status));
    CHECK_INT(status == 429, answer.whole_client);
    c.retry_after_ms = 7000; /* it does not make a final answer a passing one */
    answer = avp_retry_decide(&policy, &c);
    CHECK_INT(is_retried(status) ? AVP_RETRY_WAIT : AVP_RETRY_FINAL, answer.verdict);
    if (!is_retried(status)) continue;
    CHECK_INT(7000, answer.delay_ms);
    CHECK(answer.whole_client);
  }
  CHECK(!avp_retry_status(0));
}

static void test_failed_transport(void) {
  struct avp_retry_case c = case_of(0, 1);
  struct avp_retry_answer answer = avp_retry_decide(&policy, &c);
  CHECK_INT(AVP_RETRY_WAIT, answer.verdict);
  CHECK(!answer.whole_client);
  c.transport_failed = false; /* one that does not pass, such as a refused certificate */
  answer = avp_retry_decide(&policy, &c);
  CHECK_INT(AVP_RETRY_FINAL, answer.verdict);
}

/* Own delays: the upper half of the bound. */
static void test_own_delays(void) {
  static const struct {
    int attempts;
    int64_t failed; /* bound after a failure */
    int64_t throttled;
  } cases[] = {{1, 1500, 4000},   {2, 3000, 8000},   {3, 6000, 16000},  {4, 12000, 32000},
               {5, 24000, 32000}, {6, 30000, 32000}, {7, 30000, 32000}, {99, 30000, 32000}};
  static const struct avp_retry_policy patient = {1000, 120000};
  size_t i;
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct avp_retry_case c = case_of(500, cases[i].attempts);
    struct avp_retry_case t = case_of(429, cases[i].attempts);
    c.chance = t.chance = 0;
    CHECK_INT(cases[i].failed / 2, avp_retry_decide(&patient, &c).delay_ms);
    CHECK_INT(cases[i].throttled / 2, avp_retry_decide(&patient, &t).delay_ms);
    c.chance = t.chance = 0.999;
    CHECK(avp_retry_decide(&patient, &c).delay_ms <= cases[i].failed);
    CHECK(avp_retry_decide(&patient, &c).delay_ms >= cases[i].failed * 99 / 100);
    CHECK(avp_retry_decide(&patient, &t).delay_ms <= cases[i].throttled);
    CHECK(avp_retry_decide(&patient, &t).delay_ms >= cases[i].throttled * 99 / 100);
  }
}

/* With the default number of attempts an outage of ten seconds is survived, whatever the chance. */
static void test_outage(void) {
  int64_t waited = 0;
  int attempts;
  for (attempts = 1; attempts < policy.max_attempts; attempts++) {
    struct avp_retry_case c = case_of(0, attempts);
    c.chance = 0;
    waited += avp_retry_decide(&policy, &c).delay_ms;
  }
  CHECK_INT(5, policy.max_attempts);
  CHECK(waited >= 10000);
}

/* "At once" counts only the first time; a wait that the server names, always. */
static void test_retry_after_at_once(void) {
  struct avp_retry_case c = case_of(429, 1);
  c.retry_after_ms = 0;
  CHECK_INT(0, avp_retry_decide(&policy, &c).delay_ms);
  c.attempts = 2;
  CHECK(avp_retry_decide(&policy, &c).delay_ms >= 4000);
  c.retry_after_ms = 1000;
  CHECK_INT(1000, avp_retry_decide(&policy, &c).delay_ms);
}

/* The first refusal of a paced request waits for its turn only; a failure does not. */
static void test_paced(void) {
  struct avp_retry_case c = case_of(429, 1);
  c.paced = true;
  CHECK_INT(0, avp_retry_decide(&policy, &c).delay_ms);
  c.retry_after_ms = 2000;
  CHECK_INT(2000, avp_retry_decide(&policy, &c).delay_ms);
  c = case_of(503, 2);
  c.paced = true;
  CHECK(avp_retry_decide(&policy, &c).delay_ms >= 1500);
  c = case_of(500, 1);
  c.paced = true;
  CHECK(avp_retry_decide(&policy, &c).delay_ms >= 750);
}

static void test_spent(void) {
  static const struct avp_retry_policy one = {1, 120000};
  struct avp_retry_case c = case_of(503, 4);
  CHECK_INT(AVP_RETRY_WAIT, avp_retry_decide(&policy, &c).verdict);
  c.attempts = 5;
  CHECK_INT(AVP_RETRY_SPENT, avp_retry_decide(&policy, &c).verdict);
  c.attempts = 1;
  CHECK_INT(AVP_RETRY_SPENT, avp_retry_decide(&one, &c).verdict);
}

static void test_longest_wait(void) {
  static const struct avp_retry_policy hasty = {5, 100};
  struct avp_retry_case c = case_of(503, 1);
  struct avp_retry_answer answer;
  c.retry_after_ms = 120000;
  CHECK_INT(AVP_RETRY_WAIT, avp_retry_decide(&policy, &c).verdict);
  c.retry_after_ms = 120001;
  answer = avp_retry_decide(&policy, &c);
  CHECK_INT(AVP_RETRY_TOO_LONG, answer.verdict);
  CHECK_INT(120001, answer.delay_ms);
  c = case_of(429, 4); /* an own delay is cut, since nobody has asked for it */
  answer = avp_retry_decide(&hasty, &c);
  CHECK_INT(AVP_RETRY_WAIT, answer.verdict);
  CHECK_INT(100, answer.delay_ms);
}

static void test_deadline(void) {
  struct avp_retry_case c = case_of(503, 1);
  c.retry_after_ms = 5000;
  c.deadline = c.now + 5001;
  CHECK_INT(AVP_RETRY_WAIT, avp_retry_decide(&policy, &c).verdict);
  c.deadline = c.now + 5000;
  CHECK_INT(AVP_RETRY_PAST_DEADLINE, avp_retry_decide(&policy, &c).verdict);
  CHECK_INT(5000, avp_retry_decide(&policy, &c).delay_ms);
  c.deadline = c.now - 1;
  c.retry_after_ms = 0;
  CHECK_INT(AVP_RETRY_PAST_DEADLINE, avp_retry_decide(&policy, &c).verdict);
  c.attempts = 5; /* no attempt left: that is the reason, not the deadline */
  CHECK_INT(AVP_RETRY_SPENT, avp_retry_decide(&policy, &c).verdict);
}

#define DATE "Thu, 01 Jan 2026 00:00:00 GMT"
#define WALL INT64_C(1767225600000) /* the same moment */

static void test_retry_after(void) {
  static const struct {
    const char *value;
    const char *date;
    int64_t ms;
  } cases[] = {
      {NULL, DATE, -1},
      {"", DATE, -1},
      {"0", DATE, 0},
      {"7", DATE, 7000},
      {"  7\t", DATE, 7000},
      {"007", DATE, 7000},
      {"1.5", DATE, 1500},
      {"0.25", DATE, 250},
      {"0.0009", DATE, 0},
      {"2.", DATE, 2000},
      {".5", DATE, -1},
      {"-1", DATE, -1},
      {"-0", DATE, -1},
      {"+5", DATE, -1},
      {"1 2", DATE, -1},
      {"1.2.3", DATE, -1},
      {"1,5", DATE, -1},
      {"5s", DATE, -1},
      {"5 s", DATE, -1},
      {"5 seconds", DATE, -1},
      {"1e9", DATE, -1},
      {"0x10", DATE, -1},
      {"soon", DATE, -1},
      {"NaN", DATE, -1},
      {"inf", DATE, -1},
      {"20300101", DATE, INT64_C(20300101000)}, /* seconds, whatever libcurl's parser thinks */
      {"99999999999999999999", DATE, AVP_RETRY_AFTER_MAX},
      {"9223372036854775807", DATE, AVP_RETRY_AFTER_MAX},
      {"31622400", DATE, AVP_RETRY_AFTER_MAX},
      {"31622400.5", DATE, AVP_RETRY_AFTER_MAX},
      {"Thu, 01 Jan 2026 00:01:30 GMT", DATE, 90000},    /* RFC 1123 */
      {"Thursday, 01-Jan-26 00:01:30 GMT", DATE, 90000}, /* RFC 850 */
      {"Thu Jan  1 00:01:30 2026", DATE, 90000},         /* asctime */
      {"Thu, 01 Jan 2026 00:00:00 GMT", DATE, 0},
      {"Wed, 31 Dec 2025 23:59:59 GMT", DATE, 0}, /* in the past */
      {"Thu, 01 Jan 1970 00:00:00 GMT", DATE, 0},
      {"Thu, 01 Jan 2026 00:01:30 GMT", NULL, 90000}, /* less the wall clock */
      {"Thu, 01 Jan 2026 00:01:30 GMT", "yesterday", 90000},
      {"Wed, 31 Dec 2025 23:59:59 GMT", NULL, 0},
      {"Thu, 01 Jan 2026 00:01:30 GMT", "Thu, 01 Jan 2026 00:01:00 GMT", 30000},
      {"Fri, 01 Jan 2027 00:00:10 GMT", "Friday, 01-Jan-27 00:00:00 GMT", 10000},
      {"Fri, 31 Dec 9999 23:59:59 GMT", DATE, AVP_RETRY_AFTER_MAX},
      {"Sat, 01 Jan 300000001 00:00:00 GMT", DATE, AVP_RETRY_AFTER_MAX}, /* libcurl takes it */
      {DATE, "Sat, 01 Jan 300000001 00:00:00 GMT", 0},
      {"Thu, 32 Jan 2026 00:00:00 GMT", DATE, -1},
  };
  size_t i;
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int64_t ms = avp_retry_after(cases[i].value, cases[i].date, WALL);
    if (ms != cases[i].ms) printf("# Retry-After: %s\n", cases[i].value);
    CHECK_INT(cases[i].ms, ms);
  }
}

/* Whatever comes: -1, or a wait that is not negative and not longer than a year. */
static void test_retry_after_is_bounded(void) {
  static const char letters[] = "0123456789.-+ ,:GMTJanThu";
  uint64_t state = 88172645463325252u;
  char value[24];
  int i;
  for (i = 0; i < 50000; i++) {
    size_t len = (size_t)(i % 20);
    size_t k;
    int64_t ms;
    for (k = 0; k < len; k++) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      value[k] = letters[state % (sizeof letters - 1)];
    }
    value[len] = '\0';
    ms = avp_retry_after(value, DATE, WALL);
    if (ms >= -1 && ms <= AVP_RETRY_AFTER_MAX) continue;
    printf("# Retry-After: %s\n", value);
    CHECK(!"a wait is within its bounds");
  }
}

static const struct check_test tests[] = {
    {"retry: every status", test_every_status},
    {"retry: failed transport", test_failed_transport},
    {"retry: own delays", test_own_delays},
    {"retry: Retry-After at once", test_retry_after_at_once},
    {"retry: paced", test_paced},
    {"retry: an outage of ten seconds", test_outage},
    {"retry: attempts spent", test_spent},
    {"retry: longest wait", test_longest_wait},
    {"retry: deadline", test_deadline},
    {"retry: Retry-After", test_retry_after},
    {"retry: Retry-After is bounded", test_retry_after_is_bounded},
};

CHECK_MAIN(tests)
