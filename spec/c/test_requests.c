/* test_requests.c - requests.h: order, concurrency, waits, deadlines, ends of calls.
 * test_signin.c has what concerns the token.
 *
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

static void test_delays_are_kept(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_signed_in(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  fake_reply("x=1", 429, "");
  step(&rig);
  advance(&rig, rig.r->pace.next - rig.now); /* the first time it waits for the pace only */
  fake_reply("x=1", 429, "");                /* 4 to 8 s, and the whole client waits */
  step(&rig);
  CHECK_INT(AVP_CALL_QUEUED, call->state);
  CHECK(call->not_before >= rig.now + 4000 && call->not_before <= rig.now + 8000);
  CHECK_INT(call->not_before, avp_requests_wait(rig.r, rig.now));
  advance(&rig, call->not_before - rig.now - 1);
  CHECK_INT(0, fake_running());
  advance(&rig, 1);
  CHECK_INT(1, fake_running());
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

static void test_whole_client_waits(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[3];
  struct rig rig;
  rig_signed_in(&rig, &settings);
  calls[0] = get(&rig, "x=1");
  calls[1] = get(&rig, "x=2");
  step(&rig);
  fake_reply_with("x=1", 503, "", "7", NULL);
  step(&rig);
  calls[2] = get(&rig, "x=3");
  step(&rig);
  CHECK(fake_find("x=3") == NULL);
  fake_reply("x=2", 200, ""); /* one that was on its way is taken all the same */
  step(&rig);
  CHECK_INT(rig.now + 7000, avp_requests_wait(rig.r, rig.now));
  CHECK_INT(AVP_CALL_DONE, calls[1]->state);
  advance(&rig, 6999);
  CHECK_INT(0, fake_running());
  advance(&rig, 1);
  CHECK_INT(1, fake_running()); /* from now on at even distances */
  advance(&rig, rig.r->pace.next - rig.now);
  CHECK_INT(2, fake_running());
  release_all(&rig, calls, 3);
  rig_close(&rig);
}

/* Two replies ask to wait: both waits are kept, whichever comes first. */
static void test_longest_wait_holds(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[2];
  struct rig rig;
  rig_signed_in(&rig, &settings);
  calls[0] = get(&rig, "x=1");
  calls[1] = get(&rig, "x=2");
  step(&rig);
  fake_reply_with("x=1", 500, "", "60", NULL);
  fake_reply_with("x=2", 500, "", "2", NULL);
  step(&rig);
  advance(&rig, 59999);
  CHECK_INT(0, fake_running());
  advance(&rig, 1);
  CHECK_INT(2, fake_running());
  release_all(&rig, calls, 2);
  rig_close(&rig);
}

/* Without Retry-After a 5xx is one request's trouble. */
static void test_one_request_waits(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[2];
  struct rig rig;
  rig_signed_in(&rig, &settings);
  calls[0] = get(&rig, "x=1");
  step(&rig);
  fake_reply("x=1", 502, "");
  step(&rig);
  CHECK_INT(AVP_CALL_QUEUED, calls[0]->state);
  calls[1] = get(&rig, "x=2");
  step(&rig);
  CHECK(fake_find("x=2") != NULL);
  CHECK_INT(calls[0]->not_before, avp_requests_wait(rig.r, rig.now));
  release_all(&rig, calls, 2);
  rig_close(&rig);
}

