/* header.c - fuzzes the headers of a reply that are read, what Retry-After says, and whether a body
 * stops in the middle.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "requests/retry.h"
#include "wire/transfer.c" /* for libcurl's callbacks */

static void check_value(const char *value, size_t size) {
  MUST(memchr(value, '\0', size) != NULL);
  MUST(strchr(value, '\n') == NULL);
  MUST(value[0] != ' ' && value[0] != '\t');
}

static void check_retry(const struct avp_reply *reply, int64_t wall_ms) {
  struct avp_retry_policy policy = {5, 120000};
  struct avp_retry_case c = {.status = 429, .attempts = 1, .deadline = AVP_NEVER};
  struct avp_retry_answer answer;
  const char *date = reply->date[0] != '\0' ? reply->date : NULL;
  c.retry_after_ms = avp_retry_after(reply->retry_after, date, wall_ms);
  MUST(c.retry_after_ms >= -1 && c.retry_after_ms <= AVP_RETRY_AFTER_MAX);
  answer = avp_retry_decide(&policy, &c);
  MUST(answer.verdict != AVP_RETRY_WAIT || answer.delay_ms <= policy.max_wait_ms);
  MUST(answer.delay_ms >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input in = {data, size};
  struct avp_transfer transfer;
  struct avp_reply *reply = &transfer.reply;
  unsigned limit = take_byte(&in);
  char *text;
  size_t len;
  memset(&transfer, 0, sizeof transfer);
  avp_buf_init(&reply->body, (size_t)limit * 16);
  while (in.left > 0 && in.data[0] != '\n') { /* an empty line ends the headers */
    text = take_until(&in, '\n', &len);
    text[len] = '\n'; /* in place of the NUL: libcurl promises none */
    MUST(on_header(text, 1, len + 1, &transfer) == len + 1 ||
         reply->overflow == AVP_OVERFLOW_HEADERS);
    free(text);
  }
  take_byte(&in);
  check_value(reply->retry_after, sizeof reply->retry_after);
  check_value(reply->date, sizeof reply->date);
  check_value(reply->request_id, sizeof reply->request_id);
  check_value(reply->encoding, sizeof reply->encoding);
  check_retry(reply, INT64_C(1750000000000));
  text = take_rest(&in, &len);
  MUST(on_body(text, 1, len, &transfer) == len || reply->overflow == AVP_OVERFLOW_BODY);
  reply->status = 200;
  MUST(!stops_in_the_middle(reply) || reply->encoding[0] != '\0');
  avp_buf_free(&reply->body);
  free(text);
  return 0;
}
