/* test_secrets.c - signin.h: no secret or token comes out in an error or an event.
 *
 * SPDX-License-Identifier: MIT */
#include "rig.h"

#define REPLY_SECRET "{\"error\":\"invalid_client\",\"you_sent\":\"" SECRET "\"}"

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
  refuse_token(&rig, word, description);
  check_silent(call, trace);
  avp_call_release(rig.r, call);
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
  char description[300];
  memset(description, 'd', sizeof description);
  strcpy(description + 185, SECRET); /* cut after 200 characters, in the midst of the secret */
  refuse_and_search("{}", "invalid_client", description, "s3cret+of/");
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
  CHECK(avp_signin_supply(&rig.r->signin, "head.claims.signature"));
  step(&rig);
  fake_reply("/token", 400, "client_assertion=head.claims.signature");
  step(&rig);
  refuse_token(&rig, "invalid_client", "bad head.claims.signature");
  CHECK(avp_signin_supply(&rig.r->signin, "head.claims.another")); /* asked once more */
  step(&rig);
  fake_reply("/token", 400, "client_assertion=head.claims.another");
  step(&rig);
  refuse_token(&rig, "invalid_client", "bad head.claims.another");
  check_silent(call, "head.claims");
  avp_call_release(rig.r, call);
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
    avp_call_release(rig.r, call);
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
  avp_call_release(rig.r, call);
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
  while (avp_event_take(&rig.r->shared.events, &event)) {
    CHECK(!holds(&event, sizeof event, SECRET));
    CHECK(!holds(&event, sizeof event, "token-of-the-client"));
    CHECK(!holds(&event, sizeof event, "secret-filter"));
  }
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

static const struct check_test tests[] = {
    {"sign-in: the secret is not in errors", test_secret_is_not_in_errors},
    {"sign-in: the secret is not in an error's code", test_secret_is_not_in_the_word},
    {"sign-in: the secret in other spellings is not in errors", test_secret_in_other_spellings},
    {"sign-in: the secret is not in a long description", test_secret_in_a_long_description},
    {"sign-in: the assertion is not in errors", test_assertion_is_not_in_errors},
    {"sign-in: the token is not in errors", test_token_is_not_in_errors},
    {"sign-in: an older token is not in errors", test_older_token_is_not_in_errors},
    {"sign-in: secrets are not in events", test_secrets_are_not_in_events},
};

CHECK_MAIN(tests)
