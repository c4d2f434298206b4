/* requests.c - see requests.h.
 *
 * SPDX-License-Identifier: MIT */
#include "requests.h"

#include <string.h>

#include "../ground/mem.h"
#include "../ground/sys.h"
#include "explain.h"

#define REFUSALS_MAX 100 /* 401s of one call, each for a token that others have used since */

static bool copy_string(const char **text) {
  const char *original = *text;
  *text = avp_strdup(original);
  return original == NULL || *text != NULL;
}

static bool copy_settings(struct avp_settings *own, const struct avp_settings *given) {
  bool ok = true;
  *own = *given;
  ok = copy_string(&own->transfer.ca_file) && ok;
  ok = copy_string(&own->transfer.proxy) && ok;
  ok = copy_string(&own->transfer.user_agent) && ok;
  ok = copy_string(&own->token_url) && ok;
  ok = copy_string(&own->client_id) && ok;
  ok = copy_string(&own->scope) && ok;
  return ok;
}

static void free_settings(struct avp_settings *own) {
  avp_free((char *)own->transfer.ca_file);
  avp_free_secret((char *)own->transfer.proxy); /* may hold the proxy's password */
  avp_free((char *)own->transfer.user_agent);
  avp_free((char *)own->token_url);
  avp_free((char *)own->client_id);
  avp_free((char *)own->scope);
}

struct avp_requests *avp_requests_new(const struct avp_settings *settings) {
  struct avp_requests *r = avp_alloc(sizeof *r);
  bool done;
  if (r == NULL) return NULL;
  r->references = 1;
  r->max_in_flight = settings->concurrency;
  r->shared.settings = &r->settings;
  avp_sys_random(&r->shared.jitter_state, sizeof r->shared.jitter_state);
  done = copy_settings(&r->settings, settings);
  done = avp_signin_init(&r->signin, &r->shared) && done;
  r->shared.transport = avp_transport_new(&r->settings.transfer, settings->concurrency + 2);
  if (done && r->shared.transport != NULL) return r;
  avp_requests_release(r);
  return NULL;
}

struct avp_requests *avp_requests_retain(struct avp_requests *r) {
  r->references++;
  return r;
}

void avp_requests_release(struct avp_requests *r) {
  if (r == NULL || --r->references > 0) return;
  avp_requests_close(r);
  avp_events_free(&r->shared.events);
  free_settings(&r->settings);
  avp_free(r);
}

static bool is_open(const struct avp_call *call) {
  return call->state == AVP_CALL_QUEUED || call->state == AVP_CALL_IN_FLIGHT;
}

static void requeue_all(struct avp_requests *r) {
  struct avp_call *call;
  for (call = r->calls; call != NULL; call = call->next) {
    if (call->state == AVP_CALL_IN_FLIGHT) avp_call_requeue(&r->shared, call);
  }
  avp_signin_cancel(&r->signin);
}

/* In a fork's child the attempts that the parent started are not ours: they begin anew. */
static void begin_anew_after_fork(struct avp_requests *r) {
  if (!avp_transport_forked(r->shared.transport)) return;
  requeue_all(r);
  /* parent and child must not wait in step */
  avp_sys_random(&r->shared.jitter_state, sizeof r->shared.jitter_state);
}

static void fail(struct avp_requests *r, struct avp_call *call, const struct avp_err *err) {
  avp_call_fail(&r->shared, call, err);
  avp_signin_redact(&r->signin, &call->err);
}

static void fail_with(struct avp_requests *r, struct avp_call *call, enum avp_err_kind kind,
                      const char *message) {
  struct avp_err err;
  avp_err_set(&err, kind, "%s", message);
  err.retryable = kind == AVP_ERR_TIMEOUT; /* of the listing's time */
  fail(r, call, &err);
}

static const char closed[] = "the client was closed";

void avp_requests_close(struct avp_requests *r) {
  struct avp_call *call;
  if (r->closed) return;
  r->closed = true;
  if (r->shared.transport != NULL) begin_anew_after_fork(r);
  for (call = r->calls; call != NULL; call = call->next) {
    if (is_open(call)) fail_with(r, call, AVP_ERR_CLOSED, closed);
  }
  avp_signin_free(&r->signin);
  avp_transport_free(r->shared.transport);
  r->shared.transport = NULL;
}

static void free_call(struct avp_call *call) {
  avp_call_free(call);
  avp_free(call);
}

