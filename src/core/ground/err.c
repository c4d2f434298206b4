/* err.c - fills errors, and keeps secrets out of them (err.h).
 * SPDX-License-Identifier: MIT */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hash.h"

#define SECRET_MIN 4 /* characters; anything shorter occurs in any text */

static void append(struct avp_err *err, const char *format, va_list args) {
  size_t used = strlen(err->message);
  vsnprintf(err->message + used, sizeof err->message - used, format, args);
}

void avp_err_set(struct avp_err *err, enum avp_err_kind kind, const char *format, ...) {
  va_list args;
  memset(err, 0, sizeof *err);
  err->kind = kind;
  err->retry_after = -1;
  va_start(args, format);
  append(err, format, args);
  va_end(args);
}

void avp_err_add(struct avp_err *err, const char *format, ...) {
  va_list args;
  va_start(args, format);
  append(err, format, args);
  va_end(args);
}

void avp_err_body(struct avp_err *err, const char *data, size_t len) {
  size_t kept = len < sizeof err->body - 1 ? len : sizeof err->body - 1;
  if (kept > 0) memcpy(err->body, data, kept);
  err->body[kept] = '\0';
  err->body_len = kept;
}

static bool names_a_token(const char *text, size_t len) {
  static const char word[] = "_token"; /* access_token, refresh_token, id_token */
  size_t size = sizeof word - 1;
  size_t i;
  for (i = 0; i + size <= len; i++) {
    if (memcmp(text + i, word, size) == 0) return true;
  }
  return false;
}

void avp_err_forget_token(struct avp_err *err) {
  if (err->status >= 400 && err->status <= 599 && !names_a_token(err->body, err->body_len)) return;
  memset(err->body, 0, sizeof err->body);
  err->body_len = 0;
}

/* Returns the value of `count` hexadecimal digits, or -1. */
static int hex_value(const char *text, size_t left, size_t count) {
  int value = 0;
  size_t i;
  if (left < count) return -1;
  for (i = 0; i < count; i++) {
    int digit = avp_hex_digit(text[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/* Returns how many characters of `text` stand for the character `c`: as it is or, if `escaped`, in
 * an escape of JSON, of a URL or of a form. 0 if they do not. */
static size_t unit(const char *text, size_t left, unsigned char c, bool escaped) {
  if (left == 0) return 0;
  if (escaped && text[0] == '%' && hex_value(text + 1, left - 1, 2) == c) return 3;
  if (escaped && text[0] == '\\' && left > 1) {
    if (text[1] == 'u' && hex_value(text + 2, left - 2, 4) == c) return 6;
    if (text[1] != 'u' && (unsigned char)text[1] == c) return 2;
  }
  return (unsigned char)text[0] == c || (escaped && text[0] == '+' && c == ' ');
}

/* Returns how many characters of `text` are the secret in this form, or its beginning if the text
 * was cut within it. 0 if they are not. */
static size_t match(const char *text, size_t left, const char *secret, bool cut, bool escaped) {
  size_t used = 0;
  size_t matched = 0;
  for (; secret[matched] != '\0'; matched++) {
    size_t n = unit(text + used, left - used, (unsigned char)secret[matched], escaped);
    if (n == 0) break;
    used += n;
  }
  if (secret[matched] == '\0') return used;
  /* an escape may itself be cut, so up to five characters at the end may match nothing */
  return cut && matched >= SECRET_MIN && left - used < 6 ? left : 0;
}

void avp_redact(char *text, size_t len, bool cut, const char *secret) {
  size_t i = 0;
  if (secret == NULL || strlen(secret) < SECRET_MIN) return;
  while (i < len) {
    /* first as it is: a secret may itself look as if it were escaped */
    size_t n = match(text + i, len - i, secret, cut, false);
    if (n == 0) n = match(text + i, len - i, secret, cut, true);
    memset(text + i, '*', n);
    i += n > 0 ? n : 1;
  }
}

static void cover(char *text, size_t len, size_t size, const char *secret) {
  avp_redact(text, len, len + 1 == size, secret);
}

void avp_err_redact(struct avp_err *err, const char *secret) {
  cover(err->message, strlen(err->message), sizeof err->message, secret);
  cover(err->code, strlen(err->code), sizeof err->code, secret);
  cover(err->request_id, strlen(err->request_id), sizeof err->request_id, secret);
  cover(err->body, err->body_len, sizeof err->body, secret);
}

const char *avp_err_kind_name(enum avp_err_kind kind) {
  static const char *const names[] = {
      "ok",      "config", "auth",    "forbidden", "not_found", "throttled", "server", "http",
      "network", "tls",    "timeout", "protocol",  "limit",     "drift",     "closed", "memory"};
  return names[kind];
}
