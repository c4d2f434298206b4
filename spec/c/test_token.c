/* test_token.c - token.h: the states of a token by the clock, renewal, and what a 401 means.
 *
 * SPDX-License-Identifier: MIT */
#include "requests/token.h"

#include "check.h"
#include "ground/sys.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define START  INT64_C(5000)

/* What a request that is sent at `now` makes of the token. */
enum advice { USE, USE_AND_RENEW, FETCH };

static enum advice advice(const struct avp_token *token, int64_t now) {
  CHECK(avp_token_is_usable(token, now) || avp_token_is_due(token, now));
  if (!avp_token_is_usable(token, now)) return FETCH;
  return avp_token_is_due(token, now) ? USE_AND_RENEW : USE;
}

static void set(struct avp_token *token, const char *value, int64_t lifetime, bool fresh,
                int64_t now) {
  CHECK(avp_token_set(token, value, strlen(value), lifetime, fresh, now));
}

static void test_none(void) {
  struct avp_token token;
  memset(&token, 0, sizeof token);
  CHECK_INT(FETCH, advice(&token, START));
  avp_token_fetch_failed(&token, START);
  CHECK_INT(FETCH, advice(&token, START)); /* without one, at once */
  CHECK_INT(0, token.generation);
  avp_token_free(&token);
}

static void test_life(void) {
  struct avp_token token;
  int64_t end = START + HOUR;
  memset(&token, 0, sizeof token);
  set(&token, "one", HOUR, true, START);
  CHECK_STR("one", token.value);
  CHECK_INT(1, token.generation);
  CHECK_INT(USE, advice(&token, START));
  CHECK_INT(USE, advice(&token, end - 5 * MINUTE - 1));
  CHECK_INT(USE_AND_RENEW, advice(&token, end - 5 * MINUTE));
  CHECK_INT(USE_AND_RENEW, advice(&token, end - 1));
  CHECK_INT(FETCH, advice(&token, end));
  CHECK_INT(FETCH, advice(&token, end + HOUR));
  set(&token, "two", HOUR, true, end);
  CHECK_STR("two", token.value);
  CHECK_INT(2, token.generation);
  CHECK_INT(USE, advice(&token, end));
  avp_token_free(&token);
  avp_token_free(&token);
}

static void test_lifetimes(void) {
  static const struct {
    int64_t lifetime;
    int64_t renewed_after; /* -1: never */
  } cases[] = {
      {HOUR, 55 * MINUTE},
      {50 * MINUTE, 45 * MINUTE},
      {10 * MINUTE, 9 * MINUTE},
      {MINUTE, 54000},
      {1000, 900},
      {24 * HOUR, 24 * HOUR - 5 * MINUTE},
      {INT64_C(1000000000000), INT64_C(1000000000000) - 5 * MINUTE},
      {AVP_NEVER, -1},
  };
  size_t i;
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct avp_token token;
    int64_t at = START + cases[i].renewed_after;
    memset(&token, 0, sizeof token);
    set(&token, "t", cases[i].lifetime, true, START);
    CHECK_INT(USE, advice(&token, START));
    if (cases[i].renewed_after < 0) {
      CHECK_INT(USE, advice(&token, AVP_NEVER - 1));
    } else {
      CHECK_INT(USE, advice(&token, at - 1));
      CHECK_INT(USE_AND_RENEW, advice(&token, at));
    }
    avp_token_free(&token);
  }
}

/* A lifetime so short that there is no time between fetching and renewing: it is used, and ends. */
static void test_shortest_lifetime(void) {
  struct avp_token token;
  memset(&token, 0, sizeof token);
  set(&token, "t", 1, true, START);
  CHECK_INT(USE, advice(&token, START));
  CHECK_INT(FETCH, advice(&token, START + 1));
  avp_token_free(&token);
}

