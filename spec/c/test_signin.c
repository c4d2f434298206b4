/* test_signin.c - requests.h and signin.h: how a token is got. test_renewal.c has how it is
 * renewed. SPDX-License-Identifier: MIT */
#include "rig.h"

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
  CHECK(token_reply(rig.r) != NULL);
  CHECK_STR("{\"access_token\":\"t\"}", token_reply(rig.r)->body.data);
  CHECK_INT(0, fake_running());
  give_token(&rig, "token-1", HOUR);
  CHECK(token_reply(rig.r) == NULL);
  CHECK_STR("token-1", fake_bearer("x=1"));
  CHECK_INT(1, fake_running()); /* a fresh token is tried with one request */
  fake_reply("x=1", 200, "");
  step(&rig);
  CHECK_INT(4, fake_running());
  release_all(&rig, calls, 5);
  rig_close(&rig);
}

/* Attempts are counted anew for each token: one that came late costs the next ones none. */
static void test_attempts_of_each_token(void) {
  struct avp_settings settings = rig_settings();
  struct rig rig;
  int i;
  settings.retry.max_attempts = 2;
  rig_open(&rig, &settings);
  for (i = 0; i < 3; i++) {
    struct avp_call *call = get(&rig, "x=1");
    step(&rig);
    fake_reply_with("/connect/token", 503, "", "3", NULL);
    step(&rig);
    advance(&rig, 3000);
    CHECK(fake_find("/connect/token") != NULL);
    answer_token(&rig, "token-1", HOUR);
    avp_call_release(rig.r, call);
    rig.now += HOUR;
  }
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
    CHECK_INT(rig.now + 3000, avp_requests_wait(rig.r, rig.now));
    advance(&rig, 3000);
  }
  CHECK_INT(AVP_CALL_FAILED, call->state);
  CHECK_INT(AVP_ERR_SERVER, call->err.kind);
  CHECK_INT(5, call->err.attempts);
  CHECK(call->err.at_sign_in);
  CHECK_STR(TOKEN_URL, call->err.url);
  avp_call_release(rig.r, call);
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
  avp_call_release(rig.r, call);
  call = get_until(&rig, "x=2", rig.now + 2000);
  step(&rig);
  advance(&rig, 2000); /* the token request hangs */
  CHECK_INT(AVP_CALL_FAILED, call->state);
  CHECK(strstr(call->err.message, "deadline") != NULL);
  avp_call_release(rig.r, call);
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
  refuse_token(&rig, "invalid_scope", "no such scope");
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
  avp_call_release(rig.r, calls[0]);
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
  refuse_token(&rig, NULL, NULL);
  CHECK_INT(AVP_ERR_NOT_FOUND, call->err.kind);
  CHECK(strstr(call->err.message, "token endpoint") != NULL);
  CHECK(call->err.at_sign_in);
  avp_call_release(rig.r, call);
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
  fail_token(&rig, AVP_ERR_PROTOCOL, "it is not JSON");
  CHECK_INT(AVP_ERR_PROTOCOL, call->err.kind);
  CHECK_INT(200, call->err.status);
  CHECK(call->err.at_sign_in);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