static void test_retry_after_as_a_date(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_signed_in(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  /* the server's clock is a year off; only the difference counts */
  fake_reply_with("x=1", 503, "", "Fri, 01 Jan 2027 00:00:09 GMT", "Fri, 01 Jan 2027 00:00:00 GMT");
  step(&rig);
  CHECK_INT(rig.now + 9000, avp_requests_wait(rig.r, rig.now));
  avp_call_release(rig.r, call);
  call = get(&rig, "x=1");
  advance(&rig, 9000);
  /* without a Date the wall clock counts: it shows WALL + now */
  fake_reply_with("x=1", 503, "", "Thu, 01 Jan 2026 00:00:20 GMT", NULL);
  step(&rig);
  CHECK_INT(20000, avp_requests_wait(rig.r, rig.now));
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

static void test_longest_wait(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_signed_in(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  fake_reply_with("x=1", 429, "", "121", NULL);
  step(&rig);
  CHECK_INT(AVP_CALL_FAILED, call->state);
  CHECK_INT(AVP_ERR_THROTTLED, call->err.kind);
  CHECK(call->err.retry_after == 121);
  CHECK(call->err.retryable);
  CHECK(strstr(call->err.message, "121.0 s") != NULL);
  avp_call_release(rig.r, call);
  call = get(&rig, "x=2");
  advance(&rig, 400);
  CHECK_INT(1, fake_running()); /* that listing gave up; the client as such keeps to a pace only */
  fake_reply_with("x=2", 429, "", "120", NULL);
  step(&rig);
  CHECK_INT(AVP_CALL_QUEUED, call->state);
  CHECK_INT(rig.now + 120000, avp_requests_wait(rig.r, rig.now));
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

static void test_deadline_ends_a_wait_at_once(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[2];
  struct rig rig;
  rig_signed_in(&rig, &settings);
  calls[0] = get_until(&rig, "x=1", rig.now + 5000);
  calls[1] = get(&rig, "x=2");
  step(&rig);
  fake_reply_with("x=1", 503, "", "6", NULL);
  step(&rig);
  CHECK_INT(AVP_CALL_FAILED, calls[0]->state);
  CHECK_INT(AVP_ERR_TIMEOUT, calls[0]->err.kind);
  CHECK(strstr(calls[0]->err.message, "deadline") != NULL);
  CHECK(calls[0]->err.retry_after == 6);
  fake_reply_with("x=2", 503, "", "6", NULL);
  step(&rig);
  avp_call_release(rig.r, calls[0]);
  calls[0] = get_until(&rig, "x=3", rig.now + 5000); /* queued behind the pause of another */
  step(&rig);
  CHECK_INT(AVP_CALL_FAILED, calls[0]->state);
  CHECK_INT(AVP_ERR_TIMEOUT, calls[0]->err.kind);
  release_all(&rig, calls, 2);
  rig_close(&rig);
}

static void test_deadline_cuts_the_attempt(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_signed_in(&rig, &settings);
  call = get_until(&rig, "x=1", rig.now + 12345);
  step(&rig);
  CHECK_INT(rig.now + 12345, avp_requests_wait(rig.r, rig.now));
  advance(&rig, 12345);
  CHECK_INT(0, fake_running());
  CHECK_INT(AVP_CALL_FAILED, call->state);
  CHECK_INT(AVP_ERR_TIMEOUT, call->err.kind);
  CHECK(strstr(call->err.message, "deadline") != NULL);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

static void test_deadline_in_the_queue(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[3];
  struct rig rig;
  settings.concurrency = 1;
  rig_signed_in(&rig, &settings);
  calls[0] = get(&rig, "x=1");
  calls[1] = get_until(&rig, "x=2", rig.now + 100);
  calls[2] = get_until(&rig, "x=3", rig.now); /* over before it began */
  step(&rig);
  CHECK_INT(AVP_CALL_FAILED, calls[2]->state);
  CHECK_INT(rig.now + 100, avp_requests_wait(rig.r, rig.now));
  advance(&rig, 99);
  CHECK_INT(AVP_CALL_QUEUED, calls[1]->state);
  advance(&rig, 1);
  CHECK_INT(AVP_CALL_FAILED, calls[1]->state);
  CHECK_INT(AVP_ERR_TIMEOUT, calls[1]->err.kind);
  CHECK(strstr(calls[1]->err.message, "deadline") != NULL && calls[1]->err.retryable);
  CHECK_INT(0, calls[1]->err.attempts);
  release_all(&rig, calls, 3);
  rig_close(&rig);
}

static void test_pace_and_growth(void) {
  static const char *const names[] = {"q=a", "q=b", "q=c", "q=d", "q=e", "q=f", "q=g", "q=h"};
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[8];
  struct rig rig;
  double distance;
  int i;
  rig_signed_in(&rig, &settings);
  for (i = 0; i < 8; i++) calls[i] = get(&rig, names[i]);
  step(&rig);
  rig.now += 10;
  for (i = 0; i < 4; i++) fake_reply_with(names[i], 429, "", "1", NULL);
  step(&rig); /* four refusals of one burst count once */
  distance = rig.r->pace.distance;
  CHECK_INT(0, fake_running());
  advance(&rig, 1000);
  CHECK_INT(1, fake_running());
  advance(&rig, 1000);
  CHECK_INT(1, fake_running()); /* one in flight, */
  fake_reply("q=a", 200, "");
  step(&rig);
  CHECK_INT(1, fake_running()); /* and with each success one more, */
  CHECK(rig.r->pace.distance < distance);
  advance(&rig, rig.r->pace.next - rig.now - 1);
  CHECK_INT(1, fake_running()); /* each at its place */
  advance(&rig, 1);
  CHECK_INT(2, fake_running());
  fake_reply("q=b", 200, "");
  fake_reply("q=c", 200, "");
  step(&rig);
  for (i = 0; i < 5; i++) advance(&rig, 1000);
  CHECK_INT(4, fake_running()); /* never more than `concurrency` */
  release_all(&rig, calls, 8);
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

/* Zero seconds: soon, but only the first time. */
static void test_retry_after_zero(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_signed_in(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  fake_reply_with("x=1", 503, "", "0", NULL);
  step(&rig);
  advance(&rig, 1000);
  CHECK_INT(2, call->attempts);
  fake_reply_with("x=1", 503, "", "0", NULL);
  step(&rig);
  CHECK(call->not_before >= rig.now + 1500);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

/* The time of an attempt runs only while somebody waits, and ends nothing that comes in. */
static void test_time_of_an_attempt(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  settings.timeout_ms = 1000;
  rig_signed_in(&rig, &settings);
  call = get(&rig, "x=1");
  avp_requests_step(rig.r, rig.now, WALL);
  avp_requests_step(rig.r, rig.now + 60000, WALL); /* a slow loop body */
  CHECK_INT(1, fake_running());
  rig.now += 60000;
  CHECK_INT(rig.now + 1000, avp_requests_wait(rig.r, rig.now));
  fake->heard = true;
  avp_requests_step(rig.r, rig.now + 1500, WALL);
  CHECK_INT(1, fake_running());
  rig.now += 1500;
  advance(&rig, 1);
  CHECK_INT(0, fake_running());
  CHECK_INT(AVP_CALL_QUEUED, call->state);
  CHECK_INT(1, call->attempts);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

/* Bytes that never end give nobody more than twice the time. */
static void test_bytes_without_an_end(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  int i;
  settings.retry.max_attempts = 1;
  rig_signed_in(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  for (i = 0; i < 600 && call->state == AVP_CALL_IN_FLIGHT; i++) {
    CHECK(avp_requests_wait(rig.r, rig.now) != AVP_NEVER);
    rig.now += 100;
    fake->heard = true;
    avp_requests_step(rig.r, rig.now, WALL);
  }
  CHECK_INT(600, i);
  CHECK_INT(AVP_ERR_TIMEOUT, call->err.kind);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

/* Two attempts on one connection, with one deadline: the first that it ends takes the other along.
 */
static void test_deadline_on_one_connection(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[3];
  struct rig rig;
  int i;
  rig_signed_in(&rig, &settings);
  fake->one_connection = true;
  calls[0] = get_until(&rig, "x=1", rig.now + 500);
  calls[1] = get_until(&rig, "x=2", rig.now + 500);
  calls[2] = get(&rig, "x=3");
  step(&rig);
  CHECK_INT(3, fake_running());
  advance(&rig, 500);
  for (i = 0; i < 2; i++) {
    CHECK_INT(AVP_CALL_FAILED, calls[i]->state);
    CHECK_INT(AVP_ERR_TIMEOUT, calls[i]->err.kind);
  }
  CHECK_INT(AVP_CALL_IN_FLIGHT, calls[2]->state); /* again, uncounted */
  CHECK_INT(1, calls[2]->attempts);
  release_all(&rig, calls, 3);
  rig_close(&rig);
}

/* Attempts that are due together are all counted, though one ends the connection of the others. */
static void test_timeouts_on_one_connection(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[4];
  struct rig rig;
  int i;
  settings.retry.max_attempts = 1;
  rig_signed_in(&rig, &settings);
  fake->one_connection = true;
  for (i = 0; i < 4; i++) calls[i] = get(&rig, "x=1");
  step(&rig);
  advance(&rig, 30000);
  for (i = 0; i < 4; i++) CHECK_INT(AVP_CALL_FAILED, calls[i]->state);
  release_all(&rig, calls, 4);
  rig_close(&rig);
}

/* Nothing is sent again without end. */
static void test_excuses_end(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  int i;
  settings.retry.max_attempts = 1;
  rig_signed_in(&rig, &settings);
  call = get(&rig, "x=1");
  for (i = 0; i < 4; i++) {
    step(&rig);
    CHECK_INT(AVP_CALL_IN_FLIGHT, call->state);
    fake_find("x=1")->transfer.reply.uncounted = true;
    fake_fail("x=1", CURLE_OPERATION_TIMEDOUT);
  }
  step(&rig);
  CHECK_INT(AVP_CALL_FAILED, call->state);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

/* What ended with another's connection, or while hardly anybody waited, is not counted. */
static void test_through_no_fault_of_its_own(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  settings.retry.max_attempts = 1;
  rig_signed_in(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  fake_find("x=1")->transfer.reply.uncounted = true;
  advance(&rig, 20000);
  fake_fail("x=1", CURLE_OPERATION_TIMEDOUT);
  step(&rig);
  CHECK_INT(AVP_CALL_IN_FLIGHT, call->state);
  CHECK_INT(1, call->attempts);
  fake_fail("x=1", CURLE_OPERATION_TIMEDOUT); /* libcurl's connect timeout, at once */
  step(&rig);
  CHECK_INT(AVP_CALL_IN_FLIGHT, call->state);
  advance(&rig, 10000);
  fake_fail("x=1", CURLE_OPERATION_TIMEDOUT);
  step(&rig);
  CHECK_INT(AVP_CALL_FAILED, call->state);
  avp_call_release(rig.r, call);
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
    {"requests: delays are kept", test_delays_are_kept},
    {"requests: some replies are never tried again", test_some_are_never_tried_again},
    {"requests: failures of the network", test_failures_of_the_network},
    {"requests: a reply that is too large", test_reply_that_is_too_large},
    {"requests: a connection with too large headers", test_connection_with_too_large_headers},
    {"requests: Retry-After holds the whole client", test_whole_client_waits},
    {"requests: the longest Retry-After holds", test_longest_wait_holds},
    {"requests: an own delay holds one request", test_one_request_waits},
    {"requests: Retry-After as a date", test_retry_after_as_a_date},
    {"requests: longest wait", test_longest_wait},
    {"requests: a wait past the deadline fails at once", test_deadline_ends_a_wait_at_once},
    {"requests: the deadline cuts the attempt", test_deadline_cuts_the_attempt},
    {"requests: the deadline passes in the queue", test_deadline_in_the_queue},
    {"requests: pace and growth", test_pace_and_growth},
    {"requests: start", test_start},
    {"requests: time of an attempt", test_time_of_an_attempt},
    {"requests: bytes without an end", test_bytes_without_an_end},
    {"requests: a deadline on one connection", test_deadline_on_one_connection},
    {"requests: timeouts on one connection", test_timeouts_on_one_connection},
    {"requests: excuses end", test_excuses_end},
    {"requests: through no fault of its own", test_through_no_fault_of_its_own},
    {"requests: Retry-After of zero", test_retry_after_zero},
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
