/* test_signin.c - signin.h: how a client gets its token and keeps it fresh.
 *
 * SPDX-License-Identifier: MIT */
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
    {"sign-in: early renewal while pages go on", test_early_renewal},
    {"sign-in: an early renewal outlives the pages", test_renewal_outlives_pages},
    {"sign-in: an early renewal outlives listings", test_renewal_outlives_listings},
    {"sign-in: an early renewal with a store", test_renewal_with_a_store},
    {"sign-in: an early renewal that asks the user", test_renewal_that_asks_the_user},
    {"sign-in: an early renewal that is read late", test_renewal_read_late},
    {"sign-in: a failed early renewal is tolerated", test_failed_early_renewal},
    {"sign-in: a failed early renewal fails no wait", test_failed_early_renewal_and_waits},
    {"sign-in: an early renewal holds up no retry", test_renewal_holds_up_no_retry},
    {"sign-in: no circles while the token is fetched", test_no_circles_while_the_token_is_fetched},
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
    {"sign-in: an early renewal is left to others", test_renewal_is_left_to_others},
    {"sign-in: an expired token is not left to others", test_expired_token_is_not_left_to_others},
    {"sign-in: a throttled renewal pauses nobody", test_throttled_renewal_pauses_nobody},
    {"sign-in: close in every state", test_close_in_every_state},
    {"sign-in: fork", test_fork_while_signing_in},
};

CHECK_MAIN(tests)
