/* test_early.c - requests.h: when the service's connection is made while the token comes.
 *
 * SPDX-License-Identifier: MIT */
#include "rig.h"

/* The URL of the attempt that only connects, or an empty string. */
static const char *early(void) { return fake->early != NULL ? fake->early->url : ""; }

static void test_made_once_for_many(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[3];
  struct avp_stats stats = {0, 0, 0};
  struct avp_event event;
  struct rig rig;
  int before = fake_early_started;
  int i;
  rig_open(&rig, &settings);
  for (i = 0; i < 3; i++) calls[i] = get(&rig, "x=1");
  calls[0]->stats = &stats;
  CHECK_STR("", early());
  step(&rig);
  CHECK(fake_find("/connect/token") != NULL);
  CHECK_STR("https://api.example/list?x=1", early());
  CHECK_INT(1, fake_running());
  fake_connected(CURLE_ABORTED_BY_CALLBACK);
  step(&rig);
  CHECK_STR("", early());
  answer_token(&rig, "token-1", HOUR);
  CHECK_STR("token-1", fake_bearer("x=1"));
  CHECK_INT(1, fake_early_started - before);
  CHECK_INT(1, stats.requests);
  CHECK_INT(1, calls[0]->attempts);
  CHECK(avp_event_take(&rig.r->shared.events, &event) && event.kind == AVP_EVENT_REQUEST);
  CHECK(avp_event_take(&rig.r->shared.events, &event) && event.kind == AVP_EVENT_RESPONSE);
  CHECK(avp_event_take(&rig.r->shared.events, &event) && event.kind == AVP_EVENT_TOKEN);
  CHECK(avp_event_take(&rig.r->shared.events, &event) && event.kind == AVP_EVENT_REQUEST);
  CHECK(!avp_event_take(&rig.r->shared.events, &event));
  release_all(&rig, calls, 3);
  rig_close(&rig);
}

static void test_any_failure_is_silent(void) {
  static const CURLcode results[] = {CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT,
                                     CURLE_PEER_FAILED_VERIFICATION, CURLE_OPERATION_TIMEDOUT,
                                     CURLE_OUT_OF_MEMORY};
  struct avp_settings settings = rig_settings();
  size_t i;
  for (i = 0; i < sizeof results / sizeof results[0]; i++) {
    struct avp_call *call;
    struct rig rig;
    rig_open(&rig, &settings);
    call = get(&rig, "x=1");
    step(&rig);
    fake_connected(results[i]);
    step(&rig);
    CHECK_STR("", early()); /* and none is made again */
    answer_token(&rig, "token-1", HOUR);
    CHECK_INT(1, call->attempts);
    fake_reply("x=1", 200, "one");
    step(&rig);
    CHECK_INT(AVP_CALL_DONE, call->state);
    avp_call_release(rig.r, call);
    rig_close(&rig);
  }
}

