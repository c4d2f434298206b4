/* rig.h - a client's requests over the fake transport, with a clock that the test sets. After each
 * step it is checked that a waiter neither turns in circles nor sleeps for ever.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_RIG_H
#define AVP_RIG_H

#include "fake_transport.h"
#include "requests/requests.h"

#define WALL      INT64_C(1767225600000) /* 2026-01-01T00:00:00Z, when the clock shows 0 */
#define TOKEN_URL "https://id.example/connect/token"
#define SECRET    "s3cret+of/the=client"
#define HOUR      INT64_C(3600000)

struct rig {
  struct avp_requests *r;
  int64_t now;
};

static inline struct avp_settings rig_settings(void) {
  struct avp_settings s;
  memset(&s, 0, sizeof s);
  s.transfer.user_agent = "test";
  s.transfer.connect_timeout_ms = 10000;
  s.transfer.max_body = 65536;
  s.token_url = TOKEN_URL;
  s.client_id = "the client";
  s.scope = "elements.customers.read.all";
  s.credential = AVP_CREDENTIAL_SECRET;
  s.timeout_ms = 30000;
  s.retry.max_attempts = 5;
  s.retry.max_wait_ms = 120000;
  s.concurrency = 4;
  return s;
}

static inline void rig_open(struct rig *rig, const struct avp_settings *settings) {
  rig->now = 1000;
  rig->r = avp_requests_new(settings);
  CHECK(rig->r != NULL);
  rig->r->shared.jitter_state = 12345; /* the same delays in each run */
  rig->r->shared.events.on = true;
  if (settings->credential_is_function || settings->credential != AVP_CREDENTIAL_SECRET) return;
  CHECK(avp_signin_supply(&rig->r->signin, SECRET));
}

static inline void rig_close(struct rig *rig) {
  avp_requests_release(rig->r);
  CHECK(fake == NULL);
}

/* The token reply that waits to be read, or NULL. */
static inline const struct avp_reply *token_reply(const struct avp_requests *r) {
  return r->signin.state == AVP_SIGNIN_REPLIED ? &r->signin.call.transfer->reply : NULL;
}

/* Whether the store is to be looked into, or the user's function to be called. */
static inline bool is_asked(const struct avp_requests *r) {
  return r->signin.state == AVP_SIGNIN_LOOKING || r->signin.state == AVP_SIGNIN_ASKING;
}

static inline bool someone_is_queued(const struct avp_requests *r) {
  const struct avp_call *call = r->calls;
  while (call != NULL && call->state != AVP_CALL_QUEUED) call = call->next;
  return call != NULL;
}

/* With nothing due, nobody must be woken; with something to come, somebody must be. */
static inline void check_wake(const struct rig *rig) {
  int64_t at = avp_requests_wait(rig->r, rig->now);
  if (token_reply(rig->r) != NULL) { /* it is to be read at once */
    CHECK(at <= rig->now);
    return;
  }
  CHECK(at > rig->now);
  if (!someone_is_queued(rig->r) || is_asked(rig->r) || fake_running() > 0) return;
  if (token_reply(rig->r) == NULL) CHECK(at < AVP_NEVER);
}

static inline void step(struct rig *rig) {
  uint64_t progress;
  int started;
  int early;
  avp_requests_step(rig->r, rig->now, WALL + rig->now);
  if (rig->r->closed) return;
  check_wake(rig);
  progress = rig->r->shared.progress;
  started = fake_started;
  early = fake_early_started;
  avp_requests_step(rig->r, rig->now, WALL + rig->now); /* a second step changes nothing */
  CHECK_INT(started, fake_started);
  CHECK_INT(early, fake_early_started);
  CHECK(progress == rig->r->shared.progress);
  avp_requests_wait(rig->r, rig->now); /* somebody does, until the next step */
}

static inline void advance(struct rig *rig, int64_t ms) {
  rig->now += ms;
  step(rig);
}

/* A GET of https://api.example/list?NAME. */
static inline struct avp_call *get_until(struct rig *rig, const char *name, int64_t deadline) {
  char url[128];
  struct avp_call *call;
  snprintf(url, sizeof url, "https://api.example/list?%s", name);
  call = avp_call_new(rig->r, url, NULL, deadline);
  CHECK(call != NULL);
  return call;
}

static inline struct avp_call *get(struct rig *rig, const char *name) {
  return get_until(rig, name, AVP_NEVER);
}

static inline void give_token(struct rig *rig, const char *value, int64_t lifetime) {
  CHECK(avp_signin_supply_token(&rig->r->signin, value, strlen(value), lifetime, true, rig->now));
  step(rig);
}

/* The token request that runs is answered, and the answer read. */
static inline void answer_token(struct rig *rig, const char *value, int64_t lifetime) {
  fake_reply("/connect/token", 200, "{}");
  step(rig);
  CHECK(token_reply(rig->r) != NULL);
  give_token(rig, value, lifetime);
}

/* The token request's reply is a refusal, and is read. */
static inline void refuse_token(struct rig *rig, const char *word, const char *description) {
  avp_signin_refused(&rig->r->signin, word, description, rig->now);
  step(rig);
}

/* No token can be had, by the user or by the form of the reply. */
static inline void fail_token(struct rig *rig, enum avp_err_kind kind, const char *message) {
  struct avp_err err;
  avp_err_set(&err, kind, "%s", message);
  avp_signin_fail(&rig->r->signin, &err, rig->now);
  step(rig);
}

/* With a token at hand that lives for an hour. Others have used it, so that it needs no trial. */
static inline void rig_signed_in(struct rig *rig, const struct avp_settings *settings) {
  rig_open(rig, settings);
  CHECK(avp_signin_supply_token(&rig->r->signin, "token-1", 7, HOUR, false, rig->now));
}

static inline void release_all(struct rig *rig, struct avp_call **calls, int count) {
  int i;
  for (i = 0; i < count; i++) avp_call_release(rig->r, calls[i]);
}

/* Whether `text` stands anywhere in these bytes. */
static inline bool holds(const void *bytes, size_t size, const char *text) {
  const char *at = bytes;
  size_t len = strlen(text);
  for (; size >= len; at++, size--) {
    if (memcmp(at, text, len) == 0) return true;
  }
  return false;
}

#endif
