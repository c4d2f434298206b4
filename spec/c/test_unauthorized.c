/* test_unauthorized.c - requests.h: what a 401 does, whatever token it refuses.
 *
 * SPDX-License-Identifier: MIT */
#include "rig.h"

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
  avp_call_release(rig.r, call);
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
  advance(&rig, 1500);
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
    CHECK(avp_signin_supply_token(&rig.r->signin, "stored", 6, HOUR, false, rig.now));
    step(&rig);
  }
  CHECK(refusals > 1 && refusals <= 100);
  CHECK_INT(AVP_CALL_FAILED, call->state);
  CHECK_INT(AVP_ERR_AUTH, call->err.kind);
  avp_call_release(rig.r, call);
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
  CHECK(avp_token_fix(&rig.r->signin.token, "fixed-token"));
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
  CHECK(!avp_signin_wants(&rig.r->signin, rig.now));
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

static const struct check_test tests[] = {
    {"sign-in: 401 on the current token", test_401_on_the_current_token},
    {"sign-in: 401 on a fresh token", test_401_on_a_fresh_token},
    {"sign-in: 401 on trial", test_401_on_trial},
    {"sign-in: 401 on a token that others used", test_401_on_a_token_of_others},
    {"sign-in: 401 on an older token", test_401_on_an_older_token},
    {"sign-in: 401 on a fixed token", test_401_on_a_fixed_token},
    {"sign-in: no endless 401s", test_no_endless_401s},
};

CHECK_MAIN(tests)