/* The request leaves as soon as there is a token: libcurl lets it wait for the connection. */
static void test_token_comes_first(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  answer_token(&rig, "token-1", HOUR);
  CHECK(fake_find("x=1") != NULL);
  CHECK(fake->early != NULL && fake->early->transfer.running);
  fake_connected(CURLE_ABORTED_BY_CALLBACK);
  step(&rig);
  CHECK_STR("", early());
  CHECK(fake_find("x=1") != NULL);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

static void expect_none(struct rig *rig) {
  struct avp_call *call = get(rig, "x=1");
  int before = fake_early_started;
  step(rig);
  CHECK_INT(0, fake_early_started - before);
  avp_call_release(rig->r, call);
  rig_close(rig);
}

static void test_none_is_made(void) {
  static const char *const same[] = {"https://api.example/token", "https://API.example:443/token"};
  struct avp_settings settings = rig_settings();
  struct rig rig;
  size_t i;
  rig_signed_in(&rig, &settings); /* a token is at hand, */
  expect_none(&rig);
  rig_signed_in(&rig, &settings); /* also while it is renewed, */
  rig.now += HOUR - 1000;
  expect_none(&rig);
  settings.credential = AVP_CREDENTIAL_TOKEN; /* the user's function gives it, */
  settings.credential_is_function = true;
  rig_open(&rig, &settings);
  expect_none(&rig);
  settings.credential_is_function = false; /* the user has given it, */
  rig_open(&rig, &settings);
  CHECK(avp_token_fix(&rig.r->signin.token, "given"));
  expect_none(&rig);
  for (i = 0; i < 2; i++) { /* it comes from the same server */
    settings = rig_settings();
    settings.token_url = same[i];
    rig_open(&rig, &settings);
    expect_none(&rig);
  }
}

static void test_not_for_later_attempts(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  int before = fake_early_started;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  fake_connected(CURLE_COULDNT_CONNECT);
  fake_reply("/connect/token", 503, "");
  step(&rig);
  advance(&rig, rig.r->signin.call.not_before - rig.now);
  CHECK_INT(2, rig.r->signin.call.attempts);
  CHECK_INT(1, fake_early_started - before);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

static void list_once(struct rig *rig, const char *token, bool http1) {
  struct avp_call *call = get(rig, "x=1");
  step(rig);
  if (fake->early != NULL) fake_connected(CURLE_ABORTED_BY_CALLBACK);
  answer_token(rig, token, HOUR);
  CHECK(fake_find("x=1") != NULL);
  fake_find("x=1")->transfer.reply.http1 = http1;
  fake_reply("x=1", 200, "");
  step(rig);
  CHECK_INT(AVP_CALL_DONE, call->state);
  avp_call_release(rig->r, call);
  rig->now += HOUR;
}

static void test_http1_is_remembered(void) {
  struct avp_settings settings = rig_settings();
  struct rig rig;
  int before = fake_early_started;
  rig_open(&rig, &settings);
  list_once(&rig, "token-1", false);
  list_once(&rig, "token-2", true);
  CHECK_INT(2, fake_early_started - before);
  list_once(&rig, "token-3", true);
  CHECK_INT(2, fake_early_started - before);
  rig_close(&rig);
}

static void test_ended(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  int way;
  for (way = 0; way < 6; way++) {
    int before = fake_early_started;
    rig_open(&rig, &settings);
    call = get_until(&rig, "x=1", rig.now + 5000);
    step(&rig);
    CHECK(early()[0] != '\0');
    if (way == 0) { /* sign-in has failed */
      fake_reply("/connect/token", 400, "{}");
      step(&rig);
      refuse_token(&rig, "invalid_client", "");
      CHECK_INT(AVP_ERR_AUTH, call->err.kind);
    } else if (way == 1) { /* nobody waits */
      advance(&rig, 5000);
      CHECK_INT(AVP_ERR_TIMEOUT, call->err.kind);
    } else if (way == 2) {
      avp_call_release(rig.r, call);
      call = NULL;
    } else if (way == 3) {
      avp_requests_close(rig.r);
      CHECK_INT(AVP_ERR_CLOSED, call->err.kind);
    } else if (way == 4) { /* and made anew */
      avp_requests_park(rig.r);
      CHECK_STR("", early());
      step(&rig);
      CHECK_INT(2, fake_early_started - before);
      avp_requests_park(rig.r);
    } else {
      fake->forked = true;
      step(&rig);
      CHECK_INT(2, fake_early_started - before);
      avp_requests_park(rig.r);
    }
    CHECK(fake == NULL || fake->early == NULL);
    if (call != NULL) avp_call_release(rig.r, call);
    rig_close(&rig);
  }
}

static const struct check_test tests[] = {
    {"early connection: once for many", test_made_once_for_many},
    {"early connection: any failure is silent", test_any_failure_is_silent},
    {"early connection: the token comes first", test_token_comes_first},
    {"early connection: none is made", test_none_is_made},
    {"early connection: not for later attempts", test_not_for_later_attempts},
    {"early connection: HTTP/1 is remembered", test_http1_is_remembered},
    {"early connection: ended", test_ended},
};

CHECK_MAIN(tests)
