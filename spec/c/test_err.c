/* test_err.c - err.h: messages that are cut, bodies, and that no secret is left in an error.
 *
 * SPDX-License-Identifier: MIT */
#include "ground/err.h"

#include "check.h"

#define SECRET "hQ7~s3cret/of+the=client"

/* Whether the first `count` characters of the secret stand anywhere in the struct. */
static bool holds(const struct avp_err *err, const char *secret, size_t count) {
  const char *bytes = (const char *)err;
  size_t i;
  for (i = 0; i + count <= sizeof *err; i++) {
    if (memcmp(bytes + i, secret, count) == 0) return true;
  }
  return false;
}

static void test_set_empties(void) {
  struct avp_err err;
  memset(&err, 0x55, sizeof err);
  avp_err_set(&err, AVP_ERR_HTTP, "%s %d", "status", 418);
  CHECK_INT(AVP_ERR_HTTP, err.kind);
  CHECK_STR("status 418", err.message);
  CHECK(!err.retryable && !err.at_sign_in);
  CHECK(err.retry_after < 0);
  CHECK_INT(0, err.status + err.curl + err.attempts + err.page);
  CHECK_STR("", err.url);
  CHECK_STR("", err.code);
  CHECK_STR("", err.request_id);
  CHECK_INT(0, err.body_len);
}

static void test_add(void) {
  struct avp_err err;
  avp_err_set(&err, AVP_ERR_HTTP, "one");
  avp_err_add(&err, ", %s", "two");
  CHECK_STR("one, two", err.message);
}

static void test_messages_are_cut(void) {
  char text[2000];
  struct avp_err err;
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  avp_err_set(&err, AVP_ERR_HTTP, "%s", text);
  CHECK_INT(sizeof err.message - 1, strlen(err.message));
  avp_err_add(&err, "more");
  CHECK_INT(sizeof err.message - 1, strlen(err.message));
  avp_err_set(&err, AVP_ERR_HTTP, "short");
  avp_err_add(&err, "%s", text);
  CHECK_INT(sizeof err.message - 1, strlen(err.message));
  CHECK(strncmp(err.message, "shortxxx", 8) == 0);
}

static void test_body_keeps_its_first_kib(void) {
  char text[1100];
  struct avp_err err;
  memset(text, 'b', sizeof text);
  text[3] = '\0';
  avp_err_set(&err, AVP_ERR_HTTP, "x");
  avp_err_body(&err, text, sizeof text);
  CHECK_INT(1024, err.body_len);
  CHECK(memcmp(err.body, text, 1024) == 0 && err.body[1024] == '\0');
  avp_err_body(&err, text, 1024);
  CHECK_INT(1024, err.body_len);
  avp_err_body(&err, "short", 5);
  CHECK_STR("short", err.body);
  avp_err_body(&err, NULL, 0); /* a reply without a body */
  CHECK_INT(0, err.body_len);
  CHECK_STR("", err.body);
}

static void test_redact_everywhere(void) {
  static const char body[] = "\0\0" SECRET SECRET "!" SECRET;
  struct avp_err err;
  avp_err_set(&err, AVP_ERR_AUTH, "%s, again %s", SECRET, SECRET);
  avp_err_body(&err, body, sizeof body - 1);
  avp_err_redact(&err, SECRET);
  CHECK(!holds(&err, SECRET, strlen(SECRET)));
  CHECK(strstr(err.message, ", again ") != NULL);
  CHECK_INT(sizeof body - 1, err.body_len);
  CHECK(err.body[2 + 2 * strlen(SECRET)] == '!');
}

/* What a server says is copied into these two as well. */
static void test_redact_words(void) {
  struct avp_err err;
  avp_err_set(&err, AVP_ERR_AUTH, "x");
  strcpy(err.code, SECRET);
  strcpy(err.request_id, "id of " SECRET);
  avp_err_redact(&err, SECRET);
  CHECK(!holds(&err, SECRET, strlen(SECRET)));
}

/* As JSON, a URL or a form may write it. */
static void test_redact_escaped(void) {
  static const char *const forms[] = {
      "hQ7~s3cret/of+the=client",
      "hQ7~s3cret\\/of+the=client",
      "hQ7%7Es3cret%2Fof%2Bthe%3Dclient",
      "hQ7%7es3cret%2fof%2bthe%3dclient",
      "hQ7~s3cret\\u002fof\\u002Bthe\\u003dclient",
  };
  size_t i;
  for (i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    struct avp_err err;
    avp_err_set(&err, AVP_ERR_AUTH, "before %s behind", forms[i]);
    avp_err_redact(&err, SECRET);
    CHECK(!holds(&err, "s3cret", 6));
    CHECK(!holds(&err, "client", 6));
    CHECK(strncmp(err.message, "before *", 8) == 0);
    CHECK(strstr(err.message, "* behind") != NULL);
  }
}