static void test_failed_early_renewal(void) {
  struct avp_token token;
  int64_t now = START + HOUR - 4 * MINUTE;
  memset(&token, 0, sizeof token);
  set(&token, "t", HOUR, true, START);
  CHECK_INT(USE_AND_RENEW, advice(&token, now));
  avp_token_fetch_failed(&token, now);
  CHECK_STR("t", token.value);
  CHECK_INT(USE, advice(&token, now)); /* not again at once, but soon */
  CHECK_INT(USE, advice(&token, now + 1000));
  CHECK_INT(USE_AND_RENEW, advice(&token, now + MINUTE));
  CHECK_INT(FETCH, advice(&token, START + HOUR));
  avp_token_free(&token);
}

static void test_refused_after_it_served(void) {
  struct avp_token token;
  memset(&token, 0, sizeof token);
  set(&token, "one", HOUR, true, START);
  CHECK(!token.proven);
  avp_token_worked(&token, 1);
  CHECK(token.proven);
  CHECK(avp_token_refuse(&token, 1));
  CHECK(token.value == NULL);
  CHECK_INT(FETCH, advice(&token, START));
  CHECK(avp_token_refuse(&token, 1)); /* others that were sent with it */
  CHECK(avp_token_refuse(&token, 1));
  set(&token, "two", HOUR, true, START);
  CHECK(avp_token_refuse(&token, 1));
  CHECK_STR("two", token.value); /* that says nothing against this one */
  CHECK(!token.proven);
  avp_token_free(&token);
}

static void test_refused_before_it_served(void) {
  struct avp_token token;
  memset(&token, 0, sizeof token);
  set(&token, "one", HOUR, true, START);
  CHECK(!avp_token_refuse(&token, 1));
  CHECK(token.value == NULL);
  set(&token, "two", HOUR, true, START);
  avp_token_worked(&token, 1); /* an older one's success proves nothing */
  CHECK(!token.proven);
  CHECK(!avp_token_refuse(&token, 2));
  avp_token_free(&token);
}

static void test_token_that_others_used(void) {
  struct avp_token token;
  memset(&token, 0, sizeof token);
  set(&token, "stored", HOUR, false, START);
  CHECK(token.proven);
  CHECK(avp_token_refuse(&token, 1));
  CHECK(token.value == NULL);
  avp_token_free(&token);
}

static void test_fixed(void) {
  struct avp_token token;
  memset(&token, 0, sizeof token);
  CHECK(avp_token_fix(&token, "fixed"));
  CHECK_INT(USE, advice(&token, START));
  avp_token_worked(&token, 1);
  CHECK(!avp_token_refuse(&token, 1));
  CHECK_STR("fixed", token.value); /* there is no other */
  CHECK_INT(USE, advice(&token, START));
  CHECK(!avp_token_refuse(&token, 1));
  avp_token_free(&token);
}

static void test_out_of_memory(void) {
  struct avp_token token;
  memset(&token, 0, sizeof token);
  set(&token, "old", HOUR, true, START);
  avp_mem_fail_at(1);
  CHECK(!avp_token_set(&token, "new", 3, HOUR, true, START));
  CHECK_STR("old", token.value);
  CHECK_INT(1, token.generation);
  avp_token_free(&token);
}

/* The length counts, not a zero byte. */
static void test_value_is_cut_by_its_length(void) {
  struct avp_token token;
  memset(&token, 0, sizeof token);
  CHECK(avp_token_set(&token, "token and more", 5, HOUR, true, START));
  CHECK_STR("token", token.value);
  avp_token_free(&token);
}

static const struct check_test tests[] = {
    {"token: none", test_none},
    {"token: life", test_life},
    {"token: lifetimes", test_lifetimes},
    {"token: the shortest lifetime", test_shortest_lifetime},
    {"token: failed early renewal", test_failed_early_renewal},
    {"token: refused after it served", test_refused_after_it_served},
    {"token: refused before it served", test_refused_before_it_served},
    {"token: one that others used", test_token_that_others_used},
    {"token: fixed", test_fixed},
    {"token: out of memory", test_out_of_memory},
    {"token: value and length", test_value_is_cut_by_its_length},
};

CHECK_MAIN(tests)