struct avp_call *avp_call_new(struct avp_requests *r, const char *url, const char *body,
                              int64_t deadline) {
  struct avp_call *call = avp_alloc(sizeof *call);
  struct avp_call **end = &r->calls;
  if (call == NULL) return NULL;
  if (!avp_call_init(call, url, body, deadline)) {
    free_call(call);
    return NULL;
  }
  while (*end != NULL) end = &(*end)->next;
  *end = call;
  if (r->closed) fail_with(r, call, AVP_ERR_CLOSED, closed);
  return call;
}

void avp_call_release(struct avp_requests *r, struct avp_call *call) {
  struct avp_call **link = &r->calls;
  if (!r->closed) begin_anew_after_fork(r);
  if (is_open(call)) r->shared.progress++; /* another coroutine that waits for it must look again */
  avp_call_drop(&r->shared, call);
  while (*link != NULL && *link != call) link = &(*link)->next;
  if (*link != NULL) *link = call->next;
  free_call(call);
}

static int count_in_flight(const struct avp_requests *r) {
  const struct avp_call *call;
  int count = 0;
  for (call = r->calls; call != NULL; call = call->next) count += call->transfer != NULL;
  return count;
}

/* Whether this request tries a token that has not proved itself. Until a fresh token has served a
 * request, only one is sent with it, so that a refusal is known to be the token's. */
static bool is_trial(const struct avp_requests *r, const struct avp_call *call) {
  return call->state == AVP_CALL_IN_FLIGHT && !r->signin.token.proven &&
         call->token_generation == r->signin.token.generation;
}

static bool is_on_trial(const struct avp_requests *r) {
  const struct avp_call *call = r->calls;
  while (call != NULL && !is_trial(r, call)) call = call->next;
  return call != NULL;
}

static void send_call(struct avp_requests *r, struct avp_call *call, const char *bearer) {
  struct avp_request request;
  memset(&request, 0, sizeof request);
  request.url = call->url;
  request.body = call->body;
  request.content_type = "application/json";
  request.bearer = bearer;
  call->token_generation = r->signin.token.generation;
  if (!avp_call_send(&r->shared, call, &request)) {
    fail_with(r, call, AVP_ERR_MEMORY, "out of memory or of descriptors for a request");
  }
}

/* When a queued call may be sent, as far as waits for the server's sake are concerned. */
static int64_t due_at(const struct avp_requests *r, const struct avp_call *call) {
  return call->not_before > r->paused_until ? call->not_before : r->paused_until;
}

/* Returns whether anything was sent, or has failed. */
static bool send_due(struct avp_requests *r) {
  int room = r->max_in_flight - count_in_flight(r);
  bool trial = is_on_trial(r);
  bool sent = false;
  struct avp_call *call;
  for (call = r->calls; call != NULL && room > 0; call = call->next) {
    const char *bearer;
    if (call->state != AVP_CALL_QUEUED || r->shared.now < due_at(r, call)) continue;
    bearer = avp_signin_bearer(&r->signin);
    if (bearer == NULL || trial) break;
    send_call(r, call, bearer);
    trial = is_trial(r, call);
    sent = true;
    room--;
  }
  return avp_signin_step(&r->signin) || sent;
}

static void slow_down(struct avp_requests *r, const struct avp_call *call) {
  if (call->sent_at < r->limit_cut_at) return; /* it belongs to the same burst */
  r->max_in_flight = r->max_in_flight > 1 ? r->max_in_flight / 2 : 1;
  r->limit_cut_at = r->shared.now + 1; /* what was sent in this very moment belongs to it too */
}

static void plan(struct avp_requests *r, struct avp_call *call) {
  struct avp_retry_answer answer;
  struct avp_err err;
  if (!avp_call_plan(&r->shared, call, &answer, &err)) {
    fail(r, call, &err);
  } else if (answer.whole_client && call->not_before > r->paused_until) {
    r->paused_until = call->not_before;
  }
  if (answer.slow_down) slow_down(r, call);
}

static void succeed(struct avp_requests *r, struct avp_call *call) {
  struct avp_reply *reply = &call->transfer->reply;
  call->status = reply->status;
  memcpy(call->request_id, reply->request_id, sizeof call->request_id);
  avp_buf_move(&call->body_received, &reply->body);
  avp_call_drop(&r->shared, call);
  call->state = AVP_CALL_DONE;
  if (r->max_in_flight < r->settings.concurrency) r->max_in_flight++;
  r->shared.progress++;
}