/* Secrets that look as if they were escaped, as they are. */
static void test_redact_what_looks_escaped(void) {
  static const char *const secrets[] = {"abcd%25efgh", "abcd\\\\efgh",    "abcd%41efgh",
                                        "abcd\\nefgh", "abcd\\u0041efgh", "%25%25%25",
                                        "abcd+efgh",   "abcdefgh%"};
  size_t i;
  for (i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
    struct avp_err err;
    avp_err_set(&err, AVP_ERR_AUTH, "<%s>", secrets[i]);
    avp_err_redact(&err, secrets[i]);
    if (holds(&err, secrets[i], strlen(secrets[i]))) printf("# \"%s\" is left\n", secrets[i]);
    CHECK(!holds(&err, secrets[i], strlen(secrets[i])));
    CHECK(err.message[0] == '<' && err.message[strlen(err.message) - 1] == '>');
  }
}

static void test_redact_leaves_the_rest(void) {
  struct avp_err err;
  avp_err_set(&err, AVP_ERR_AUTH, "an abc is no secret");
  avp_err_redact(&err, NULL);
  avp_err_redact(&err, "");
  avp_err_redact(&err, "abc"); /* too short to be one */
  CHECK_STR("an abc is no secret", err.message);
  avp_err_redact(&err, "a secret that is longer than the message, so that it cannot stand in it");
  CHECK_STR("an abc is no secret", err.message);
}

/* Where a text was cut in the midst of a secret, its beginning must go too. */
static void test_redact_at_the_cut_of_a_body(void) {
  char text[1100];
  int left = 0;
  size_t kept;
  for (kept = 8; kept < strlen(SECRET); kept++) {
    struct avp_err err;
    memset(text, 'b', sizeof text);
    memcpy(text + 1024 - kept, SECRET, strlen(SECRET));
    avp_err_set(&err, AVP_ERR_HTTP, "x");
    avp_err_body(&err, text, sizeof text);
    avp_err_redact(&err, SECRET);
    left += holds(&err, SECRET, 8);
  }
  CHECK_INT(0, left);
}

static void test_redact_at_the_cut_of_a_message(void) {
  char text[1100];
  int left = 0;
  size_t kept;
  for (kept = 8; kept < strlen(SECRET); kept++) {
    struct avp_err err;
    memset(text, 'm', sizeof text);
    strcpy(text + sizeof err.message - 1 - kept, SECRET);
    avp_err_set(&err, AVP_ERR_HTTP, "%s", text);
    avp_err_redact(&err, SECRET);
    left += holds(&err, SECRET, 8);
  }
  CHECK_INT(0, left);
}

static void test_kind_names(void) {
  CHECK_STR("ok", avp_err_kind_name(AVP_OK));
  CHECK_STR("config", avp_err_kind_name(AVP_ERR_CONFIG));
  CHECK_STR("auth", avp_err_kind_name(AVP_ERR_AUTH));
  CHECK_STR("forbidden", avp_err_kind_name(AVP_ERR_FORBIDDEN));
  CHECK_STR("not_found", avp_err_kind_name(AVP_ERR_NOT_FOUND));
  CHECK_STR("throttled", avp_err_kind_name(AVP_ERR_THROTTLED));
  CHECK_STR("server", avp_err_kind_name(AVP_ERR_SERVER));
  CHECK_STR("http", avp_err_kind_name(AVP_ERR_HTTP));
  CHECK_STR("network", avp_err_kind_name(AVP_ERR_NETWORK));
  CHECK_STR("tls", avp_err_kind_name(AVP_ERR_TLS));
  CHECK_STR("timeout", avp_err_kind_name(AVP_ERR_TIMEOUT));
  CHECK_STR("protocol", avp_err_kind_name(AVP_ERR_PROTOCOL));
  CHECK_STR("limit", avp_err_kind_name(AVP_ERR_LIMIT));
  CHECK_STR("drift", avp_err_kind_name(AVP_ERR_DRIFT));
  CHECK_STR("closed", avp_err_kind_name(AVP_ERR_CLOSED));
  CHECK_STR("memory", avp_err_kind_name(AVP_ERR_MEMORY));
}

static const struct check_test tests[] = {
    {"err: set empties", test_set_empties},
    {"err: add", test_add},
    {"err: messages are cut", test_messages_are_cut},
    {"err: a body keeps its first KiB", test_body_keeps_its_first_kib},
    {"err: redact covers every place", test_redact_everywhere},
    {"err: redact covers code and request id", test_redact_words},
    {"err: redact covers escaped forms", test_redact_escaped},
    {"err: redact covers what looks escaped", test_redact_what_looks_escaped},
    {"err: redact leaves the rest", test_redact_leaves_the_rest},
    {"err: redact at the cut of a body", test_redact_at_the_cut_of_a_body},
    {"err: redact at the cut of a message", test_redact_at_the_cut_of_a_message},
    {"err: names of the kinds", test_kind_names},
};

CHECK_MAIN(tests)
