/* err.c - see err.h.
 *
 * SPDX-License-Identifier: MIT */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void avp_err_set(struct avp_err *err, enum avp_err_kind kind, const char *format, ...) {
  va_list args;
  memset(err, 0, sizeof *err);
  err->kind = kind;
  err->retry_after = -1;
  va_start(args, format);
  vsnprintf(err->message, sizeof err->message, format, args);
  va_end(args);
}

void avp_err_add(struct avp_err *err, const char *format, ...) {
  size_t used = strlen(err->message);
  va_list args;
  va_start(args, format);
  vsnprintf(err->message + used, sizeof err->message - used, format, args);
  va_end(args);
}

void avp_err_body(struct avp_err *err, const char *data, size_t len) {
  size_t kept = len < sizeof err->body - 1 ? len : sizeof err->body - 1;
  if (kept > 0) memcpy(err->body, data, kept);
  err->body[kept] = '\0';
  err->body_len = kept;
}

static void cover(char *text, size_t len, const char *secret, size_t secret_len) {
  size_t i;
  for (i = 0; i + secret_len <= len; i++) {
    if (memcmp(text + i, secret, secret_len) == 0) memset(text + i, '*', secret_len);
  }
}

void avp_err_redact(struct avp_err *err, const char *secret) {
  size_t len = secret != NULL ? strlen(secret) : 0;
  if (len < 4) return;
  cover(err->message, strlen(err->message), secret, len);
  cover(err->body, err->body_len, secret, len);
}

const char *avp_err_kind_name(enum avp_err_kind kind) {
  static const char *const names[] = {
      "ok",      "config", "auth",    "forbidden", "not_found", "throttled", "server", "http",
      "network", "tls",    "timeout", "protocol",  "limit",     "drift",     "closed", "memory"};
  return names[kind];
}
