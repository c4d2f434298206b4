/* requests.c - sends, pauses, times out and ends a client's calls (requests.h).
 * SPDX-License-Identifier: MIT */
#include "requests.h"

#include <stddef.h>
#include <string.h>

#include "../ground/mem.h"
#include "../ground/sys.h"
#include "../wire/url.h"
#include "explain.h"

#define REFUSALS_MAX    100 /* 401s of one call, each for a token that had worked before */
#define START_IN_FLIGHT 4   /* more only after successes: a limit is met by few requests at once */

/* Where the settings hold strings. */
static const size_t strings[] = {
    offsetof(struct avp_settings, transfer.ca_file),
    offsetof(struct avp_settings, transfer.ca_bundle),
    offsetof(struct avp_settings, transfer.ca_dir),
    offsetof(struct avp_settings, transfer.proxy),
    offsetof(struct avp_settings, transfer.user_agent),
    offsetof(struct avp_settings, token_url),
    offsetof(struct avp_settings, client_id),
    offsetof(struct avp_settings, scope),
    offsetof(struct avp_settings, scope_source),
};
#define STRINGS (sizeof strings / sizeof strings[0])

static const char **string_at(struct avp_settings *settings, size_t i) {
  return (const char **)(void *)((char *)settings + strings[i]);
}

static bool copy_settings(struct avp_settings *own, const struct avp_settings *given) {
  bool done = true;
  size_t i;
  *own = *given;
  for (i = 0; i < STRINGS; i++) {
    const char **text = string_at(own, i);
    bool given_one = *text != NULL;
    *text = avp_strdup(*text);
    if (given_one && *text == NULL) done = false;
  }
  return done;
}

static void free_settings(struct avp_settings *own) {
  size_t i; /* wiped: the proxy may hold a password */
  for (i = 0; i < STRINGS; i++) avp_free_secret((char *)*string_at(own, i));
}

