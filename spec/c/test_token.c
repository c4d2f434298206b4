/* test_token.c - token.h: the states of a token by the clock, renewal, and what a 401 means.
 *
 * SPDX-License-Identifier: MIT */
#include "requests/token.h"

#include "check.h"
#include "requests/retry.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define START  INT64_C(5000)

static void set(struct avp_token *token, const char *value, int64_t lifetime, bool fresh,
                int64_t now) {
  CHECK(avp_token_set(token, value, strlen(value), lifetime, fresh, now));
}

static void test_none(void) {
  struct avp_token token;
  avp_token_init(&token);
  CHECK_INT(AVP_TOKEN_FETCH, avp_token_advise(&token, START));
  avp_token_fetch_began(&token);
  CHECK_INT(AVP_TOKEN_WAIT, avp_token_advise(&token, START));
  avp_token_fetch_failed(&token, START);
  CHECK_INT(AVP_TOKEN_FETCH, avp_token_advise(&token, START)); /* without one, at once */
  CHECK_INT(0, token.generation);
  avp_token_free(&token);
}

static void test_life(void) {
  struct avp_token token;
  int64_t end = START + HOUR;
  avp_token_init(&token);
  avp_token_fetch_began(&token);
  set(&token, "one", HOUR, true, START);
  CHECK_STR("one", token.value);
  CHECK_INT(1, token.generation);
  CHECK(!token.fetching);
  CHECK_INT(AVP_TOKEN_USE, avp_token_advise(&token, START));
  CHECK_INT(AVP_TOKEN_USE, avp_token_advise(&token, end - 5 * MINUTE - 1));
  CHECK_INT(AVP_TOKEN_USE_AND_RENEW, avp_token_advise(&token, end - 5 * MINUTE));
  CHECK_INT(AVP_TOKEN_USE_AND_RENEW, avp_token_advise(&token, end - 1));
  CHECK_INT(AVP_TOKEN_FETCH, avp_token_advise(&token, end));
  CHECK_INT(AVP_TOKEN_FETCH, avp_token_advise(&token, end + HOUR));
  avp_token_fetch_began(&token);
  CHECK_INT(AVP_TOKEN_USE, avp_token_advise(&token, end - 1)); /* one renewal at a time */
  CHECK_INT(AVP_TOKEN_WAIT, avp_token_advise(&token, end));
  set(&token, "two", HOUR, true, end);
  CHECK_STR("two", token.value);
  CHECK_INT(2, token.generation);
  CHECK_INT(AVP_TOKEN_USE, avp_token_advise(&token, end));
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
    avp_token_init(&token);
    set(&token, "t", cases[i].lifetime, true, START);
    CHECK_INT(AVP_TOKEN_USE, avp_token_advise(&token, START));
    if (cases[i].renewed_after < 0) {
      CHECK_INT(AVP_TOKEN_USE, avp_token_advise(&token, AVP_NEVER - 1));
    } else {
      CHECK_INT(AVP_TOKEN_USE, avp_token_advise(&token, at - 1));
      CHECK_INT(AVP_TOKEN_USE_AND_RENEW, avp_token_advise(&token, at));
    }
    avp_token_free(&token);
  }
}

/* A lifetime so short that there is no time between fetching and renewing: it is used, and ends. */
static void test_shortest_lifetime(void) {
  struct avp_token token;
  avp_token_init(&token);
  set(&token, "t", 1, true, START);
  CHECK_INT(AVP_TOKEN_USE, avp_token_advise(&token, START));
  CHECK_INT(AVP_TOKEN_FETCH, avp_token_advise(&token, START + 1));
  avp_token_free(&token);
}

