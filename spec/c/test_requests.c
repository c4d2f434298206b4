/* test_requests.c - requests.h: order, concurrency, what is tried again, ends of calls.
 * test_waits.c has what concerns the clock, test_signin.c what concerns the token.
 * SPDX-License-Identifier: MIT */
#include "rig.h"

static void test_order_and_limit(void) {
  static const char *const names[] = {"a=1", "a=2", "a=3", "a=4", "a=5", "a=6"};
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[6];
  struct rig rig;
  int i;
  rig_signed_in(&rig, &settings);
  for (i = 0; i < 6; i++) calls[i] = get(&rig, names[i]);
  CHECK_INT(0, fake_running()); /* nothing leaves before a step */
  step(&rig);
  CHECK_INT(4, fake_running());
  for (i = 0; i < 6; i++) CHECK_INT(i < 4, fake_find(names[i]) != NULL);
  fake_reply("a=3", 200, "three");
  step(&rig);
  CHECK(fake_find("a=5") != NULL && fake_find("a=6") == NULL);
  CHECK_INT(AVP_CALL_DONE, calls[2]->state);
  CHECK_INT(200, calls[2]->status);
  CHECK_STR("three", calls[2]->body_received.data);
  fake_reply("a=1", 204, "");
  step(&rig);
  CHECK(fake_find("a=6") != NULL);
  CHECK_INT(204, calls[0]->status);
  release_all(&rig, calls, 6);
  CHECK_INT(0, fake_running());
  rig_close(&rig);
}

static void test_what_is_sent(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_signed_in(&rig, &settings);
  call = avp_call_new(rig.r, "https://api.example/batch?p=1", "{\"a\":1}", AVP_NEVER);
  step(&rig);
  CHECK(fake->running != NULL && fake->running->post);
  CHECK_STR("https://api.example/batch?p=1", fake->running->url);
  CHECK_STR("{\"a\":1}", fake->running->body);
  CHECK_STR("application/json", fake->running->content_type);
  CHECK_STR("token-1", fake->running->bearer);
  CHECK_INT(rig.now + 30000, avp_requests_wait(rig.r, rig.now));
  avp_call_release(rig.r, call);
  call = get(&rig, "p=2");
  step(&rig);
  CHECK(!fake->running->post);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

static void test_retry_until_spent(void) {
  struct avp_settings settings = rig_settings();
  struct avp_stats stats = {0, 0, 0};
  struct avp_call *call;
  struct rig rig;
  int i;
  rig_signed_in(&rig, &settings);
  call = get(&rig, "x=1");
  call->page = 3;
  call->stats = &stats;
  step(&rig);
  for (i = 1; i <= 5; i++) {
    CHECK_INT(i, call->attempts);
    fake_reply("x=1", 500, "it broke");
    step(&rig);
    if (i < 5) rig.now = call->not_before > rig.now ? call->not_before : rig.now;
    step(&rig);
  }
  CHECK_INT(AVP_CALL_FAILED, call->state);
  CHECK_INT(AVP_ERR_SERVER, call->err.kind);
  CHECK_INT(500, call->err.status);
  CHECK_INT(5, call->err.attempts);
  CHECK_INT(3, call->err.page);
  CHECK(call->err.retryable);
  CHECK_STR("it broke", call->err.body);
  CHECK_STR("request-1", call->err.request_id);
  CHECK_STR("https://api.example/list", call->err.url);
  CHECK(strstr(call->err.message, "gave up after 5 attempts") != NULL);
  CHECK_INT(5, stats.requests);
  CHECK_INT(4, stats.retries);
  CHECK(stats.bytes == 40);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

static void test_some_are_never_tried_again(void) {
  static const struct {
    int status;
    enum avp_err_kind kind;
  } cases[] = {{400, AVP_ERR_HTTP},   {403, AVP_ERR_FORBIDDEN}, {404, AVP_ERR_NOT_FOUND},
               {302, AVP_ERR_HTTP},   {201, AVP_ERR_HTTP},      {206, AVP_ERR_HTTP},
               {501, AVP_ERR_SERVER}, {418, AVP_ERR_HTTP}};
  struct avp_settings settings = rig_settings();
  struct rig rig;
  size_t i;
  rig_signed_in(&rig, &settings);
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct avp_call *call = get(&rig, "x=1");
    step(&rig);
    fake_reply_with("x=1", cases[i].status, "", "1", NULL); /* whatever Retry-After says */
    step(&rig);
    CHECK_INT(AVP_CALL_FAILED, call->state);
    CHECK_INT(cases[i].kind, call->err.kind);
    CHECK_INT(1, call->err.attempts);
    CHECK(!call->err.retryable);
    avp_call_release(rig.r, call);
  }
  rig_close(&rig);
}

static void test_failures_of_the_network(void) {
  static const struct {
    CURLcode result;
    enum avp_err_kind kind;
    bool again;
  } cases[] = {{CURLE_COULDNT_CONNECT, AVP_ERR_NETWORK, true},
               {CURLE_COULDNT_RESOLVE_HOST, AVP_ERR_NETWORK, true},
               {CURLE_RECV_ERROR, AVP_ERR_NETWORK, true},
               {CURLE_OPERATION_TIMEDOUT, AVP_ERR_TIMEOUT, true},
               {CURLE_PARTIAL_FILE, AVP_ERR_PROTOCOL, true},
               {CURLE_PEER_FAILED_VERIFICATION, AVP_ERR_TLS, false},
               {CURLE_SSL_CONNECT_ERROR, AVP_ERR_TLS, false}};
  struct avp_settings settings = rig_settings();
  struct rig rig;
  size_t i;
  settings.retry.max_attempts = 2;
  rig_signed_in(&rig, &settings);
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct avp_call *call = get(&rig, "x=1");
    step(&rig);
    fake_fail("x=1", cases[i].result);
    advance(&rig, 10000);
    if (cases[i].again) {
      advance(&rig, 1500);
      fake_fail("x=1", cases[i].result);
      advance(&rig, 10000);
    }
    CHECK_INT(AVP_CALL_FAILED, call->state);
    CHECK_INT(cases[i].kind, call->err.kind);
    CHECK_INT(cases[i].result, call->err.curl);
    CHECK_INT(cases[i].again ? 2 : 1, call->err.attempts);
    avp_call_release(rig.r, call);
  }
  rig_close(&rig);
}