struct avp_requests *avp_requests_new(const struct avp_settings *settings) {
  struct avp_requests *r = avp_alloc(sizeof *r);
  bool done;
  if (r == NULL) return NULL;
  r->references = 1;
  r->max_in_flight =
      settings->concurrency < START_IN_FLIGHT ? settings->concurrency : START_IN_FLIGHT;
  r->shared.waits_since = AVP_NEVER;
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

/* Whether an attempt has ended and was not taken: a deadline ended it along with another. */
static bool is_one_left(const struct avp_requests *r) {
  const struct avp_call *call = r->calls;
  while (call != NULL && (call->state != AVP_CALL_IN_FLIGHT || call->transfer->running)) {
    call = call->next;
  }
  return call != NULL;
}

static bool anyone_waits(const struct avp_requests *r) {
  const struct avp_call *call = r->calls;
  while (call != NULL && !is_open(call)) call = call->next;
  return call != NULL;
}

/* Makes the connection for the first call that waits for the token, when the token's request has
 * just left. Nothing is sent on it. Whatever becomes of it, nobody is told: the call, which shares
 * it or waits for it, meets the same. Where token and service are one server, they share anyway. */
static void connect_early(struct avp_requests *r) {
  const struct avp_call *token = &r->signin.call;
  const struct avp_call *call = r->calls;
  struct avp_request request = {.only_connects = true};
  while (call != NULL && call->state != AVP_CALL_QUEUED) call = call->next;
  if (call == NULL || r->early != NULL || r->speaks_http1 || token->transfer == NULL ||
      !token->transfer->running || token->attempts > 1 ||
      avp_token_is_usable(&r->signin.token, r->shared.now) ||
      avp_url_same_server(call->url, token->url)) {
    return;
  }
  request.url = call->url;
  r->early = avp_transport_start(r->shared.transport, &request, r->shared.now);
}

static void end_early(struct avp_requests *r) {
  if (r->early != NULL) avp_transport_cancel(r->shared.transport, r->early);
  r->early = NULL;
}

/* Gives up the token, and the connection, that nobody waits for any more. The request of an early
 * renewal may end, since a listing that takes a page does not wait just then either; but not one
 * that a store is locked for. */
static void give_up_token(struct avp_requests *r) {
  const struct avp_signin *s = &r->signin;
  bool may_end = avp_token_is_usable(&s->token, r->shared.now) && !r->settings.token_store &&
                 s->state != AVP_SIGNIN_ASKING;
  if (anyone_waits(r)) return;
  end_early(r);
  if (!may_end) avp_signin_cancel(&r->signin);
}

static void requeue_all(struct avp_requests *r) {
  struct avp_call *call;
  for (call = r->calls; call != NULL; call = call->next) {
    if (call->state == AVP_CALL_IN_FLIGHT) avp_call_requeue(&r->shared, call);
  }
  avp_signin_cancel(&r->signin);
  end_early(r);
}

/* In a fork's child, queues the calls again whose attempts the parent started. */
static void begin_anew_after_fork(struct avp_requests *r) {
  if (!avp_transport_forked(r->shared.transport)) return;
  requeue_all(r);
  /* parent and child must not wait in step */
  avp_sys_random(&r->shared.jitter_state, sizeof r->shared.jitter_state);
}

static void fail(struct avp_requests *r, struct avp_call *call, const struct avp_err *err) {
  avp_call_fail(&r->shared, call, err);
  if (err->kind == AVP_ERR_FORBIDDEN) avp_explain_scope(&call->err, &r->settings);
  avp_signin_redact(&r->signin, &call->err);
}

static void fail_with(struct avp_requests *r, struct avp_call *call, enum avp_err_kind kind,
                      const char *message) {
  struct avp_err err;
  avp_err_set(&err, kind, "%s", message);
  err.retryable = kind == AVP_ERR_TIMEOUT; /* that of the listing */
  fail(r, call, &err);
  give_up_token(r);
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
  end_early(r);
  avp_transport_free(r->shared.transport);
  r->shared.transport = NULL;
}

struct avp_call *avp_call_new(struct avp_requests *r, const char *url, const char *body,
                              int64_t deadline) {
  struct avp_call *call = avp_alloc(sizeof *call);
  struct avp_call **end = &r->calls;
  if (call == NULL) return NULL;
  if (!avp_call_init(call, url, body, deadline)) {
    avp_call_release(r, call);
    return NULL;
  }
  call->paced = true;
  while (*end != NULL) end = &(*end)->next;
  *end = call;
  if (r->closed) fail_with(r, call, AVP_ERR_CLOSED, closed);
  return call;
}

void avp_call_blame(const struct avp_requests *r, const struct avp_call *call,
                    struct avp_err *err) {
  err->page = call->page;
  err->status = call->status;
  err->attempts = call->attempts;
  memcpy(err->request_id, call->request_id, sizeof err->request_id);
  avp_url_for_print(call->url, err->url, sizeof err->url);
  avp_err_body(err, call->body_received.data, call->body_received.len);
  avp_signin_redact(&r->signin, err);
}

void avp_call_release(struct avp_requests *r, struct avp_call *call) {
  struct avp_call **link = &r->calls;
  bool was_open = is_open(call);
  if (!r->closed) begin_anew_after_fork(r);
  avp_call_drop(&r->shared, call);
  while (*link != NULL && *link != call) link = &(*link)->next;
  if (*link != NULL) *link = call->next;
  avp_call_free(call);
  avp_free(call);
  if (!was_open) return;
  r->shared.progress++; /* a coroutine that waits for it must look again */
  give_up_token(r);
}

static int count_in_flight(const struct avp_requests *r) {
  const struct avp_call *call;
  int count = 0;
  for (call = r->calls; call != NULL; call = call->next) count += call->transfer != NULL;
  return count;
}

/* Whether this call tries out a fresh token. Until one request with a token has been answered, no
 * other is sent with it: so a refusal is known to be the token's. */
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
  struct avp_request request = {
      .url = call->url, .body = call->body, .content_type = "application/json", .bearer = bearer};
  call->token_generation = r->signin.token.generation;
  if (!avp_call_send(&r->shared, call, &request)) {
    fail_with(r, call, AVP_ERR_MEMORY, "out of memory or of descriptors for a request");
  }
}

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t later(int64_t a, int64_t b) { return a > b ? a : b; }

