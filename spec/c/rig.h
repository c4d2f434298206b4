/* rig.h - a dispatcher over the fake transport, with a clock that the test sets. After each step it
 * is checked that whoever waits for the dispatcher neither turns in circles nor sleeps for ever.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_RIG_H
#define AVP_RIG_H

#include "fake_transport.h"
#include "requests/dispatcher_impl.h"

#define WALL      INT64_C(1767225600000) /* 2026-01-01T00:00:00Z, when the clock shows 0 */
#define TOKEN_URL "https://id.example/connect/token"
#define SECRET    "s3cret+of/the=client"
#define HOUR      INT64_C(3600000)

struct rig {
  struct avp_dispatcher *d;
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
  rig->d = avp_dispatcher_new(settings);
  CHECK(rig->d != NULL);
  rig->d->chance = 12345; /* the same delays in each run */
  avp_dispatcher_events(rig->d)->on = true;
  if (settings->credential_is_function || settings->credential != AVP_CREDENTIAL_SECRET) return;
  CHECK(avp_dispatcher_supply(rig->d, SECRET));
}

static inline void rig_close(struct rig *rig) {
  avp_dispatcher_release(rig->d);
  CHECK(fake == NULL);
}

static inline bool someone_is_queued(const struct avp_dispatcher *d) {
  const struct avp_call *call = d->calls;
  while (call != NULL && call->state != AVP_CALL_QUEUED) call = call->next;
  return call != NULL;
}

/* With nothing due, nobody must be woken; with something to come, somebody must be. */
static inline void check_wake(const struct rig *rig) {
  int64_t at = avp_dispatcher_wake_at(rig->d);
  if (avp_dispatcher_token_reply(rig->d) != NULL) { /* it is to be read at once */
    CHECK(at <= rig->now);
    return;
  }
  CHECK(at > rig->now);
  if (!someone_is_queued(rig->d) || rig->d->wanted || fake_running() > 0) return;
  if (avp_dispatcher_token_reply(rig->d) == NULL) CHECK(at < AVP_NEVER);
}

static inline void step(struct rig *rig) {
  uint64_t progress;
  int started;
  avp_dispatcher_step(rig->d, rig->now, WALL + rig->now);
  if (avp_dispatcher_is_closed(rig->d)) return;
  check_wake(rig);
  progress = avp_dispatcher_progress(rig->d);
  started = fake_started;
  avp_dispatcher_step(rig->d, rig->now, WALL + rig->now); /* a second step changes nothing */
  CHECK_INT(started, fake_started);
  CHECK(progress == avp_dispatcher_progress(rig->d));
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
  call = avp_call_new(rig->d, url, NULL, deadline);
  CHECK(call != NULL);
  return call;
}

static inline struct avp_call *get(struct rig *rig, const char *name) {
  return get_until(rig, name, AVP_NEVER);
}

static inline void give_token(struct rig *rig, const char *value, int64_t lifetime) {
  CHECK(avp_dispatcher_supply_token(rig->d, value, strlen(value), lifetime, true, rig->now));
  step(rig);
}

/* The token request that runs is answered, and the answer read. */
static inline void answer_token(struct rig *rig, const char *value, int64_t lifetime) {
  fake_reply("/connect/token", 200, "{}");
  step(rig);
  CHECK(avp_dispatcher_token_reply(rig->d) != NULL);
  give_token(rig, value, lifetime);
}

/* With a token at hand that lives for an hour. Others have used it, so that it needs no trial. */
static inline void rig_signed_in(struct rig *rig, const struct avp_settings *settings) {
  rig_open(rig, settings);
  CHECK(avp_dispatcher_supply_token(rig->d, "token-1", 7, HOUR, false, rig->now));
}

static inline void release_all(struct rig *rig, struct avp_call **calls, int count) {
  int i;
  for (i = 0; i < count; i++) avp_call_release(rig->d, calls[i]);
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