static void test_failed_early_renewal(void) {
  struct avp_token token;
  int64_t now = START + HOUR - 4 * MINUTE;
  avp_token_init(&token);
  set(&token, "t", HOUR, true, START);
  CHECK_INT(AVP_TOKEN_USE_AND_RENEW, avp_token_advise(&token, now));
  avp_token_fetch_began(&token);
  avp_token_fetch_failed(&token, now);
  CHECK_STR("t", token.value);
  CHECK_INT(AVP_TOKEN_USE, avp_token_advise(&token, now)); /* not again at once, but soon */
  CHECK_INT(AVP_TOKEN_USE, avp_token_advise(&token, now + 1000));
  CHECK_INT(AVP_TOKEN_USE_AND_RENEW, avp_token_advise(&token, now + MINUTE));
  CHECK_INT(AVP_TOKEN_FETCH, avp_token_advise(&token, START + HOUR));
  avp_token_free(&token);
}

static void test_refused_after_it_served(void) {
  struct avp_token token;
  avp_token_init(&token);
  set(&token, "one", HOUR, true, START);
  CHECK(!avp_token_is_proven(&token));
  avp_token_worked(&token, 1);
  CHECK(avp_token_is_proven(&token));
  CHECK_INT(AVP_TOKEN_REPEAT, avp_token_refuse(&token, 1));
  CHECK(token.value == NULL);
  CHECK_INT(AVP_TOKEN_FETCH, avp_token_advise(&token, START));
  CHECK_INT(AVP_TOKEN_REPEAT, avp_token_refuse(&token, 1)); /* others that were sent with it */
  avp_token_fetch_began(&token);
  CHECK_INT(AVP_TOKEN_REPEAT, avp_token_refuse(&token, 1));
  set(&token, "two", HOUR, true, START);
  CHECK_INT(AVP_TOKEN_REPEAT, avp_token_refuse(&token, 1));
  CHECK_STR("two", token.value); /* that says nothing against this one */
  CHECK(!avp_token_is_proven(&token));
  avp_token_free(&token);
}

static void test_refused_before_it_served(void) {
  struct avp_token token;
  avp_token_init(&token);
  set(&token, "one", HOUR, true, START);
  CHECK_INT(AVP_TOKEN_REFUSED, avp_token_refuse(&token, 1));
  CHECK(token.value == NULL);
  set(&token, "two", HOUR, true, START);
  avp_token_worked(&token, 1); /* an older one's success proves nothing */
  CHECK(!avp_token_is_proven(&token));
  CHECK_INT(AVP_TOKEN_REFUSED, avp_token_refuse(&token, 2));
  avp_token_free(&token);
}

static void test_token_that_others_used(void) {
  struct avp_token token;
  avp_token_init(&token);
  set(&token, "stored", HOUR, false, START);
  CHECK(avp_token_is_proven(&token));
  CHECK_INT(AVP_TOKEN_REPEAT, avp_token_refuse(&token, 1));
  CHECK(token.value == NULL);
  avp_token_free(&token);
}

static void test_fixed(void) {
  struct avp_token token;
  avp_token_init(&token);
  token.fixed = true;
  set(&token, "fixed", AVP_NEVER, true, 0);
  CHECK_INT(AVP_TOKEN_USE, avp_token_advise(&token, START));
  avp_token_worked(&token, 1);
  CHECK_INT(AVP_TOKEN_REFUSED, avp_token_refuse(&token, 1));
  CHECK_STR("fixed", token.value); /* there is no other */
  CHECK_INT(AVP_TOKEN_USE, avp_token_advise(&token, START));
  CHECK_INT(AVP_TOKEN_REFUSED, avp_token_refuse(&token, 1));
  avp_token_free(&token);
}

static void test_out_of_memory(void) {
  struct avp_token token;
  avp_token_init(&token);
  set(&token, "old", HOUR, true, START);
  avp_token_fetch_began(&token);
  avp_mem_fail_at(1);
  CHECK(!avp_token_set(&token, "new", 3, HOUR, true, START));
  CHECK_STR("old", token.value);
  CHECK_INT(1, token.generation);
  avp_token_free(&token);
}

/* The length counts, not a zero byte. */
static void test_value_is_cut_by_its_length(void) {
  struct avp_token token;
  avp_token_init(&token);
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