/* Returns when a queued call may be sent, by the waits for the server's sake. */
static int64_t due_at(const struct avp_requests *r, const struct avp_call *call) {
  return later(later(call->not_before, r->paused_until), r->pace.next);
}

/* Sends what is due, the token request too. Returns whether anything was sent, or has failed. */
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
    avp_pace_start(&r->pace, r->shared.now);
    send_call(r, call, bearer);
    trial = is_trial(r, call);
    sent = true;
    room--;
  }
  if (!avp_signin_step(&r->signin)) return sent;
  connect_early(r);
  return true;
}

/* The server is overloaded: sends fewer, one after the other. */
static void slow_down(struct avp_requests *r, const struct avp_call *call) {
  int64_t longest = r->settings.retry.max_wait_ms;
  bool again = call->attempts > 1;
  if (avp_pace_refusal(&r->pace, call->sent_at, again, longest, r->shared.now)) {
    r->max_in_flight = 1;
  }
}

static void plan(struct avp_requests *r, struct avp_call *call, int status) {
  struct avp_retry_answer answer;
  struct avp_err err;
  if (avp_retry_is_refusal(status)) slow_down(r, call);
  if (!avp_call_plan(&r->shared, call, &answer, &err)) {
    fail(r, call, &err);
  } else if (answer.whole_client && call->not_before > r->paused_until) {
    r->paused_until = call->not_before;
  }
}

static void succeed(struct avp_requests *r, struct avp_call *call) {
  struct avp_reply *reply = &call->transfer->reply;
  call->status = reply->status;
  memcpy(call->request_id, reply->request_id, sizeof call->request_id);
  avp_buf_move(&call->body_received, &reply->body);
  avp_call_drop(&r->shared, call);
  call->state = AVP_CALL_DONE;
  if (r->max_in_flight < r->settings.concurrency) r->max_in_flight++;
  avp_pace_success(&r->pace, r->shared.now);
  r->shared.progress++;
}

/* A 401 is the token's fault, so the call is sent again, unless a fresh token was refused. */
static void handle_401(struct avp_requests *r, struct avp_call *call) {
  struct avp_token *token = &r->signin.token;
  bool again = avp_token_refuse(token, call->token_generation);
  if (again && ++call->refusals < REFUSALS_MAX) {
    avp_call_requeue(&r->shared, call); /* tries with another token do not count */
  } else {
    struct avp_err err;
    avp_call_explain(call, &err);
    if (token->fixed) avp_explain_given_token(&err);
    fail(r, call, &err);
  }
}

static void take_reply(struct avp_requests *r, struct avp_call *call) {
  const struct avp_reply *reply = &call->transfer->reply;
  int status = reply->result == CURLE_OK ? reply->status : 0;
  if (status != 0) r->speaks_http1 = reply->http1;
  if (status != 0 && status != 401) avp_token_worked(&r->signin.token, call->token_generation);
  if (status == 200 || status == 204) {
    succeed(r, call);
  } else if (status == 401) {
    handle_401(r, call);
  } else {
    plan(r, call, status);
  }
}

static void take_finished(struct avp_requests *r) {
  struct avp_call *call;
  r->shared.heard = avp_transport_perform(r->shared.transport, r->shared.now);
  if (r->early != NULL && !r->early->running) end_early(r);
  for (call = r->calls; call != NULL; call = call->next) {
    avp_call_enforce_timeout(&r->shared, call);
  }
  for (call = r->calls; call != NULL; call = call->next) {
    if (avp_call_has_ended(&r->shared, call)) take_reply(r, call);
  }
}