static void test_nobody_waits(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  CHECK_INT(1, fake_running());
  avp_call_release(rig.r, call);
  step(&rig);
  CHECK_INT(0, fake_running());
  CHECK(avp_requests_wait(rig.r, rig.now) == AVP_NEVER);
  call = get(&rig, "x=2"); /* and the next one begins anew, at once */
  step(&rig);
  CHECK_INT(1, fake_running());
  answer_token(&rig, "token-1", HOUR);
  CHECK(fake_find("x=2") != NULL);
  avp_call_release(rig.r, call);
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
  CHECK(avp_signin_wants(&rig.r->signin, rig.now));
  avp_call_release(rig.r, call);
  step(&rig);
  CHECK(!avp_signin_wants(&rig.r->signin, rig.now + AVP_ASK_AGAIN_MS));
  CHECK(avp_requests_wait(rig.r, rig.now) == AVP_NEVER);
  CHECK(avp_signin_supply(&rig.r->signin, SECRET)); /* an answer that comes late does no harm */
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
  CHECK(!avp_signin_wants(&rig.r->signin, rig.now)); /* nothing is needed yet */
  call = get(&rig, "x=1");
  before = rig.r->shared.progress;
  step(&rig);
  CHECK(before != rig.r->shared.progress); /* whoever waits must look */
  CHECK_INT(0, fake_running());
  CHECK(avp_signin_wants(&rig.r->signin, rig.now));
  CHECK(!avp_signin_wants(&rig.r->signin, rig.now)); /* one caller is enough */
  rig.now += AVP_ASK_AGAIN_MS - 1;
  CHECK(!avp_signin_wants(&rig.r->signin, rig.now));
  CHECK_INT(rig.now + 1, avp_requests_wait(rig.r, rig.now));
  rig.now += 1;
  CHECK(avp_signin_wants(&rig.r->signin, rig.now)); /* the first seems to be gone */
  CHECK(avp_requests_wait(rig.r, rig.now) > rig.now);
  (void)avp_signin_later(&rig.r->signin, 0, rig.now);
  CHECK(avp_signin_wants(&rig.r->signin, rig.now));
  CHECK(!avp_signin_later(&rig.r->signin, 50, rig.now));
  CHECK(!avp_signin_wants(&rig.r->signin, rig.now + 49));
  CHECK_INT(rig.now + 50, avp_requests_wait(rig.r, rig.now));
  CHECK(avp_signin_wants(&rig.r->signin, rig.now + 50));
  CHECK_INT(AVP_ASK_AGAIN_MS + 50, rig.now + 50 - rig.r->signin.since);
  CHECK(avp_signin_supply(&rig.r->signin, SECRET));
  CHECK(!avp_signin_wants(&rig.r->signin, rig.now));
  step(&rig);
  CHECK(strstr(fake_body("/connect/token"), "client_secret=s3cret") != NULL);
  answer_token(&rig, "token-1", 1000);
  advance(&rig, 2000); /* the token has ended: the secret may have been renewed */
  fake_reply("x=1", 500, "");
  step(&rig);
  advance(&rig, 1500);
  CHECK(fake_find("/connect/token") == NULL);
  CHECK(avp_signin_wants(&rig.r->signin, rig.now));
  CHECK(avp_signin_supply(&rig.r->signin, "new-secret"));
  step(&rig);
  CHECK(strstr(fake_body("/connect/token"), "client_secret=new-secret") != NULL);
  fake_reply_with("/connect/token", 503, "", "2", NULL);
  step(&rig);
  advance(&rig, 2000); /* another attempt for the same token */
  CHECK(strstr(fake_body("/connect/token"), "client_secret=new-secret") != NULL);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

static void test_user_gives_no_secret(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  settings.credential_is_function = true;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  CHECK(avp_signin_wants(&rig.r->signin, rig.now));
  fail_token(&rig, AVP_ERR_AUTH, "no credential: the vault is locked");
  CHECK_INT(AVP_CALL_FAILED, call->state);
  CHECK_STR("no credential: the vault is locked", call->err.message);
  CHECK(call->err.at_sign_in);
  step(&rig);
  CHECK(!avp_signin_wants(&rig.r->signin, rig.now));
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

static void refuse_secret(struct rig *rig) {
  fake_reply("/connect/token", 400, "{}");
  step(rig);
  refuse_token(rig, "invalid_client", NULL);
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
  CHECK(avp_signin_wants(&rig.r->signin, rig.now));
  CHECK(avp_signin_supply(&rig.r->signin, "old-secret"));
  step(&rig);
  refuse_secret(&rig);
  CHECK_INT(AVP_CALL_QUEUED, call->state);
  CHECK(avp_signin_wants(&rig.r->signin, rig.now));
  CHECK(avp_signin_supply(&rig.r->signin, "new-secret"));
  step(&rig);
  CHECK(strstr(fake_body("/connect/token"), "client_secret=new-secret") != NULL);
  refuse_secret(&rig); /* once only */
  CHECK(!avp_signin_wants(&rig.r->signin, rig.now));
  CHECK_INT(AVP_CALL_FAILED, call->state);
  CHECK_INT(AVP_ERR_AUTH, call->err.kind);
  CHECK_STR("invalid_client", call->err.code);
  avp_call_release(rig.r, call);
  call = get(&rig, "x=2"); /* a later listing may ask again */
  step(&rig);
  CHECK(avp_signin_supply(&rig.r->signin, "newer-secret"));
  step(&rig);
  refuse_secret(&rig);
  CHECK(avp_signin_wants(&rig.r->signin, rig.now));
  CHECK(avp_signin_supply(&rig.r->signin, "newest-secret"));
  step(&rig);
  answer_token(&rig, "token-1", HOUR);
  CHECK(fake_find("x=2") != NULL);
  avp_call_release(rig.r, call);
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
  CHECK(avp_signin_supply(&rig.r->signin, "old-secret"));
  step(&rig);
  refuse_secret(&rig);
  CHECK(avp_signin_supply(&rig.r->signin, "new-secret"));
  step(&rig);
  fake_fail("/connect/token", CURLE_COULDNT_CONNECT);
  step(&rig);
  CHECK_INT(AVP_ERR_NETWORK, call->err.kind);
  avp_call_release(rig.r, call);
  call = get(&rig, "x=2"); /* much later: the secret was renewed once more */
  advance(&rig, 100 * HOUR);
  CHECK(avp_signin_supply(&rig.r->signin, "newer-secret"));
  step(&rig);
  refuse_secret(&rig);
  CHECK(avp_signin_wants(&rig.r->signin, rig.now));
  avp_call_release(rig.r, call);
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
  CHECK(avp_signin_wants(&rig.r->signin, rig.now));
  CHECK(avp_signin_supply(&rig.r->signin, "jwt.one"));
  step(&rig);
  CHECK(strstr(fake_body("/token"),
               "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3A"
               "jwt-bearer&client_assertion=jwt.one") != NULL);
  CHECK(strstr(fake_body("/token"), "client_secret") == NULL);
  fake_reply_with("/token", 503, "", "2", NULL);
  step(&rig);
  advance(&rig, 2000);
  CHECK_INT(0, fake_running());
  CHECK(avp_signin_wants(&rig.r->signin, rig.now));
  CHECK(avp_signin_supply(&rig.r->signin, "jwt.two"));
  step(&rig);
  CHECK(strstr(fake_body("/token"), "client_assertion=jwt.two") != NULL);
  answer_token(&rig, "token-1", HOUR);
  CHECK(fake_find("x=1") != NULL);
  avp_call_release(rig.r, call);
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
  CHECK(avp_signin_wants(&rig.r->signin, rig.now));
  give_token(&rig, "from-user", HOUR);
  CHECK_STR("from-user", fake_bearer("x=1"));
  fake_reply("x=1", 500, "");
  step(&rig);
  advance(&rig, 2 * HOUR);
  CHECK(avp_signin_wants(&rig.r->signin, rig.now));
  give_token(&rig, "from-user-2", HOUR);
  CHECK_STR("from-user-2", fake_bearer("x=1"));
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

/* Before a fetch, processes look where they share their tokens. */
static void test_look_into_the_store(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  settings.token_store = true;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  CHECK_INT(AVP_SIGNIN_LOOKING, rig.r->signin.state);
  CHECK_INT(0, fake_running());
  CHECK(avp_signin_wants(&rig.r->signin, rig.now));
  CHECK(!avp_signin_later(&rig.r->signin, 50, rig.now)); /* another process fetches it */
  CHECK_INT(rig.now + 50, avp_requests_wait(rig.r, rig.now));
  CHECK(!avp_signin_wants(&rig.r->signin, rig.now + 49));
  CHECK(avp_signin_wants(&rig.r->signin, rig.now + 50));
  CHECK(avp_signin_supply_token(&rig.r->signin, "shared", 6, HOUR, false, rig.now));
  step(&rig);
  CHECK_INT(AVP_SIGNIN_IDLE, rig.r->signin.state);
  CHECK_STR("shared", fake_bearer("x=1"));
  CHECK(!avp_signin_fetch(&rig.r->signin)); /* an answer that comes late */
  fake_reply("x=1", 401, "");
  step(&rig);
  CHECK(avp_token_is_known(&rig.r->signin.token, "shared", 6)); /* it would be no news */
  CHECK(avp_signin_fetch(&rig.r->signin));
  step(&rig);
  answer_token(&rig, "token-1", HOUR);
  CHECK_STR("token-1", fake_bearer("x=1"));
  avp_call_release(rig.r, call);
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
    if (moment >= 2) CHECK(avp_signin_wants(&rig.r->signin, rig.now));
    if (moment >= 3) CHECK(avp_signin_supply(&rig.r->signin, SECRET));
    if (moment >= 4) step(&rig);
    if (moment >= 5) fake_reply("/token", 200, "{}");
    if (moment == 5) step(&rig);
    avp_requests_close(rig.r);
    CHECK_INT(AVP_ERR_CLOSED, call->err.kind);
    CHECK(!avp_signin_wants(&rig.r->signin, rig.now + 2 * AVP_ASK_AGAIN_MS));
    CHECK(token_reply(rig.r) == NULL);
    avp_call_release(rig.r, call);
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
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

static const struct check_test tests[] = {
    {"sign-in: attempts of each token", test_attempts_of_each_token},
    {"sign-in: once for many calls", test_once_for_many},
    {"sign-in: the token request is tried again", test_token_request_is_tried_again},
    {"sign-in: a wait past the deadline", test_token_wait_past_the_deadline},
    {"sign-in: refused", test_refused},
    {"sign-in: refused without a word", test_refused_without_a_word},
    {"sign-in: garbled", test_garbled},
    {"sign-in: given up when nobody waits", test_nobody_waits},
    {"sign-in: the user is not asked when nobody waits", test_nobody_waits_for_the_user},
    {"sign-in: a secret from a function", test_secret_from_a_function},
    {"sign-in: the user gives no secret", test_user_gives_no_secret},
    {"sign-in: a refused secret is asked for anew once", test_refused_secret_is_asked_for_anew},
    {"sign-in: asking anew after another failure", test_asking_anew_after_another_failure},
    {"sign-in: an assertion is good for one attempt", test_assertion_is_good_for_one_attempt},
    {"sign-in: a token from a function", test_token_from_a_function},
    {"sign-in: a look into the store", test_look_into_the_store},
    {"sign-in: close in every state", test_close_in_every_state},
    {"sign-in: fork", test_fork_while_signing_in},
};

CHECK_MAIN(tests)
