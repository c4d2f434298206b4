/* dispatcher.c - calls, attempts and waits; see dispatcher.h.
 *
 * SPDX-License-Identifier: MIT */
#include "dispatcher.h"

#include <string.h>

#include "../ground/mem.h"
#include "../ground/sys.h"
#include "../wire/url.h"
#include "dispatcher_impl.h"
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

struct avp_dispatcher *avp_dispatcher_new(const struct avp_settings *settings) {
  struct avp_dispatcher *d = avp_alloc(sizeof *d);
  bool copied;
  if (d == NULL) return NULL;
  d->references = 1;
  copied = copy_settings(&d->settings, settings);
  d->limit = settings->concurrency;
  avp_token_init(&d->token);
  avp_sys_random(&d->chance, sizeof d->chance);
  d->transport = avp_transport_new(&d->settings.transfer, settings->concurrency + 2);
  if (copied && d->transport != NULL) return d;
  avp_dispatcher_release(d);
  return NULL;
}

struct avp_dispatcher *avp_dispatcher_retain(struct avp_dispatcher *d) {
  d->references++;
  return d;
}

void avp_dispatcher_release(struct avp_dispatcher *d) {
  if (d == NULL || --d->references > 0) return;
  avp_dispatcher_close(d);
  avp_events_free(&d->events);
  free_settings(&d->settings);
  avp_free(d);
}

/* In a fork's child the attempts that the parent started are not ours: they begin anew. */
static void begin_anew_after_fork(struct avp_dispatcher *d) {
  struct avp_call *call;
  if (!avp_transport_forked(d->transport)) return;
  for (call = d->calls; call != NULL; call = call->next) {
    if (call->state != AVP_CALL_IN_FLIGHT) continue;
    avp_transport_abandon(d->transport, call->transfer);
    call->transfer = NULL;
    call->state = AVP_CALL_QUEUED;
    call->attempts--;
  }
  d->in_flight = 0;
  if (d->token_call != NULL && d->token_call->transfer != NULL) {
    avp_transport_abandon(d->transport, d->token_call->transfer);
    d->token_call->transfer = NULL;
    d->token_call->state = AVP_CALL_QUEUED;
  }
  avp_sys_random(&d->chance, sizeof d->chance); /* parent and child must not wait in step */
}

void avp_dispatcher_close(struct avp_dispatcher *d) {
  struct avp_call *call;
  if (d->closed) return;
  d->closed = true;
  if (d->transport != NULL) begin_anew_after_fork(d);
  for (call = d->calls; call != NULL; call = call->next) {
    struct avp_err err;
    if (call->state == AVP_CALL_DONE || call->state == AVP_CALL_FAILED) continue;
    avp_err_set(&err, AVP_ERR_CLOSED, "the client was closed");
    avp_call_fail(d, call, &err);
  }
  avp_signin_cancel(d, 0);
  avp_transport_free(d->transport);
  d->transport = NULL;
  avp_token_free(&d->token);
  avp_free_secret(d->credential);
  avp_free_secret(d->spent);
  d->credential = d->spent = NULL;
}

bool avp_dispatcher_is_closed(const struct avp_dispatcher *d) { return d->closed; }

struct avp_call *avp_call_alloc(const char *url, const char *body, int64_t deadline) {
  struct avp_call *call = avp_alloc(sizeof *call);
  if (call == NULL) return NULL;
  call->url = avp_strdup(url);
  call->post = body != NULL;
  call->body = body;
  call->deadline = deadline;
  if (call->url != NULL) return call;
  avp_free(call);
  return NULL;
}

void avp_call_free(struct avp_call *call) {
  avp_buf_free(&call->body_received);
  avp_free(call->url);
  avp_free(call);
}

struct avp_call *avp_call_new(struct avp_dispatcher *d, const char *url, const char *body,
                              int64_t deadline) {
  struct avp_call *call = avp_call_alloc(url, body, deadline);
  struct avp_call **end = &d->calls;
  if (call == NULL) return NULL;
  while (*end != NULL) end = &(*end)->next;
  *end = call;
  if (d->closed) {
    struct avp_err err;
    avp_err_set(&err, AVP_ERR_CLOSED, "the client was closed");
    avp_call_fail(d, call, &err);
  }
  return call;
}

