/* test_renewal.c - requests.h and signin.h: how a token is renewed ahead of its end.
 * SPDX-License-Identifier: MIT */
#include "rig.h"

static void test_early_renewal(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[2];
  struct rig rig;
  rig_signed_in(&rig, &settings);
  rig.now += HOUR - 300000 - 1;
  calls[0] = get(&rig, "x=1");
  step(&rig);
  CHECK(fake_find("/connect/token") == NULL);
  rig.now += 1;
  calls[1] = get(&rig, "x=2");
  step(&rig);
  CHECK(fake_find("/connect/token") != NULL);
  CHECK(fake_find("x=2") != NULL); /* pages go on meanwhile, with the old token */
  CHECK_STR("token-1", fake_bearer("x=2"));
  CHECK_INT(3, fake_running()); /* one renewal at a time */
  answer_token(&rig, "token-2", HOUR);
  avp_call_release(rig.r, calls[0]);
  calls[0] = get(&rig, "x=3");
  step(&rig);
  CHECK_STR("token-2", fake_bearer("x=3"));
  release_all(&rig, calls, 2);
  rig_close(&rig);
}

/* One page in flight, so that nobody waits each time one comes in: the renewal goes on. */
static void test_renewal_outlives_pages(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  int started;
  int i;
  rig_signed_in(&rig, &settings);
  rig.now += HOUR - 200000;
  started = fake_started;
  for (i = 0; i < 5; i++) {
    call = get(&rig, "x=1");
    step(&rig);
    fake_reply("x=1", 200, "");
    advance(&rig, 50);
    avp_call_release(rig.r, call);
    step(&rig);
  }
  CHECK_INT(1 + 5, fake_started - started);
  rig.now += 300000; /* the old token ends while a page is under way */
  call = get(&rig, "x=2");
  answer_token(&rig, "token-2", HOUR);
  CHECK_STR("token-2", fake_bearer("x=2"));
  CHECK_INT(1 + 6, fake_started - started);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

/* Nor is it given up with the last listing: the next one needs it. */
static void test_renewal_outlives_listings(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_signed_in(&rig, &settings);
  rig.now += HOUR - 200000;
  call = get(&rig, "x=1");
  step(&rig);
  avp_call_release(rig.r, call);
  CHECK(fake_find("/connect/token") != NULL);
  answer_token(&rig, "token-2", HOUR);
  rig_close(&rig);
}

/* With a store, the lock that other processes wait for would be held meanwhile. */
static void test_renewal_with_a_store(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  settings.token_store = true;
  rig_signed_in(&rig, &settings);
  rig.now += HOUR - 200000;
  call = get(&rig, "x=1");
  step(&rig);
  CHECK(avp_signin_fetch(&rig.r->signin));
  step(&rig);
  fake_reply("x=1", 200, "");
  step(&rig);
  avp_call_release(rig.r, call);
  CHECK_INT(1, fake_running()); /* the page came in first */
  call = get(&rig, "x=2");
  step(&rig);
  avp_call_release(rig.r, call); /* the listing is left */
  CHECK_INT(0, fake_running());
  CHECK_INT(AVP_SIGNIN_IDLE, rig.r->signin.state);
  call = get(&rig, "x=3"); /* the renewal did not fail: it is not put off */
  step(&rig);
  CHECK_INT(AVP_SIGNIN_LOOKING, rig.r->signin.state);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

/* The coroutine that asks the user's function may be gone with the listing. */
static void test_renewal_that_asks_the_user(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  settings.credential_is_function = true;
  rig_signed_in(&rig, &settings);
  rig.now += HOUR - 200000;
  call = get(&rig, "x=1");
  step(&rig);
  CHECK(avp_signin_wants(&rig.r->signin, rig.now));
  avp_call_release(rig.r, call);
  call = get(&rig, "x=2");
  step(&rig);
  CHECK(avp_signin_wants(&rig.r->signin, rig.now));
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

/* Its reply lay there while nobody waited. A 401 then is the token's age, not its refusal. */
static void test_renewal_read_late(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_signed_in(&rig, &settings);
  rig.now += HOUR - 200000;
  call = get(&rig, "x=1");
  step(&rig);
  fake_reply("x=1", 200, "");
  step(&rig);
  avp_call_release(rig.r, call);
  rig.now += 2 * HOUR;
  call = get(&rig, "x=2");
  answer_token(&rig, "token-2", HOUR);
  fake_reply("x=2", 401, "");
  step(&rig);
  CHECK_INT(AVP_CALL_QUEUED, call->state);
  answer_token(&rig, "token-3", HOUR);
  CHECK_STR("token-3", fake_bearer("x=2"));
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

static void test_failed_early_renewal(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[3];
  struct rig rig;
  settings.timeout_ms = HOUR;
  rig_signed_in(&rig, &settings);
  rig.now += HOUR - 200000;
  calls[0] = get(&rig, "x=1");
  step(&rig);
  fake_reply("/connect/token", 400, "{}");
  step(&rig);
  refuse_token(&rig, "invalid_client", NULL);
  step(&rig);
  CHECK_INT(AVP_CALL_IN_FLIGHT, calls[0]->state);
  calls[1] = get(&rig, "x=2");
  step(&rig);
  CHECK(fake_find("x=2") != NULL);
  CHECK(fake_find("/connect/token") == NULL); /* not again at once */
  rig.now += 200000;                          /* the old token has ended: now it matters */
  calls[2] = get(&rig, "x=3");
  step(&rig);
  CHECK(fake_find("x=3") == NULL);
  fake_reply("/connect/token", 400, "{}");
  step(&rig);
  refuse_token(&rig, "invalid_client", NULL);
  CHECK_INT(AVP_CALL_FAILED, calls[2]->state);
  CHECK_INT(AVP_ERR_AUTH, calls[2]->err.kind);
  CHECK(calls[2]->err.at_sign_in);
  CHECK_INT(AVP_CALL_IN_FLIGHT, calls[1]->state); /* what is on its way may still succeed */
  release_all(&rig, calls, 3);
  rig_close(&rig);
}

/* It fails nobody who waits for something else while the old token lives. */
static void test_failed_early_renewal_and_waits(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_signed_in(&rig, &settings);
  rig.now += HOUR - 200000;
  call = get(&rig, "x=1");
  step(&rig);
  fake_reply_with("x=1", 503, "", "2", NULL);
  fake_reply("/connect/token", 400, "{}");
  step(&rig);
  refuse_token(&rig, "invalid_client", NULL);
  CHECK_INT(AVP_CALL_QUEUED, call->state);
  advance(&rig, 2000);
  CHECK_STR("token-1", fake_bearer("x=1"));
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

/* While an early renewal hangs, a page that waits for its next attempt must be woken in time. */
static void test_renewal_holds_up_no_retry(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_signed_in(&rig, &settings);
  rig.now += HOUR - 200000;
  call = get(&rig, "x=1");
  step(&rig);
  CHECK(fake_find("/connect/token") != NULL);
  fake_reply_with("x=1", 503, "", "2", NULL);
  step(&rig);
  CHECK_INT(rig.now + 2000, avp_requests_wait(rig.r, rig.now));
  advance(&rig, 2000);
  CHECK(fake_find("x=1") != NULL);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

/* The same with a token that has ended meanwhile: nothing to wake for but the reply. */
static void test_no_circles_while_the_token_is_fetched(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_signed_in(&rig, &settings);
  rig.now += HOUR - 1000;
  call = get(&rig, "x=1");
  step(&rig);
  fake_reply_with("x=1", 503, "", "2", NULL);
  step(&rig);
  advance(&rig, 2000); /* the step checks that wake_at is ahead */
  CHECK_INT(AVP_CALL_QUEUED, call->state);
  answer_token(&rig, "token-2", HOUR);
  CHECK_INT(AVP_CALL_IN_FLIGHT, call->state);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

/* While the old token lives, an early renewal is left to the process that is at it. */
static void test_renewal_is_left_to_others(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[2];
  struct rig rig;
  settings.token_store = true;
  rig_signed_in(&rig, &settings);
  rig.now += HOUR - 200000;
  calls[0] = get(&rig, "x=1");
  step(&rig);
  CHECK_STR("token-1", fake_bearer("x=1"));
  CHECK(avp_signin_wants(&rig.r->signin, rig.now));
  CHECK(avp_signin_later(&rig.r->signin, 50, rig.now));
  calls[1] = get(&rig, "x=2");
  step(&rig);
  CHECK_INT(AVP_SIGNIN_IDLE, rig.r->signin.state);
  avp_call_release(rig.r, calls[1]);
  calls[1] = get(&rig, "x=3"); /* it looks again after a while */
  advance(&rig, 30000);
  CHECK_INT(AVP_SIGNIN_LOOKING, rig.r->signin.state);
  release_all(&rig, calls, 2);
  rig_close(&rig);
}

/* Once it has ended, the other process's token is waited for. */
static void test_expired_token_is_not_left_to_others(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  settings.token_store = true;
  rig_signed_in(&rig, &settings);
  rig.now += HOUR;
  call = get(&rig, "x=1");
  step(&rig);
  CHECK(avp_signin_wants(&rig.r->signin, rig.now));
  CHECK(!avp_signin_later(&rig.r->signin, 50, rig.now));
  CHECK_INT(AVP_SIGNIN_LOOKING, rig.r->signin.state);
  CHECK(avp_signin_wants(&rig.r->signin, rig.now + 50));
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

/* The token endpoint's limit is not the service's. */
static void test_throttled_renewal_pauses_nobody(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[2];
  struct rig rig;
  rig_signed_in(&rig, &settings);
  rig.now += HOUR - 200000;
  calls[0] = get(&rig, "x=1");
  step(&rig);
  fake_reply_with("/connect/token", 429, "", "60", NULL);
  step(&rig);
  calls[1] = get(&rig, "x=2");
  step(&rig);
  CHECK_STR("token-1", fake_bearer("x=2"));
  CHECK_INT(0, rig.r->paused_until);
  CHECK_INT(4, rig.r->max_in_flight);
  release_all(&rig, calls, 2);
  rig_close(&rig);
}

static const struct check_test tests[] = {
    {"renewal: while pages go on", test_early_renewal},
    {"renewal: outlives the pages", test_renewal_outlives_pages},
    {"renewal: outlives listings", test_renewal_outlives_listings},
    {"renewal: with a store", test_renewal_with_a_store},
    {"renewal: one that asks the user", test_renewal_that_asks_the_user},
    {"renewal: one that is read late", test_renewal_read_late},
    {"renewal: a failed one is tolerated", test_failed_early_renewal},
    {"renewal: a failed one fails no wait", test_failed_early_renewal_and_waits},
    {"renewal: holds up no retry", test_renewal_holds_up_no_retry},
    {"renewal: no circles while the token is fetched", test_no_circles_while_the_token_is_fetched},
    {"renewal: is left to others", test_renewal_is_left_to_others},
    {"renewal: an expired token is not left to others", test_expired_token_is_not_left_to_others},
    {"renewal: a throttled renewal pauses nobody", test_throttled_renewal_pauses_nobody},
};

CHECK_MAIN(tests)