/* 401: the token's fault, not the request's; until a fresh token is refused at once. */
static void handle_401(struct avp_requests *r, struct avp_call *call) {
  struct avp_token *token = &r->signin.token;
  bool refused = avp_token_refuse(token, call->token_generation) == AVP_TOKEN_REFUSED;
  if (refused || ++call->refusals >= REFUSALS_MAX) {
    struct avp_err err;
    avp_call_explain(call, &err);
    if (token->fixed) avp_explain_given_token(&err, &call->transfer->reply, call->url);
    fail(r, call, &err);
  } else {
    avp_call_requeue(&r->shared, call); /* tries with another token do not count */
  }
}

static void take_reply(struct avp_requests *r, struct avp_call *call) {
  const struct avp_reply *reply = &call->transfer->reply;
  int status = reply->result == CURLE_OK ? reply->status : 0;
  if (status != 0 && status != 401) avp_token_worked(&r->signin.token, call->token_generation);
  if (status == 200 || status == 204) {
    succeed(r, call);
  } else if (status == 401) {
    handle_401(r, call);
  } else {
    plan(r, call);
  }
}

static void take_finished(struct avp_requests *r) {
  struct avp_call *call;
  avp_transport_perform(r->shared.transport, r->shared.now);
  for (call = r->calls; call != NULL; call = call->next) {
    if (call->state != AVP_CALL_IN_FLIGHT || call->transfer->running) continue;
    avp_call_note_reply(&r->shared, call);
    take_reply(r, call);
  }
}

/* If no token could be had, fails all calls that wait for one. */
static void fail_for_token(struct avp_requests *r) {
  struct avp_err *why = &r->signin.failure;
  struct avp_call *call;
  if (why->kind == AVP_OK) return;
  for (call = r->calls; call != NULL; call = call->next) {
    if (call->state != AVP_CALL_QUEUED) continue;
    fail(r, call, why);
    call->err.at_sign_in = true;
    call->err.attempts = why->attempts; /* of the token request: the call itself made none */
  }
  why->kind = AVP_OK;
}

static void enforce_deadlines(struct avp_requests *r) {
  struct avp_call *call;
  for (call = r->calls; call != NULL; call = call->next) {
    int64_t due;
    if (call->state != AVP_CALL_QUEUED || call->deadline == AVP_NEVER) continue;
    due = avp_signin_ready_at(&r->signin, due_at(r, call));
    if (r->shared.now >= call->deadline) {
      fail_with(
          r, call, AVP_ERR_TIMEOUT,
          "the deadline of the listing has passed: give it more time, or go on from position");
    } else if (due >= call->deadline && due != AVP_NEVER) {
      fail_with(r, call, AVP_ERR_TIMEOUT,
                "the wait that the server asks for would pass the deadline of the listing");
    }
  }
}

static bool anyone_waits(const struct avp_requests *r) {
  const struct avp_call *call = r->calls;
  while (call != NULL && !is_open(call)) call = call->next;
  return call != NULL;
}

void avp_requests_step(struct avp_requests *r, int64_t now, int64_t wall_ms) {
  if (r->closed) return;
  r->shared.now = now;
  r->shared.wall_ms = wall_ms;
  begin_anew_after_fork(r);
  do {
    take_finished(r);
    fail_for_token(r);
    enforce_deadlines(r);
    if (!anyone_waits(r)) avp_signin_cancel(&r->signin);
  } while (send_due(r));
}

bool avp_requests_in_flight(const struct avp_requests *r) {
  return r->signin.call.transfer != NULL || count_in_flight(r) > 0;
}

void avp_requests_park(struct avp_requests *r) {
  if (r->closed) return;
  begin_anew_after_fork(r);
  requeue_all(r);
}

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

int64_t avp_requests_wake_at(const struct avp_requests *r) {
  const struct avp_call *call;
  int64_t at;
  bool may_send;
  if (r->closed) return AVP_NEVER;
  at = earlier(avp_transport_wake_at(r->shared.transport), avp_signin_wake_at(&r->signin));
  may_send = count_in_flight(r) < r->max_in_flight && !is_on_trial(r);
  for (call = r->calls; call != NULL; call = call->next) {
    if (call->state != AVP_CALL_QUEUED) continue;
    at = earlier(at, call->deadline);
    if (may_send) at = earlier(at, avp_signin_ready_at(&r->signin, due_at(r, call)));
  }
  return at;
}