void avp_call_release(struct avp_dispatcher *d, struct avp_call *call) {
  struct avp_call **link = &d->calls;
  if (!d->closed) begin_anew_after_fork(d);
  if (call->state == AVP_CALL_QUEUED || call->state == AVP_CALL_IN_FLIGHT) {
    d->progress++; /* whoever waits for it, in another coroutine, has to look again */
  }
  if (call->state == AVP_CALL_IN_FLIGHT) avp_attempt_drop(d, call);
  while (*link != NULL && *link != call) link = &(*link)->next;
  if (*link != NULL) *link = call->next;
  avp_call_free(call);
}

void avp_attempt_drop(struct avp_dispatcher *d, struct avp_call *call) {
  if (call->transfer == NULL) return;
  avp_transport_cancel(d->transport, call->transfer);
  call->transfer = NULL;
  if (!call->is_token) d->in_flight--;
}

void avp_call_fail(struct avp_dispatcher *d, struct avp_call *call, const struct avp_err *err) {
  avp_attempt_drop(d, call);
  call->received = ++d->moment;
  call->err = *err;
  call->err.page = call->page;
  call->err.attempts = call->attempts;
  avp_dispatcher_redact(d, &call->err);
  if (call->is_token) avp_err_forget_token(&call->err); /* it is known to nobody yet */
  if (call->err.url[0] == '\0') {
    avp_url_for_print(call->url, call->err.url, sizeof call->err.url);
  }
  call->state = AVP_CALL_FAILED;
  d->progress++;
}

static void fail_with(struct avp_dispatcher *d, struct avp_call *call, enum avp_err_kind kind,
                      const char *message) {
  struct avp_err err;
  avp_err_set(&err, kind, "%s", message);
  err.retryable = err.past_deadline = kind == AVP_ERR_TIMEOUT; /* of the listing's time */
  avp_call_fail(d, call, &err);
}

