/* test_signin.c - dispatcher.h: how a client gets its token, keeps it fresh, and what a 401 does.
 *
 * SPDX-License-Identifier: MIT */
#include "rig.h"

#define REPLY_SECRET "{\"error\":\"invalid_client\",\"you_sent\":\"" SECRET "\"}"

static void test_once_for_many(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[5];
  struct rig rig;
  int i;
  rig_open(&rig, &settings);
  for (i = 0; i < 5; i++) calls[i] = get(&rig, "x=1");
  step(&rig);
  CHECK_INT(1, fake_running());
  CHECK_STR(TOKEN_URL, fake->running->url);
  CHECK(fake->running->post && !fake->running->has_bearer);
  CHECK_STR("application/x-www-form-urlencoded", fake->running->content_type);
  CHECK_STR("grant_type=client_credentials&client_id=the%20client&client_secret=s3cret%2Bof%2Fthe"
            "%3Dclient&scope=elements.customers.read.all",
            fake->running->body);
  fake_reply("/connect/token", 200, "{\"access_token\":\"t\"}");
  step(&rig);
  CHECK(avp_dispatcher_token_reply(rig.d) != NULL);
  CHECK_STR("{\"access_token\":\"t\"}", avp_dispatcher_token_reply(rig.d)->body.data);
  CHECK_INT(0, fake_running());
  give_token(&rig, "token-1", HOUR);
  CHECK(avp_dispatcher_token_reply(rig.d) == NULL);
  CHECK_STR("token-1", fake_bearer("x=1"));
  CHECK_INT(1, fake_running()); /* a fresh token is tried with one request */
  fake_reply("x=1", 200, "");
  step(&rig);
  CHECK_INT(4, fake_running());
  release_all(&rig, calls, 5);
  rig_close(&rig);
}

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
  answer_token(&rig, "token-2", HOUR);
  avp_call_release(rig.d, calls[0]);
  calls[0] = get(&rig, "x=3");
  step(&rig);
  CHECK_STR("token-2", fake_bearer("x=3"));
  release_all(&rig, calls, 2);
  rig_close(&rig);
}