static void test_reply_that_is_too_large(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_signed_in(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  fake_find("x=1")->transfer.reply.overflow = AVP_OVERFLOW_BODY;
  fake_fail("x=1", CURLE_WRITE_ERROR);
  step(&rig);
  CHECK_INT(AVP_ERR_LIMIT, call->err.kind);
  CHECK_INT(1, call->err.attempts);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

/* It may have been a neighbour's reply; met at each attempt, it was ours. */
static void test_connection_with_too_large_headers(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  int i;
  settings.retry.max_attempts = 3;
  rig_signed_in(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  for (i = 1; i <= 3; i++) {
    CHECK_INT(AVP_CALL_IN_FLIGHT, call->state);
    fake_fail_saying("x=1", CURLE_HTTP2, "nghttp2 recv error -902");
    step(&rig);
    if (i < 3) advance(&rig, 3000);
  }
  CHECK_INT(AVP_CALL_FAILED, call->state);
  CHECK_INT(AVP_ERR_LIMIT, call->err.kind);
  CHECK_INT(3, call->err.attempts);
  CHECK(!call->err.retryable);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

/* More than a few are in flight only after successes: a limit is met by few requests at once. */
static void test_start(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[20];
  struct rig rig;
  int i;
  settings.concurrency = 16;
  rig_signed_in(&rig, &settings);
  for (i = 0; i < 20; i++) calls[i] = get(&rig, "z=1");
  step(&rig);
  CHECK_INT(4, fake_running());
  for (i = 0; i < 4; i++) fake_reply("z=1", 200, "");
  step(&rig);
  CHECK_INT(8, fake_running());
  release_all(&rig, calls, 20);
  rig_close(&rig);
}

/* Another coroutine may wait for the call that is taken away. */
static void test_release_is_progress(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  uint64_t before;
  rig_signed_in(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  before = rig.r->shared.progress;
  avp_call_release(rig.r, call);
  CHECK(before != rig.r->shared.progress);
  rig_close(&rig);
}

static void test_progress_and_events(void) {
  static const enum avp_event_kind expected[] = {
      AVP_EVENT_TOKEN, AVP_EVENT_REQUEST, AVP_EVENT_RESPONSE, AVP_EVENT_RETRY,
      AVP_EVENT_WAIT,  AVP_EVENT_REQUEST, AVP_EVENT_RESPONSE};
  struct avp_settings settings = rig_settings();
  struct avp_event events[8];
  struct avp_call *call;
  struct rig rig;
  uint64_t before;
  int n = 0;
  rig_signed_in(&rig, &settings);
  call = get(&rig, "x=1");
  call->page = 9;
  before = rig.r->shared.progress;
  step(&rig);
  fake_reply_with("x=1", 503, "gone", "2", NULL);
  step(&rig);
  CHECK(before == rig.r->shared.progress); /* nothing yet for whoever waits */
  advance(&rig, 2000);
  fake_reply("x=1", 200, "here");
  step(&rig);
  CHECK(before != rig.r->shared.progress);
  while (n < 8 && avp_event_take(&rig.r->shared.events, &events[n])) n++;
  CHECK_INT(7, n);
  for (n = 0; n < 7; n++) CHECK_INT(expected[n], events[n].kind);
  CHECK(events[0].lifetime == 3600);
  CHECK_STR("GET", events[1].method);
  CHECK_STR("https://api.example/list", events[1].url);
  CHECK_INT(9, events[1].page);
  CHECK_INT(503, events[2].status);
  CHECK(events[2].bytes == 4 && events[2].seconds == 0.25);
  CHECK_INT(1, events[2].attempt);
  CHECK_STR("server", events[3].reason);
  CHECK(events[4].wait == 2);
  CHECK_INT(2, events[5].attempt);
  CHECK(events[5].time == (double)(WALL + rig.now) / 1000);
  CHECK_INT(200, events[6].status);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

/* When attempts began and ended is what drift.h goes by, whether or not anybody takes events. */
static void test_order_of_attempts(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[3];
  struct rig rig;
  int events;
  for (events = 0; events < 2; events++) {
    rig_signed_in(&rig, &settings);
    rig.r->shared.events.on = events != 0;
    calls[0] = get(&rig, "x=1");
    calls[1] = get(&rig, "x=2");
    step(&rig);
    fake_reply("x=2", 200, "");
    step(&rig);
    calls[2] = get(&rig, "x=3");
    step(&rig);
    fake_reply("x=1", 200, "");
    fake_reply("x=3", 200, "");
    step(&rig);
    CHECK(calls[0]->sent < calls[1]->sent && calls[1]->sent < calls[1]->received);
    CHECK(calls[1]->received < calls[2]->sent && calls[2]->sent < calls[0]->received);
    CHECK(calls[0]->received < calls[2]->received);
    release_all(&rig, calls, 3);
    rig_close(&rig);
  }
}

/* Calls in every state there is: queued, in flight, finished but not yet seen, waiting for another
 * attempt, done, failed. */
static void make_all_states(struct rig *rig, struct avp_call **calls) {
  struct avp_settings settings = rig_settings();
  settings.concurrency = 5;
  rig_signed_in(rig, &settings);
  rig->r->max_in_flight = 5;
  calls[0] = get(rig, "s=done");
  calls[1] = get(rig, "s=failed");
  calls[2] = get(rig, "s=waiting");
  calls[3] = get(rig, "s=flying");
  calls[4] = get(rig, "s=landed");
  step(rig);
  fake_reply("s=done", 200, "done");
  fake_reply("s=failed", 404, "failed");
  fake_reply("s=waiting", 429, "waiting");
  step(rig);
  calls[5] = get(rig, "s=queued");
  step(rig);
  fake_reply("s=landed", 200, "landed");
  CHECK_INT(AVP_CALL_DONE, calls[0]->state);
  CHECK_INT(AVP_CALL_FAILED, calls[1]->state);
  CHECK_INT(AVP_CALL_QUEUED, calls[2]->state);
  CHECK_INT(AVP_CALL_IN_FLIGHT, calls[3]->state);
  CHECK_INT(AVP_CALL_IN_FLIGHT, calls[4]->state);
  CHECK_INT(AVP_CALL_QUEUED, calls[5]->state);
}

static void test_close_in_every_state(void) {
  struct avp_call *calls[7];
  struct rig rig;
  int i;
  make_all_states(&rig, calls);
  avp_requests_close(rig.r);
  avp_requests_close(rig.r);
  CHECK(rig.r->closed);
  CHECK(fake == NULL);
  CHECK_INT(AVP_CALL_DONE, calls[0]->state); /* what was there stays */
  CHECK_STR("done", calls[0]->body_received.data);
  CHECK_INT(AVP_ERR_NOT_FOUND, calls[1]->err.kind);
  for (i = 2; i < 6; i++) {
    CHECK_INT(AVP_CALL_FAILED, calls[i]->state);
    CHECK_INT(AVP_ERR_CLOSED, calls[i]->err.kind);
  }
  step(&rig);
  CHECK(avp_requests_wait(rig.r, rig.now) == AVP_NEVER);
  CHECK(!avp_signin_wants(&rig.r->signin, rig.now));
  calls[6] = get(&rig, "s=late");
  CHECK_INT(AVP_CALL_FAILED, calls[6]->state);
  CHECK_INT(AVP_ERR_CLOSED, calls[6]->err.kind);
  release_all(&rig, calls, 7);
  rig_close(&rig);
}

static void test_release_in_every_state(void) {
  int order;
  for (order = 0; order < 6; order++) {
    struct avp_call *calls[6];
    struct rig rig;
    int i;
    make_all_states(&rig, calls);
    for (i = 0; i < 6; i++) {
      avp_call_release(rig.r, calls[(i + order) % 6]);
      step(&rig);
    }
    CHECK_INT(0, fake_running());
    CHECK(avp_requests_wait(rig.r, rig.now) == AVP_NEVER);
    rig_close(&rig);
  }
}

/* What reaches a closed client late must not stay in memory: it may be a secret. */
static void test_supplies_after_close(void) {
  struct avp_settings settings = rig_settings();
  struct rig rig;
  rig_signed_in(&rig, &settings);
  avp_requests_close(rig.r);
  (void)avp_signin_supply(&rig.r->signin, "a late secret");
  CHECK(!avp_signin_supply_token(&rig.r->signin, "t", 1, HOUR, true, rig.now));
  rig_close(&rig);
}

static void test_references(void) {
  struct avp_settings settings = rig_settings();
  struct rig rig;
  rig_signed_in(&rig, &settings);
  CHECK(avp_requests_retain(rig.r) == rig.r);
  avp_requests_release(rig.r);
  CHECK(!rig.r->closed);
  rig_close(&rig);
  avp_requests_release(NULL);
}

static void test_settings_are_copied(void) {
  struct avp_settings settings = rig_settings();
  char url[] = TOKEN_URL;
  struct rig rig;
  settings.token_url = url;
  rig_signed_in(&rig, &settings);
  memset(url, 'x', sizeof url - 1);
  CHECK_STR(TOKEN_URL, rig.r->settings.token_url);
  rig_close(&rig);
}

/* What is parked counts as not sent, and leaves again with the next step. */
static void test_park(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[3];
  struct rig rig;
  rig_signed_in(&rig, &settings);
  CHECK(!avp_requests_in_flight(rig.r));
  calls[0] = get(&rig, "a=1");
  calls[1] = get(&rig, "a=2");
  step(&rig);
  fake_reply("a=1", 200, "one");
  step(&rig);
  CHECK(avp_requests_in_flight(rig.r));
  avp_requests_park(rig.r);
  avp_requests_park(rig.r);
  CHECK(!avp_requests_in_flight(rig.r));
  CHECK_INT(0, fake_running());
  CHECK_INT(AVP_CALL_DONE, calls[0]->state); /* what has come stays */
  CHECK_INT(AVP_CALL_QUEUED, calls[1]->state);
  CHECK_INT(0, calls[1]->attempts);
  step(&rig);
  CHECK_INT(1, fake_running());
  fake_reply("a=2", 200, "two");
  step(&rig);
  CHECK_INT(AVP_CALL_DONE, calls[1]->state);
  release_all(&rig, calls, 2);
  rig_close(&rig);

  rig_open(&rig, &settings); /* a token request too */
  calls[0] = get(&rig, "a=1");
  step(&rig);
  CHECK(avp_requests_in_flight(rig.r));
  avp_requests_park(rig.r);
  CHECK(!avp_requests_in_flight(rig.r));
  CHECK_INT(0, fake_running());
  step(&rig);
  answer_token(&rig, "token-1", HOUR);
  fake_reply("a=1", 200, "one");
  step(&rig);
  CHECK_INT(AVP_CALL_DONE, calls[0]->state);
  avp_call_release(rig.r, calls[0]);
  avp_requests_close(rig.r);
  avp_requests_park(rig.r);
  rig_close(&rig);
}

/* In the child of a fork all that was under way begins anew and counts as the same attempt. */
static void test_fork(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[3];
  struct rig rig;
  int i;
  rig_signed_in(&rig, &settings);
  for (i = 0; i < 3; i++) calls[i] = get(&rig, "f=1");
  step(&rig);
  fake_reply("f=1", 200, "");
  step(&rig);
  fake->forked = true;
  step(&rig);
  CHECK(rig.r->shared.jitter_state != 12345); /* parent and child wait for other times */
  CHECK_INT(2, fake_running());
  CHECK_INT(AVP_CALL_DONE, calls[0]->state);
  CHECK_INT(1, calls[1]->attempts);
  fake->forked = true;
  avp_call_release(rig.r, calls[1]); /* a release is a step too as far as this goes */
  fake->forked = true;
  avp_requests_close(rig.r);
  avp_call_release(rig.r, calls[0]);
  avp_call_release(rig.r, calls[2]);
  rig_close(&rig);
}

/* A whole sign-in and two pages, with the n-th allocation failing: nothing leaks, nothing hangs,
 * each call ends, and those that failed say why. */
static bool run_short_of_memory(long n) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[2] = {NULL, NULL};
  struct rig rig;
  int i;
  avp_mem_fail_at(n);
  rig.now = 1000;
  rig.r = avp_requests_new(&settings);
  if (rig.r == NULL) return false;
  rig.r->shared.events.on = true;
  if (avp_signin_supply(&rig.r->signin, SECRET)) {
    calls[0] = avp_call_new(rig.r, "https://api.example/list?m=1", NULL, AVP_NEVER);
    calls[1] = avp_call_new(rig.r, "https://api.example/list?m=2", "{}", AVP_NEVER);
  }
  for (i = 0; i < 6; i++) {
    step(&rig);
    if (fake_find("m=1") != NULL) fake_reply("m=1", 200, "");
    if (fake_find("m=2") != NULL) fake_reply("m=2", 200, "");
    if (fake_find("/token") != NULL) fake_reply("/token", 200, "");
    if (token_reply(rig.r) == NULL) continue;
    (void)avp_signin_supply_token(&rig.r->signin, "t-1", 3, HOUR, true, rig.now);
  }
  avp_mem_fail_at(0);
  for (i = 0; i < 2; i++) {
    if (calls[i] == NULL) continue;
    CHECK(calls[i]->state == AVP_CALL_DONE || calls[i]->state == AVP_CALL_FAILED);
    if (calls[i]->state == AVP_CALL_FAILED) CHECK_INT(AVP_ERR_MEMORY, calls[i]->err.kind);
    avp_call_release(rig.r, calls[i]);
  }
  rig_close(&rig);
  return true;
}

static void test_out_of_memory(void) {
  long live = avp_mem_live();
  long n;
  for (n = 1; n <= 60; n++) {
    (void)run_short_of_memory(n);
    avp_mem_fail_at(0);
    CHECK_INT(live, avp_mem_live());
  }
  CHECK(run_short_of_memory(0));
}

static const struct check_test tests[] = {
    {"requests: order and limit", test_order_and_limit},
    {"requests: what is sent", test_what_is_sent},
    {"requests: tries until the attempts are spent", test_retry_until_spent},
    {"requests: some replies are never tried again", test_some_are_never_tried_again},
    {"requests: failures of the network", test_failures_of_the_network},
    {"requests: a reply that is too large", test_reply_that_is_too_large},
    {"requests: a connection with too large headers", test_connection_with_too_large_headers},
    {"requests: start", test_start},
    {"requests: a release is progress", test_release_is_progress},
    {"requests: progress and events", test_progress_and_events},
    {"requests: order of attempts", test_order_of_attempts},
    {"requests: close in every state", test_close_in_every_state},
    {"requests: release in every state", test_release_in_every_state},
    {"requests: supplies after close", test_supplies_after_close},
    {"requests: references", test_references},
    {"requests: settings are copied", test_settings_are_copied},
    {"requests: park", test_park},
    {"requests: fork", test_fork},
    {"requests: out of memory", test_out_of_memory},
};

CHECK_MAIN(tests)
