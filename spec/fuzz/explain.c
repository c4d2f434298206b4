/* explain.c - fuzzes what becomes of a failed reply: its error, without the secrets that it echoes.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "requests/explain.h"

static const char secret[] = "s3cret/+value~";
static const char token[] = "eyJhbGciOi.token-of_the.service";

/* Puts in place of each byte 1 the secret, of each byte 2 the token. */
static void echo(struct avp_buf *out, const char *text, size_t len) {
  size_t i;
  avp_buf_init(out, 4096);
  for (i = 0; i < len; i++) {
    if (text[i] == 1) {
      (void)avp_buf_adds(out, secret);
    } else if (text[i] == 2) {
      (void)avp_buf_adds(out, token);
    } else {
      (void)avp_buf_add(out, &text[i], 1);
    }
  }
}

static bool holds(const char *text, size_t len, const char *word) {
  size_t n = strlen(word);
  size_t i;
  for (i = 0; i + n <= len; i++) {
    if (memcmp(text + i, word, n) == 0) return true;
  }
  return false;
}

static void check_error(struct avp_err *err) {
  avp_err_redact(err, secret);
  avp_err_redact(err, token);
  MUST(err->kind > AVP_OK && err->kind <= AVP_ERR_MEMORY);
  MUST(memchr(err->message, '\0', sizeof err->message) != NULL && err->message[0] != '\0');
  MUST(memchr(err->url, '\0', sizeof err->url) != NULL);
  MUST(memchr(err->code, '\0', sizeof err->code) != NULL);
  MUST(memchr(err->request_id, '\0', sizeof err->request_id) != NULL);
  MUST(err->body_len < sizeof err->body && err->body[err->body_len] == '\0');
  MUST(!holds(err->body, err->body_len, secret) && !holds(err->body, err->body_len, token));
  MUST(strstr(err->message, secret) == NULL && strstr(err->message, token) == NULL);
  MUST(strstr(err->code, secret) == NULL && strstr(err->request_id, secret) == NULL);
}

static void check_status(const struct avp_reply *reply, const struct avp_settings *settings,
                         const char *word, const char *description) {
  struct avp_err err;
  struct avp_retry_answer answer = {AVP_RETRY_SPENT, 1500, false};
  avp_explain_status(&err, reply, settings->token_url);
  avp_explain_verdict(&err, &answer, &settings->retry, 5);
  if (reply->status == 403) avp_explain_scope(&err, settings);
  if (reply->status == 401) avp_explain_given_token(&err);
  check_error(&err);
  avp_explain_token_status(&err, reply, settings->token_url);
  check_error(&err);
  avp_explain_token_refusal(&err, reply, word, description, settings, secret);
  avp_err_forget_token(&err);
  MUST(reply->status >= 400 || err.body_len == 0);
  check_error(&err);
}

static void check_failure(struct avp_reply *reply, const char *url) {
  struct avp_err err;
  if (reply->result == CURLE_OK) reply->result = CURLE_RECV_ERROR;
  avp_explain_failure(&err, reply, url);
  MUST(err.retryable == false || avp_failure_may_pass(reply));
  MUST(strstr(err.message, "user:pass@") == NULL);
  check_error(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input in = {data, size};
  struct avp_settings settings = {.token_url = "https://identity.example/connect/token"};
  struct avp_reply reply;
  unsigned flags = take_byte(&in);
  size_t len;
  char *word;
  char *description;
  char *detail;
  char *body;
  memset(&reply, 0, sizeof reply);
  reply.status = (int)(take_byte(&in) << 8 | take_byte(&in)) % 700;
  reply.result = (CURLcode)(take_byte(&in) % 101);
  reply.refusal = (long)(take_byte(&in) * 3);
  reply.os_error = take_byte(&in);
  reply.overflow = (enum avp_overflow)((flags & 3) % 3);
  reply.out_of_memory = (flags & 4) != 0;
  reply.proxy_untrusted = (flags & 8) != 0;
  reply.verdict = flags & 16 ? reply.os_error : 0;
  settings.scope = flags & 32 ? "a.scope" : "";
  settings.scope_source = flags & 64 ? "the option scope" : NULL;
  settings.credential = flags & 128 ? AVP_CREDENTIAL_ASSERTION : AVP_CREDENTIAL_SECRET;
  settings.client_id = " id";
  word = take_until(&in, '\n', NULL);
  description = take_until(&in, '\n', NULL);
  detail = take_until(&in, '\n', NULL);
  snprintf(reply.detail, sizeof reply.detail, "%s", detail);
  snprintf(reply.request_id, sizeof reply.request_id, "%s", detail);
  body = take_rest(&in, &len);
  echo(&reply.body, body, len);
  check_status(&reply, &settings, word, description);
  check_failure(&reply, settings.token_url);
  avp_buf_free(&reply.body);
  free(word);
  free(description);
  free(detail);
  free(body);
  return 0;
}