/* If sign-in has failed, fails all calls that wait for a token. */
static void fail_for_token(struct avp_requests *r) {
  struct avp_err *why = &r->signin.failure;
  struct avp_call *call;
  if (why->kind == AVP_OK) return;
  for (call = r->calls; call != NULL; call = call->next) {
    if (call->state != AVP_CALL_QUEUED) continue;
    fail(r, call, why);
    call->err.at_sign_in = true;
    call->err.attempts = why->attempts; /* of the token request */
  }
  why->kind = AVP_OK;
  end_early(r);
}

/* An attempt that a deadline ends may have been on a broken connection, as if it had timed out. One
 * that was on the same connection as another's has ended with that. */
static void end_attempt(struct avp_requests *r, struct avp_call *call) {
  if (call->transfer == NULL || !call->transfer->running) return;
  avp_transport_time_out(r->shared.transport, call->transfer);
}

static void enforce_deadlines(struct avp_requests *r) {
  struct avp_call *call;
  for (call = r->calls; call != NULL; call = call->next) {
    int64_t due;
    if (!is_open(call) || call->deadline == AVP_NEVER) continue;
    due = avp_signin_ready_at(&r->signin, due_at(r, call));
    if (r->shared.now >= call->deadline) {
      end_attempt(r, call);
      fail_with(
          r, call, AVP_ERR_TIMEOUT,
          "the deadline of the listing has passed: give it more time, or go on from position");
    } else if (call->state == AVP_CALL_QUEUED && due >= call->deadline && due != AVP_NEVER) {
      fail_with(r, call, AVP_ERR_TIMEOUT,
                "the wait that the server asks for would pass the deadline of the listing");
    }
  }
}

void avp_requests_step(struct avp_requests *r, int64_t now, int64_t wall_ms) {
  if (r->closed) return;
  if (now > r->shared.waits_since) r->shared.waited += now - r->shared.waits_since;
  r->shared.waits_since = AVP_NEVER;
  r->shared.now = now;
  r->shared.wall_ms = wall_ms;
  begin_anew_after_fork(r);
  do {
    take_finished(r);
    fail_for_token(r);
    enforce_deadlines(r);
  } while (send_due(r) || is_one_left(r));
}

bool avp_requests_in_flight(const struct avp_requests *r) {
  return r->signin.call.transfer != NULL || count_in_flight(r) > 0;
}

int64_t avp_requests_paused_until(const struct avp_requests *r) {
  const struct avp_call *call;
  int64_t at = AVP_NEVER;
  if (r->closed || avp_requests_in_flight(r)) return 0;
  for (call = r->calls; call != NULL; call = call->next) {
    if (call->state != AVP_CALL_QUEUED) continue;
    at = earlier(at, avp_signin_ready_at(&r->signin, due_at(r, call)));
  }
  return at == AVP_NEVER ? 0 : at;
}

void avp_requests_park(struct avp_requests *r) {
  if (r->closed) return;
  begin_anew_after_fork(r);
  requeue_all(r);
}

int64_t avp_requests_wait(struct avp_requests *r, int64_t now) {
  const struct avp_call *call;
  int64_t at;
  bool may_send;
  if (r->closed) return AVP_NEVER;
  r->shared.waits_since = earlier(r->shared.waits_since, now);
  at = earlier(avp_transport_wake_at(r->shared.transport), avp_signin_wake_at(&r->signin, now));
  may_send = count_in_flight(r) < r->max_in_flight && !is_on_trial(r);
  for (call = r->calls; call != NULL; call = call->next) {
    if (!is_open(call)) continue;
    at = earlier(at, call->deadline);
    at = earlier(at, avp_call_timeout_at(&r->shared, call, now));
    if (call->state != AVP_CALL_QUEUED || !may_send) continue;
    at = earlier(at, avp_signin_ready_at(&r->signin, due_at(r, call)));
  }
  return at;
}
