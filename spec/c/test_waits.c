/* test_waits.c - requests.h by the clock: Retry-After, delays, deadlines, the time of an attempt.
 * SPDX-License-Identifier: MIT */
#include "rig.h"

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

static const struct check_test tests[] = {
    {"waits: delays are kept", test_delays_are_kept},
    {"waits: Retry-After holds the whole client", test_whole_client_waits},
    {"waits: the longest Retry-After holds", test_longest_wait_holds},
    {"waits: an own delay holds one request", test_one_request_waits},
    {"waits: Retry-After as a date", test_retry_after_as_a_date},
    {"waits: longest wait", test_longest_wait},
    {"waits: a wait past the deadline fails at once", test_deadline_ends_a_wait_at_once},
    {"waits: the deadline cuts the attempt", test_deadline_cuts_the_attempt},
    {"waits: the deadline passes in the queue", test_deadline_in_the_queue},
    {"waits: pace and growth", test_pace_and_growth},
    {"waits: time of an attempt", test_time_of_an_attempt},
    {"waits: bytes without an end", test_bytes_without_an_end},
    {"waits: a deadline on one connection", test_deadline_on_one_connection},
    {"waits: timeouts on one connection", test_timeouts_on_one_connection},
    {"waits: excuses end", test_excuses_end},
    {"waits: through no fault of its own", test_through_no_fault_of_its_own},
    {"waits: Retry-After of zero", test_retry_after_zero},
};

CHECK_MAIN(tests)