/* xorshift64*: spreads delays; nothing secret depends on it. */
static double next_chance(struct avp_dispatcher *d) {
  uint64_t x = d->chance | 1;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  d->chance = x;
  return (double)((x * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

static struct avp_event *record(struct avp_dispatcher *d, const struct avp_call *call,
                                enum avp_event_kind kind) {
  struct avp_event *event = avp_event_add(&d->events, kind, d->wall);
  if (event == NULL) return NULL;
  event->page = call->page;
  event->attempt = call->attempts;
  event->method = call->post ? "POST" : "GET";
  avp_url_for_print(call->url, event->url, sizeof event->url);
  return event;
}

bool avp_attempt_start(struct avp_dispatcher *d, struct avp_call *call,
                       const struct avp_request *request, int64_t now) {
  struct avp_request cut = *request;
  int64_t left = call->deadline == AVP_NEVER ? AVP_NEVER : call->deadline - now;
  cut.timeout_ms = d->settings.timeout_ms < left ? d->settings.timeout_ms : left;
  call->transfer = avp_transport_start(d->transport, &cut, call, now);
  if (call->transfer == NULL) return false;
  if (!call->is_token) d->in_flight++;
  call->state = AVP_CALL_IN_FLIGHT;
  call->sent_at = now;
  call->sent = ++d->moment;
  call->attempts++;
  if (call->stats != NULL) call->stats->requests++;
  if (call->stats != NULL && call->attempts > 1) call->stats->retries++;
  record(d, call, AVP_EVENT_REQUEST);
  return true;
}

/* Sends an API call. */
static void send_call(struct avp_dispatcher *d, struct avp_call *call, int64_t now) {
  struct avp_request request;
  memset(&request, 0, sizeof request);
  request.post = call->post;
  request.url = call->url;
  request.body = call->body;
  request.body_len = call->body != NULL ? strlen(call->body) : 0;
  request.content_type = "application/json";
  request.bearer = d->token.value;
  call->token_generation = d->token.generation;
  if (!avp_attempt_start(d, call, &request, now)) {
    fail_with(d, call, AVP_ERR_MEMORY, "out of memory or of descriptors for a request");
  }
}

static bool time_is_ripe(const struct avp_dispatcher *d, const struct avp_call *call, int64_t now) {
  return now >= call->not_before && now >= d->paused_until && d->in_flight < d->limit;
}

/* Whether a token that has not proved itself is being tried. */
static bool is_on_trial(const struct avp_dispatcher *d) {
  const struct avp_call *call;
  if (avp_token_is_proven(&d->token)) return false;
  for (call = d->calls; call != NULL; call = call->next) {
    if (call->state == AVP_CALL_IN_FLIGHT && call->token_generation == d->token.generation) {
      return true;
    }
  }
  return false;
}

/* True if something was sent. */
static bool send_due(struct avp_dispatcher *d, int64_t now) {
  bool sent = false;
  struct avp_call *call;
  for (call = d->calls; call != NULL; call = call->next) {
    enum avp_token_advice advice;
    if (call->state != AVP_CALL_QUEUED || !time_is_ripe(d, call, now)) continue;
    advice = avp_token_advise(&d->token, now);
    if (advice == AVP_TOKEN_FETCH || advice == AVP_TOKEN_USE_AND_RENEW) avp_signin_begin(d, now);
    if (advice == AVP_TOKEN_FETCH || advice == AVP_TOKEN_WAIT || is_on_trial(d)) break;
    send_call(d, call, now);
    sent = true;
  }
  return avp_signin_send(d, now) || sent;
}

static void slow_down(struct avp_dispatcher *d, const struct avp_call *call, int64_t now) {
  if (call->sent_at < d->limit_cut_at) return; /* it belongs to the same burst */
  d->limit = d->limit > 1 ? d->limit / 2 : 1;
  d->limit_cut_at = now + 1; /* what was sent in this very moment belongs to it too */
}

static struct avp_retry_case case_of(struct avp_dispatcher *d, const struct avp_call *call,
                                     const struct avp_reply *reply, int64_t now) {
  struct avp_retry_case c;
  c.transport_failed = reply->result != CURLE_OK && avp_failure_may_pass(reply);
  c.status = reply->result == CURLE_OK ? reply->status : 0;
  c.attempts = call->attempts;
  c.retry_after_ms = -1;
  if (reply->result == CURLE_OK && reply->retry_after[0] != '\0') {
    c.retry_after_ms = avp_retry_after(reply->retry_after, reply->date, d->wall_ms);
  }
  c.now = now;
  c.deadline = call->deadline;
  c.chance = next_chance(d);
  return c;
}

static void plan_next(struct avp_dispatcher *d, struct avp_call *call,
                      const struct avp_retry_answer *answer, const struct avp_err *cause,
                      int64_t now) {
  struct avp_event *event = record(d, call, AVP_EVENT_RETRY);
  call->state = AVP_CALL_QUEUED;
  call->not_before = now + answer->delay_ms;
  if (answer->whole_client && !call->is_token && call->not_before > d->paused_until) {
    d->paused_until = call->not_before;
  }
  if (event != NULL)
    strncpy(event->reason, avp_err_kind_name(cause->kind), sizeof event->reason - 1);
  if (event != NULL) event->status = cause->status;
  event = answer->delay_ms > 0 ? record(d, call, AVP_EVENT_WAIT) : NULL;
  if (event == NULL) return;
  strncpy(event->reason, avp_err_kind_name(cause->kind), sizeof event->reason - 1);
  event->wait = (double)answer->delay_ms / 1000;
}

/* Explains the running attempt's reply, without the token that was sent with it. */
static void explain(const struct avp_call *call, const struct avp_reply *reply,
                    struct avp_err *err) {
  if (reply->result != CURLE_OK) {
    avp_explain_failure(err, reply, call->url);
  } else {
    avp_explain_status(err, reply, call->url);
  }
  avp_err_redact(err, call->transfer->bearer);
}

bool avp_attempt_plan(struct avp_dispatcher *d, struct avp_call *call,
                      const struct avp_reply *reply, int64_t now) {
  struct avp_retry_case c = case_of(d, call, reply, now);
  struct avp_retry_answer answer = avp_retry_decide(&d->settings.retry, &c);
  struct avp_err err;
  explain(call, reply, &err);
  if (c.retry_after_ms >= 0) err.retry_after = (double)c.retry_after_ms / 1000;
  if (answer.slow_down && !call->is_token) slow_down(d, call, now);
  avp_attempt_drop(d, call);
  if (answer.verdict == AVP_RETRY_WAIT) {
    plan_next(d, call, &answer, &err, now);
    return true;
  }
  if (now >= call->deadline) {
    avp_err_set(&err, AVP_ERR_TIMEOUT,
                "the deadline of the listing has passed in mid-request: give it more "
                "time, or go on from position");
    err.retryable = true;
  } else {
    avp_explain_verdict(&err, &answer, &d->settings.retry, call->attempts);
  }
  if (answer.verdict == AVP_RETRY_PAST_DEADLINE || now >= call->deadline) {
    err.kind = AVP_ERR_TIMEOUT;
    err.past_deadline = true;
  }
  avp_call_fail(d, call, &err);
  return false;
}

static void succeed(struct avp_dispatcher *d, struct avp_call *call, struct avp_reply *reply) {
  call->received = ++d->moment;
  call->status = reply->status;
  memcpy(call->request_id, reply->request_id, sizeof call->request_id);
  avp_buf_move(&call->body_received, &reply->body);
  avp_attempt_drop(d, call);
  call->state = AVP_CALL_DONE;
  if (d->limit < d->settings.concurrency) d->limit++;
  d->progress++;
}

/* 401: the token's fault, not the request's; until a fresh token is refused at once. */
static void handle_401(struct avp_dispatcher *d, struct avp_call *call,
                       const struct avp_reply *reply) {
  bool current = call->token_generation == d->token.generation && d->token.value != NULL;
  enum avp_token_refusal refusal;
  if (current) d->refused = avp_token_hash(d->token.value, strlen(d->token.value));
  refusal = avp_token_refuse(&d->token, call->token_generation);
  if (refusal == AVP_TOKEN_REFUSED || ++call->refusals >= REFUSALS_MAX) {
    struct avp_err err;
    explain(call, reply, &err);
    if (d->token.fixed) avp_explain_given_token(&err, reply, call->url);
    avp_call_fail(d, call, &err);
    return;
  }
  avp_attempt_drop(d, call);
  call->attempts--; /* tries with another token do not count */
  call->state = AVP_CALL_QUEUED;
}

static void note_clock(struct avp_dispatcher *d, const struct avp_reply *reply) {
  int64_t seconds = reply->date[0] != '\0' ? (int64_t)curl_getdate(reply->date, NULL) : -1;
  if (seconds < 0) return;
  d->has_ahead = true;
  d->ahead = seconds * 1000 - d->wall_ms;
}

bool avp_dispatcher_server_ahead(const struct avp_dispatcher *d, int64_t *ms) {
  *ms = d->ahead;
  return d->has_ahead;
}

static void finish_attempt(struct avp_dispatcher *d, struct avp_call *call, int64_t now) {
  struct avp_reply *reply = &call->transfer->reply;
  struct avp_event *event = record(d, call, AVP_EVENT_RESPONSE);
  bool whole = reply->result == CURLE_OK;
  note_clock(d, reply);
  if (event != NULL) {
    event->status = reply->status;
    event->bytes = reply->bytes;
    event->seconds = reply->seconds;
  }
  if (call->is_token) {
    avp_signin_reply(d, now);
    return;
  }
  if (call->stats != NULL) call->stats->bytes += reply->bytes;
  if (whole && reply->status != 401) avp_token_worked(&d->token, call->token_generation);
  if (whole && (reply->status == 200 || reply->status == 204)) {
    succeed(d, call, reply);
  } else if (whole && reply->status == 401) {
    handle_401(d, call, reply);
  } else {
    avp_attempt_plan(d, call, reply, now);
  }
}

/* The earliest moment at which a queued call may be sent, as far as waits are concerned. */
static int64_t due_at(const struct avp_dispatcher *d, const struct avp_call *call) {
  int64_t due = call->not_before > d->paused_until ? call->not_before : d->paused_until;
  if (d->token.value == NULL && d->token_call != NULL && d->token_call->state == AVP_CALL_QUEUED &&
      d->token_call->not_before > due) {
    due = d->token_call->not_before;
  }
  return due;
}

static void enforce_deadlines(struct avp_dispatcher *d, int64_t now) {
  struct avp_call *call;
  for (call = d->calls; call != NULL; call = call->next) {
    if (call->state != AVP_CALL_QUEUED || call->deadline == AVP_NEVER) continue;
    if (now >= call->deadline) {
      fail_with(
          d, call, AVP_ERR_TIMEOUT,
          "the deadline of the listing has passed: give it more time, or go on from position");
    } else if (due_at(d, call) >= call->deadline) {
      fail_with(d, call, AVP_ERR_TIMEOUT,
                "the wait that the server asks for would pass the deadline of the listing");
    }
  }
}

static bool anyone_waits(const struct avp_dispatcher *d) {
  const struct avp_call *call = d->calls;
  while (call != NULL && call->state != AVP_CALL_QUEUED && call->state != AVP_CALL_IN_FLIGHT) {
    call = call->next;
  }
  return call != NULL;
}

void avp_dispatcher_step(struct avp_dispatcher *d, int64_t now, int64_t wall_ms) {
  bool sent = true;
  if (d->closed) return;
  d->now = now;
  d->wall_ms = wall_ms;
  d->wall = (double)wall_ms / 1000;
  begin_anew_after_fork(d);
  while (sent) {
    struct avp_transfer *transfer;
    avp_transport_perform(d->transport, now);
    for (transfer = avp_transport_next_done(d->transport); transfer != NULL;
         transfer = avp_transport_next_done(d->transport)) {
      finish_attempt(d, transfer->owner, now);
    }
    enforce_deadlines(d, now);
    if (!anyone_waits(d)) avp_signin_cancel(d, now);
    sent = send_due(d, now);
  }
}

bool avp_dispatcher_in_flight(const struct avp_dispatcher *d) {
  return d->in_flight > 0 || (d->token_call != NULL && d->token_call->transfer != NULL);
}

void avp_dispatcher_park(struct avp_dispatcher *d, int64_t now) {
  struct avp_call *call;
  if (d->closed) return;
  begin_anew_after_fork(d);
  for (call = d->calls; call != NULL; call = call->next) {
    if (call->state != AVP_CALL_IN_FLIGHT) continue;
    avp_attempt_drop(d, call);
    call->state = AVP_CALL_QUEUED;
    call->attempts--;
  }
  avp_signin_cancel(d, now);
}

/* Whether a call that is sent at `due` will have to wait for a token that is being fetched. */
static bool waits_for_token(const struct avp_dispatcher *d, int64_t due) {
  int64_t at = due > d->now ? due : d->now;
  return d->token.fetching && (d->token.value == NULL || at >= d->token.expires_at);
}

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

int64_t avp_dispatcher_wake_at(const struct avp_dispatcher *d) {
  int64_t at = AVP_NEVER;
  const struct avp_call *call;
  if (d->closed) return AVP_NEVER;
  if (avp_dispatcher_token_reply(d) != NULL) return d->now; /* nothing else will wake its reader */
  at = avp_transport_wake_at(d->transport);
  for (call = d->calls; call != NULL; call = call->next) {
    if (call->state != AVP_CALL_QUEUED) continue;
    at = earlier(at, call->deadline);
    if (d->in_flight < d->limit && !waits_for_token(d, due_at(d, call)) && !is_on_trial(d)) {
      at = earlier(at, due_at(d, call));
    }
  }
  if (d->token_call != NULL && d->token_call->state == AVP_CALL_QUEUED && !d->wanted) {
    at = earlier(at, d->token_call->not_before);
  }
  if (d->asked) at = earlier(at, d->ask_again_at);
  return at;
}

void avp_dispatcher_redact(const struct avp_dispatcher *d, struct avp_err *err) {
  avp_err_redact(err, d->token.value);
  avp_err_redact(err, d->credential);
  avp_err_redact(err, d->spent);
}

uint64_t avp_dispatcher_progress(const struct avp_dispatcher *d) { return d->progress; }

const struct avp_settings *avp_dispatcher_settings(const struct avp_dispatcher *d) {
  return &d->settings;
}

struct avp_transport *avp_dispatcher_transport(struct avp_dispatcher *d) {
  return d->transport; /* which goes with the dispatcher */
}

struct avp_events *avp_dispatcher_events(struct avp_dispatcher *d) {
  return &d->events; /* the same */
}