static void test_failed_early_renewal(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[3];
  struct rig rig;
  rig_signed_in(&rig, &settings);
  rig.now += HOUR - 200000;
  calls[0] = get(&rig, "x=1");
  step(&rig);
  fake_reply("/connect/token", 400, "{}");
  step(&rig);
  avp_dispatcher_token_refused(rig.d, "invalid_client", NULL, rig.now);
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
  avp_dispatcher_token_refused(rig.d, "invalid_client", NULL, rig.now);
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
  avp_dispatcher_token_refused(rig.d, "invalid_client", NULL, rig.now);
  CHECK_INT(AVP_CALL_QUEUED, call->state);
  advance(&rig, 2000);
  CHECK_STR("token-1", fake_bearer("x=1"));
  avp_call_release(rig.d, call);
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
  CHECK_INT(rig.now + 2000, avp_dispatcher_wake_at(rig.d));
  advance(&rig, 2000);
  CHECK(fake_find("x=1") != NULL);
  avp_call_release(rig.d, call);
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
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

static void test_token_request_is_tried_again(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  int i;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  for (i = 1; i <= 5; i++) {
    fake_reply_with("/connect/token", 503, "", "3", NULL);
    step(&rig);
    if (i == 5) break;
    CHECK_INT(rig.now + 3000, avp_dispatcher_wake_at(rig.d));
    advance(&rig, 3000);
  }
  CHECK_INT(AVP_CALL_FAILED, call->state);
  CHECK_INT(AVP_ERR_SERVER, call->err.kind);
  CHECK_INT(5, call->err.attempts);
  CHECK(call->err.at_sign_in);
  CHECK_STR(TOKEN_URL, call->err.url);
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

static void test_token_wait_past_the_deadline(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_open(&rig, &settings);
  call = get_until(&rig, "x=1", rig.now + 2000);
  step(&rig);
  fake_reply_with("/connect/token", 503, "", "3", NULL);
  step(&rig);
  CHECK_INT(AVP_CALL_FAILED, call->state);
  CHECK_INT(AVP_ERR_TIMEOUT, call->err.kind);
  avp_call_release(rig.d, call);
  call = get_until(&rig, "x=2", rig.now + 2000);
  step(&rig);
  advance(&rig, 2000); /* the token request hangs */
  CHECK_INT(AVP_CALL_FAILED, call->state);
  CHECK(call->err.past_deadline);
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

static void test_refused(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[2];
  struct rig rig;
  int i;
  rig_open(&rig, &settings);
  calls[0] = get(&rig, "x=1");
  calls[1] = get(&rig, "x=2");
  step(&rig);
  fake_reply("/connect/token", 400, "{\"error\":\"invalid_scope\"}");
  step(&rig);
  avp_dispatcher_token_refused(rig.d, "invalid_scope", "no such scope", rig.now);
  for (i = 0; i < 2; i++) {
    CHECK_INT(AVP_CALL_FAILED, calls[i]->state);
    CHECK_INT(AVP_ERR_AUTH, calls[i]->err.kind);
    CHECK_INT(400, calls[i]->err.status);
    CHECK_INT(1, calls[i]->err.attempts);
    CHECK_STR("invalid_scope", calls[i]->err.code);
    CHECK(strstr(calls[i]->err.message, "no such scope") != NULL);
    CHECK(calls[i]->err.at_sign_in);
  }
  release_all(&rig, calls, 2);
  calls[0] = get(&rig, "x=3"); /* a later call tries anew */
  step(&rig);
  answer_token(&rig, "token-1", HOUR);
  CHECK(fake_find("x=3") != NULL);
  avp_call_release(rig.d, calls[0]);
  rig_close(&rig);
}

static void test_refused_without_a_word(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  fake_reply("/connect/token", 404, "<html>");
  step(&rig);
  avp_dispatcher_token_refused(rig.d, NULL, NULL, rig.now);
  CHECK_INT(AVP_ERR_NOT_FOUND, call->err.kind);
  CHECK(strstr(call->err.message, "token endpoint") != NULL);
  CHECK(call->err.at_sign_in);
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

static void test_garbled(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  fake_reply("/connect/token", 200, "<html>");
  step(&rig);
  avp_dispatcher_token_garbled(rig.d, AVP_ERR_PROTOCOL, "is not JSON", rig.now);
  CHECK_INT(AVP_ERR_PROTOCOL, call->err.kind);
  CHECK_INT(200, call->err.status);
  CHECK(call->err.at_sign_in);
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

static void test_401_on_the_current_token(void) {
  struct avp_settings settings = rig_settings();
  struct avp_stats stats = {0, 0, 0};
  struct avp_call *calls[2];
  struct rig rig;
  settings.retry.max_attempts = 1; /* tries with another token do not count */
  rig_signed_in(&rig, &settings);
  calls[0] = get(&rig, "x=1");
  step(&rig);
  fake_reply("x=1", 200, ""); /* the token has served */
  step(&rig);
  calls[1] = get(&rig, "x=2");
  calls[1]->stats = &stats;
  step(&rig);
  fake_reply("x=2", 401, "");
  step(&rig);
  CHECK_INT(AVP_CALL_QUEUED, calls[1]->state);
  CHECK_INT(1, fake_running());
  answer_token(&rig, "token-2", HOUR);
  CHECK_STR("token-2", fake_bearer("x=2"));
  CHECK_INT(1, calls[1]->attempts);
  fake_reply("x=2", 200, "two");
  step(&rig);
  CHECK_INT(AVP_CALL_DONE, calls[1]->state);
  CHECK_INT(2, stats.requests);
  release_all(&rig, calls, 2);
  rig_close(&rig);
}

static void test_401_on_a_fresh_token(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  answer_token(&rig, "token-1", HOUR);
  fake_reply("x=1", 401, "no");
  step(&rig);
  CHECK_INT(AVP_CALL_FAILED, call->state);
  CHECK_INT(AVP_ERR_AUTH, call->err.kind);
  CHECK_INT(401, call->err.status);
  CHECK_INT(1, call->err.attempts);
  CHECK(!call->err.at_sign_in); /* it is the list that refused */
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

/* The one request that tries a fresh token is refused: it alone fails, the others go on with
 * another token. */
static void test_401_on_trial(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[3];
  struct rig rig;
  rig_open(&rig, &settings);
  calls[0] = get(&rig, "x=1");
  calls[1] = get(&rig, "x=2");
  calls[2] = get(&rig, "x=3");
  step(&rig);
  answer_token(&rig, "token-1", HOUR);
  CHECK_INT(1, fake_running());
  fake_reply("x=1", 401, "");
  step(&rig);
  CHECK_INT(AVP_CALL_FAILED, calls[0]->state);
  answer_token(&rig, "token-2", HOUR);
  fake_fail("x=2", CURLE_COULDNT_CONNECT); /* that says nothing of the token */
  step(&rig);
  CHECK(fake_find("x=3") != NULL);
  fake_reply("x=3", 404, ""); /* that does: it was let in */
  advance(&rig, 1000);
  CHECK_STR("token-2", fake_bearer("x=2"));
  fake_reply("x=2", 200, "");
  step(&rig);
  CHECK_INT(AVP_CALL_DONE, calls[1]->state);
  CHECK_INT(AVP_ERR_NOT_FOUND, calls[2]->err.kind);
  release_all(&rig, calls, 3);
  rig_close(&rig);
}

/* A token from a store has been used by others: refused, it may just be old. A store that never
 * has a good one must not be asked for ever. */
static void test_401_on_a_token_of_others(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  int refusals = 0;
  rig_signed_in(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  while (call->state == AVP_CALL_IN_FLIGHT && refusals <= 1000) {
    fake_reply("x=1", 401, "");
    refusals++;
    step(&rig);
    if (call->state != AVP_CALL_QUEUED) break;
    fake_reply("/connect/token", 200, "{}");
    step(&rig);
    CHECK(avp_dispatcher_supply_token(rig.d, "stored", 6, HOUR, false, rig.now));
    step(&rig);
  }
  CHECK(refusals > 1 && refusals <= 100);
  CHECK_INT(AVP_CALL_FAILED, call->state);
  CHECK_INT(AVP_ERR_AUTH, call->err.kind);
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

static void test_401_on_an_older_token(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[3];
  struct rig rig;
  rig_signed_in(&rig, &settings);
  calls[0] = get(&rig, "x=0");
  step(&rig);
  fake_reply("x=0", 200, "");
  step(&rig);
  calls[1] = get(&rig, "x=1");
  calls[2] = get(&rig, "x=2");
  step(&rig);
  fake_reply("x=1", 401, "");
  step(&rig);
  answer_token(&rig, "token-2", HOUR);
  CHECK_STR("token-2", fake_bearer("x=1"));
  fake_reply("x=2", 401, ""); /* it was sent with token-1: no reason to doubt token-2 */
  step(&rig);
  CHECK(fake_find("/connect/token") == NULL);
  fake_reply("x=1", 200, "");
  step(&rig);
  CHECK_STR("token-2", fake_bearer("x=2"));
  CHECK_INT(1, calls[2]->attempts);
  release_all(&rig, calls, 3);
  rig_close(&rig);
}

static void test_401_on_a_fixed_token(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[2];
  struct rig rig;
  settings.credential = AVP_CREDENTIAL_TOKEN;
  rig_open(&rig, &settings);
  CHECK(avp_dispatcher_fix_token(rig.d, "fixed-token"));
  rig.now += 1000 * HOUR; /* it never ends of itself */
  calls[0] = get(&rig, "x=1");
  step(&rig);
  CHECK_STR("fixed-token", fake_bearer("x=1"));
  fake_reply("x=1", 200, "");
  step(&rig);
  calls[1] = get(&rig, "x=2");
  step(&rig);
  fake_reply("x=2", 401, "");
  step(&rig);
  CHECK_INT(AVP_CALL_FAILED, calls[1]->state);
  CHECK_INT(AVP_ERR_AUTH, calls[1]->err.kind);
  CHECK_INT(0, fake_running());
  CHECK(!avp_dispatcher_wants(rig.d, rig.now));
  release_all(&rig, calls, 2);
  rig_close(&rig);
}

/* Several calls, some of which are refused whatever the token: each must end, and soon. */
static void run_401s(int calls_count, unsigned refused_mask, unsigned order) {
  static const char *const names[] = {"w=0", "w=1", "w=2", "w=3"};
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[4];
  struct rig rig;
  int rounds;
  int open = calls_count;
  int i;
  rig_open(&rig, &settings);
  for (i = 0; i < calls_count; i++) calls[i] = get(&rig, names[i]);
  for (rounds = 0; rounds < 40 && open > 0; rounds++) {
    step(&rig);
    if (fake_find("/connect/token") != NULL) answer_token(&rig, "any-token", HOUR);
    for (i = 0; i < calls_count; i++) {
      int n = (int)(((unsigned)i + order * (unsigned)rounds) % (unsigned)calls_count);
      if (fake_find(names[n]) != NULL) fake_reply(names[n], refused_mask >> n & 1 ? 401 : 200, "");
      if (order & 4) step(&rig); /* one by one, or all in one step */
    }
    step(&rig);
    for (i = open = 0; i < calls_count; i++) {
      open += calls[i]->state == AVP_CALL_QUEUED || calls[i]->state == AVP_CALL_IN_FLIGHT;
    }
  }
  CHECK_INT(0, open);
  for (i = 0; i < calls_count; i++) {
    CHECK_INT(refused_mask >> i & 1 ? AVP_CALL_FAILED : AVP_CALL_DONE, calls[i]->state);
  }
  release_all(&rig, calls, calls_count);
  rig_close(&rig);
}

static void test_no_endless_401s(void) {
  int count;
  unsigned mask;
  unsigned order;
  for (count = 1; count <= 4; count++) {
    for (mask = 0; mask < 1u << count; mask++) {
      for (order = 0; order < 8; order++) run_401s(count, mask, order);
    }
  }
}

static void test_nobody_waits(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  CHECK_INT(1, fake_running());
  avp_call_release(rig.d, call);
  step(&rig);
  CHECK_INT(0, fake_running());
  CHECK(avp_dispatcher_wake_at(rig.d) == AVP_NEVER);
  call = get(&rig, "x=2"); /* and the next one begins anew, at once */
  step(&rig);
  CHECK_INT(1, fake_running());
  answer_token(&rig, "token-1", HOUR);
  CHECK(fake_find("x=2") != NULL);
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

static void test_nobody_waits_for_the_user(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  settings.credential_is_function = true;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  CHECK(avp_dispatcher_wants(rig.d, rig.now));
  avp_call_release(rig.d, call);
  step(&rig);
  CHECK(!avp_dispatcher_wants(rig.d, rig.now + AVP_ASK_AGAIN_MS));
  CHECK(avp_dispatcher_wake_at(rig.d) == AVP_NEVER);
  CHECK(avp_dispatcher_supply(rig.d, SECRET)); /* an answer that comes late does no harm */
  step(&rig);
  CHECK_INT(0, fake_running());
  rig_close(&rig);
}

static void test_secret_from_a_function(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  uint64_t before;
  settings.credential_is_function = true;
  rig_open(&rig, &settings);
  CHECK(!avp_dispatcher_wants(rig.d, rig.now)); /* nothing is needed yet */
  call = get(&rig, "x=1");
  before = avp_dispatcher_progress(rig.d);
  step(&rig);
  CHECK(before != avp_dispatcher_progress(rig.d)); /* whoever waits must look */
  CHECK_INT(0, fake_running());
  CHECK(avp_dispatcher_wants(rig.d, rig.now));
  CHECK(!avp_dispatcher_wants(rig.d, rig.now)); /* one caller is enough */
  rig.now += AVP_ASK_AGAIN_MS - 1;
  CHECK(!avp_dispatcher_wants(rig.d, rig.now));
  CHECK_INT(rig.now + 1, avp_dispatcher_wake_at(rig.d));
  rig.now += 1;
  CHECK(avp_dispatcher_wants(rig.d, rig.now)); /* the first seems to be gone */
  CHECK(avp_dispatcher_wake_at(rig.d) > rig.now);
  avp_dispatcher_ask_again(rig.d);
  CHECK(avp_dispatcher_wants(rig.d, rig.now));
  avp_dispatcher_ask_later(rig.d, 50, rig.now);
  CHECK(!avp_dispatcher_wants(rig.d, rig.now + 49));
  CHECK_INT(rig.now + 50, avp_dispatcher_wake_at(rig.d));
  CHECK(avp_dispatcher_wants(rig.d, rig.now + 50));
  CHECK_INT(AVP_ASK_AGAIN_MS + 50, avp_dispatcher_wanted_ms(rig.d, rig.now + 50));
  CHECK(avp_dispatcher_supply(rig.d, SECRET));
  CHECK(!avp_dispatcher_wants(rig.d, rig.now));
  step(&rig);
  CHECK(strstr(fake_body("/connect/token"), "client_secret=s3cret") != NULL);
  answer_token(&rig, "token-1", 1000);
  advance(&rig, 2000); /* the token has ended; the secret is kept */
  fake_reply("x=1", 500, "");
  step(&rig);
  advance(&rig, 1000);
  CHECK(!avp_dispatcher_wants(rig.d, rig.now));
  CHECK(fake_find("/connect/token") != NULL);
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

static void test_user_gives_no_secret(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct avp_err err;
  struct rig rig;
  settings.credential_is_function = true;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  CHECK(avp_dispatcher_wants(rig.d, rig.now));
  avp_err_set(&err, AVP_ERR_AUTH, "no credential: the vault is locked");
  avp_dispatcher_supply_failed(rig.d, &err, rig.now);
  CHECK_INT(AVP_CALL_FAILED, call->state);
  CHECK_STR("no credential: the vault is locked", call->err.message);
  CHECK(call->err.at_sign_in);
  step(&rig);
  CHECK(!avp_dispatcher_wants(rig.d, rig.now));
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

static void refuse_secret(struct rig *rig) {
  fake_reply("/connect/token", 400, "{}");
  step(rig);
  avp_dispatcher_token_refused(rig->d, "invalid_client", NULL, rig->now);
  step(rig);
}

static void test_refused_secret_is_asked_for_anew(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  settings.credential_is_function = true;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  CHECK(avp_dispatcher_wants(rig.d, rig.now));
  CHECK(avp_dispatcher_supply(rig.d, "old-secret"));
  step(&rig);
  refuse_secret(&rig);
  CHECK_INT(AVP_CALL_QUEUED, call->state);
  CHECK(avp_dispatcher_wants(rig.d, rig.now));
  CHECK(avp_dispatcher_supply(rig.d, "new-secret"));
  step(&rig);
  CHECK(strstr(fake_body("/connect/token"), "client_secret=new-secret") != NULL);
  refuse_secret(&rig); /* once only */
  CHECK(!avp_dispatcher_wants(rig.d, rig.now));
  CHECK_INT(AVP_CALL_FAILED, call->state);
  CHECK_INT(AVP_ERR_AUTH, call->err.kind);
  CHECK_STR("invalid_client", call->err.code);
  avp_call_release(rig.d, call);
  call = get(&rig, "x=2"); /* a later listing may ask again */
  step(&rig);
  refuse_secret(&rig);
  CHECK(avp_dispatcher_wants(rig.d, rig.now));
  CHECK(avp_dispatcher_supply(rig.d, "newest-secret"));
  step(&rig);
  answer_token(&rig, "token-1", HOUR);
  CHECK(fake_find("x=2") != NULL);
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

/* An attempt after asking anew that fails otherwise must not use up the next one's right to ask. */
static void test_asking_anew_after_another_failure(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  settings.credential_is_function = true;
  settings.retry.max_attempts = 1;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  CHECK(avp_dispatcher_supply(rig.d, "old-secret"));
  step(&rig);
  refuse_secret(&rig);
  CHECK(avp_dispatcher_supply(rig.d, "new-secret"));
  step(&rig);
  fake_fail("/connect/token", CURLE_COULDNT_CONNECT);
  step(&rig);
  CHECK_INT(AVP_ERR_NETWORK, call->err.kind);
  avp_call_release(rig.d, call);
  call = get(&rig, "x=2"); /* much later: the secret was renewed once more */
  advance(&rig, 100 * HOUR);
  refuse_secret(&rig);
  CHECK(avp_dispatcher_wants(rig.d, rig.now));
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

static void test_assertion_is_good_for_one_attempt(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  settings.credential = AVP_CREDENTIAL_ASSERTION;
  settings.credential_is_function = true;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  CHECK(avp_dispatcher_wants(rig.d, rig.now));
  CHECK(avp_dispatcher_supply(rig.d, "jwt.one"));
  step(&rig);
  CHECK(strstr(fake_body("/token"),
               "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3A"
               "jwt-bearer&client_assertion=jwt.one") != NULL);
  CHECK(strstr(fake_body("/token"), "client_secret") == NULL);
  fake_reply_with("/token", 503, "", "2", NULL);
  step(&rig);
  advance(&rig, 2000);
  CHECK_INT(0, fake_running());
  CHECK(avp_dispatcher_wants(rig.d, rig.now));
  CHECK(avp_dispatcher_supply(rig.d, "jwt.two"));
  step(&rig);
  CHECK(strstr(fake_body("/token"), "client_assertion=jwt.two") != NULL);
  answer_token(&rig, "token-1", HOUR);
  CHECK(fake_find("x=1") != NULL);
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

static void test_token_from_a_function(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  settings.credential = AVP_CREDENTIAL_TOKEN;
  settings.credential_is_function = true;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  CHECK_INT(0, fake_running());
  CHECK(avp_dispatcher_wants(rig.d, rig.now));
  give_token(&rig, "from-user", HOUR);
  CHECK_STR("from-user", fake_bearer("x=1"));
  advance(&rig, 2 * HOUR);
  fake_reply("x=1", 500, "");
  step(&rig);
  advance(&rig, 1000);
  CHECK(avp_dispatcher_wants(rig.d, rig.now));
  give_token(&rig, "from-user-2", HOUR);
  CHECK_STR("from-user-2", fake_bearer("x=1"));
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

static void check_silent(const struct avp_call *call, const char *secret) {
  CHECK_INT(AVP_CALL_FAILED, call->state);
  if (holds(&call->err, sizeof call->err, secret)) printf("# it holds \"%s\"\n", secret);
  CHECK(!holds(&call->err, sizeof call->err, secret));
}

/* A token endpoint that echoes what it was sent must not put it into our error. */
static void refuse_and_search(const char *body, const char *word, const char *description,
                              const char *trace) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  fake_reply("/connect/token", 400, body);
  step(&rig);
  avp_dispatcher_token_refused(rig.d, word, description, rig.now);
  check_silent(call, trace);
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

static void test_secret_is_not_in_errors(void) {
  refuse_and_search(REPLY_SECRET, "invalid_client", "unknown: " SECRET, SECRET);
}

static void test_secret_is_not_in_the_word(void) { refuse_and_search("{}", SECRET, NULL, SECRET); }

/* As it stood in the form, and as JSON writes a slash. */
static void test_secret_in_other_spellings(void) {
  refuse_and_search("client_secret=s3cret%2Bof%2Fthe%3Dclient", "invalid_client", NULL,
                    "s3cret%2Bof");
  refuse_and_search("{\"s\":\"s3cret+of\\/the=client\"}", "invalid_client", NULL,
                    "s3cret+of\\/the");
}

static void test_secret_in_a_long_description(void) {
  struct avp_settings settings = rig_settings();
  char description[300];
  struct avp_call *call;
  struct rig rig;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  fake_reply("/connect/token", 400, "{}");
  step(&rig);
  memset(description, 'd', sizeof description);
  strcpy(description + 185, SECRET); /* cut after 200 characters, in the midst of the secret */
  avp_dispatcher_token_refused(rig.d, "invalid_client", description, rig.now);
  check_silent(call, "s3cret+of/");
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

static void test_assertion_is_not_in_errors(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  settings.credential = AVP_CREDENTIAL_ASSERTION;
  settings.credential_is_function = true;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  CHECK(avp_dispatcher_supply(rig.d, "head.claims.signature"));
  step(&rig);
  fake_reply("/token", 400, "client_assertion=head.claims.signature");
  step(&rig);
  avp_dispatcher_token_refused(rig.d, "invalid_client", "bad head.claims.signature", rig.now);
  check_silent(call, "head.claims.signature");
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

/* The service echoes the bearer token in a refusal: of a fresh one, which is discarded then. */
static void test_token_is_not_in_errors(void) {
  static const int statuses[] = {403, 401};
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  size_t i;
  for (i = 0; i < sizeof statuses / sizeof *statuses; i++) {
    rig_open(&rig, &settings);
    call = get(&rig, "x=1");
    step(&rig);
    answer_token(&rig, "token-of-the-client", HOUR);
    fake_reply("x=1", statuses[i], "no: token-of-the-client");
    step(&rig);
    check_silent(call, "token-of-the-client");
    avp_call_release(rig.d, call);
    rig_close(&rig);
  }
}

/* The same with a token that was renewed while the request was on its way. It is still good. */
static void test_older_token_is_not_in_errors(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_signed_in(&rig, &settings);
  rig.now += HOUR - 200000;
  call = get(&rig, "x=1");
  step(&rig);
  answer_token(&rig, "a-newer-token", HOUR);
  fake_reply("x=1", 403, "no: token-1");
  step(&rig);
  check_silent(call, "token-1");
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

static void test_secrets_are_not_in_events(void) {
  struct avp_settings settings = rig_settings();
  struct avp_event event;
  struct avp_call *call;
  struct rig rig;
  rig_open(&rig, &settings);
  call = get(&rig, "secret-filter=1");
  step(&rig);
  answer_token(&rig, "token-of-the-client", HOUR);
  fake_reply("list", 503, SECRET "token-of-the-client");
  step(&rig);
  while (avp_event_take(avp_dispatcher_events(rig.d), &event)) {
    CHECK(!holds(&event, sizeof event, SECRET));
    CHECK(!holds(&event, sizeof event, "token-of-the-client"));
    CHECK(!holds(&event, sizeof event, "secret-filter"));
  }
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

/* Each moment of a sign-in at which a client may be closed. */
static void test_close_in_every_state(void) {
  int moment;
  for (moment = 0; moment < 6; moment++) {
    struct avp_settings settings = rig_settings();
    struct avp_call *call;
    struct rig rig;
    settings.credential_is_function = true;
    rig_open(&rig, &settings);
    call = get(&rig, "x=1");
    if (moment >= 1) step(&rig);
    if (moment >= 2) CHECK(avp_dispatcher_wants(rig.d, rig.now));
    if (moment >= 3) CHECK(avp_dispatcher_supply(rig.d, SECRET));
    if (moment >= 4) step(&rig);
    if (moment >= 5) fake_reply("/token", 200, "{}");
    if (moment == 5) step(&rig);
    avp_dispatcher_close(rig.d);
    CHECK_INT(AVP_ERR_CLOSED, call->err.kind);
    CHECK(!avp_dispatcher_wants(rig.d, rig.now + 2 * AVP_ASK_AGAIN_MS));
    CHECK(avp_dispatcher_token_reply(rig.d) == NULL);
    avp_call_release(rig.d, call);
    rig_close(&rig);
  }
}

static void test_fork_while_signing_in(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  fake->forked = true;
  step(&rig);
  CHECK_INT(1, fake_running());
  fake_reply("/token", 200, "{}");
  step(&rig);
  fake->forked = true; /* with a reply that nobody has read */
  step(&rig);
  CHECK_INT(1, fake_running());
  answer_token(&rig, "token-1", HOUR);
  CHECK(fake_find("x=1") != NULL);
  avp_call_release(rig.d, call);
  rig_close(&rig);
}

static const struct check_test tests[] = {
    {"sign-in: once for many calls", test_once_for_many},
    {"sign-in: early renewal while pages go on", test_early_renewal},
    {"sign-in: a failed early renewal is tolerated", test_failed_early_renewal},
    {"sign-in: a failed early renewal fails no wait", test_failed_early_renewal_and_waits},
    {"sign-in: an early renewal holds up no retry", test_renewal_holds_up_no_retry},
    {"sign-in: no circles while the token is fetched", test_no_circles_while_the_token_is_fetched},
    {"sign-in: the token request is tried again", test_token_request_is_tried_again},
    {"sign-in: a wait past the deadline", test_token_wait_past_the_deadline},
    {"sign-in: refused", test_refused},
    {"sign-in: refused without a word", test_refused_without_a_word},
    {"sign-in: garbled", test_garbled},
    {"sign-in: 401 on the current token", test_401_on_the_current_token},
    {"sign-in: 401 on a fresh token", test_401_on_a_fresh_token},
    {"sign-in: 401 on trial", test_401_on_trial},
    {"sign-in: 401 on a token that others used", test_401_on_a_token_of_others},
    {"sign-in: 401 on an older token", test_401_on_an_older_token},
    {"sign-in: 401 on a fixed token", test_401_on_a_fixed_token},
    {"sign-in: no endless 401s", test_no_endless_401s},
    {"sign-in: given up when nobody waits", test_nobody_waits},
    {"sign-in: the user is not asked when nobody waits", test_nobody_waits_for_the_user},
    {"sign-in: a secret from a function", test_secret_from_a_function},
    {"sign-in: the user gives no secret", test_user_gives_no_secret},
    {"sign-in: a refused secret is asked for anew once", test_refused_secret_is_asked_for_anew},
    {"sign-in: asking anew after another failure", test_asking_anew_after_another_failure},
    {"sign-in: an assertion is good for one attempt", test_assertion_is_good_for_one_attempt},
    {"sign-in: a token from a function", test_token_from_a_function},
    {"sign-in: the secret is not in errors", test_secret_is_not_in_errors},
    {"sign-in: the secret is not in an error's code", test_secret_is_not_in_the_word},
    {"sign-in: the secret in other spellings is not in errors", test_secret_in_other_spellings},
    {"sign-in: the secret is not in a long description", test_secret_in_a_long_description},
    {"sign-in: the assertion is not in errors", test_assertion_is_not_in_errors},
    {"sign-in: the token is not in errors", test_token_is_not_in_errors},
    {"sign-in: an older token is not in errors", test_older_token_is_not_in_errors},
    {"sign-in: secrets are not in events", test_secrets_are_not_in_events},
    {"sign-in: close in every state", test_close_in_every_state},
    {"sign-in: fork", test_fork_while_signing_in},
};

CHECK_MAIN(tests)
