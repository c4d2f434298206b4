/* call.c - starts, plans and ends the attempts of a request (call.h).
 * SPDX-License-Identifier: MIT */
#include "call.h"

#include <string.h>

#include "../ground/mem.h"
#include "../wire/url.h"
#include "explain.h"

#define EXCUSES_MAX 3 /* of one call: nothing is sent again without end */

bool avp_call_init(struct avp_call *call, const char *url, const char *body, int64_t deadline) {
  call->url = avp_strdup(url);
  call->body = body;
  call->deadline = deadline;
  return call->url != NULL;
}

void avp_call_free(struct avp_call *call) {
  avp_buf_free(&call->body_received);
  avp_free(call->url);
  call->url = NULL;
}

static struct avp_event *record(struct avp_shared *shared, const struct avp_call *call,
                                enum avp_event_kind kind) {
  struct avp_event *event = avp_event_add(&shared->events, kind, (double)shared->wall_ms / 1000);
  if (event == NULL) return NULL;
  event->page = call->page;
  event->attempt = call->attempts;
  event->method = call->body != NULL ? "POST" : "GET";
  avp_url_for_print(call->url, event->url, sizeof event->url);
  return event;
}

bool avp_call_send(struct avp_shared *shared, struct avp_call *call,
                   const struct avp_request *request) {
  call->transfer = avp_transport_start(shared->transport, request, shared->now);
  if (call->transfer == NULL) return false;
  call->state = AVP_CALL_IN_FLIGHT;
  call->sent_at = shared->now;
  call->waited_at_start = shared->waited;
  call->sent = ++shared->moment;
  call->attempts++;
  if (call->stats != NULL) call->stats->requests++;
  if (call->stats != NULL && call->attempts > 1) call->stats->retries++;
  record(shared, call, AVP_EVENT_REQUEST);
  return true;
}

static void note_clock(struct avp_shared *shared, const struct avp_reply *reply) {
  int64_t seconds = avp_retry_date(reply->date);
  if (seconds < 0) return;
  shared->knows_server_clock = true;
  shared->server_ahead_ms = seconds * 1000 - shared->wall_ms;
}

int64_t avp_call_timeout_at(const struct avp_shared *shared, const struct avp_call *call,
                            int64_t now) {
  if (call->transfer == NULL || !call->transfer->running) return AVP_NEVER;
  return now + call->waited_at_start + shared->settings->timeout_ms - shared->waited;
}

/* Something that comes in may be for this attempt: then it is given another step. But bytes that
 * never end give nobody more than twice the time. */
void avp_call_enforce_timeout(struct avp_shared *shared, struct avp_call *call) {
  int64_t over = -avp_call_timeout_at(shared, call, 0);
  if (over < 0 || (shared->heard && over < shared->settings->timeout_ms)) return;
  avp_transport_time_out(shared->transport, call->transfer);
}

static void note_reply(struct avp_shared *shared, struct avp_call *call) {
  const struct avp_reply *reply = &call->transfer->reply;
  struct avp_event *event = record(shared, call, AVP_EVENT_RESPONSE);
  call->received = ++shared->moment;
  note_clock(shared, reply);
  if (call->stats != NULL) call->stats->bytes += reply->bytes;
  if (event == NULL) return;
  event->status = reply->status;
  event->bytes = reply->bytes;
  event->seconds = reply->seconds;
}

/* Whether libcurl says that connecting took too long, while hardly anybody waited: it reads the
 * clock before the socket, so after a slow loop body that may not be so. */
static bool is_early(const struct avp_shared *shared, const struct avp_call *call) {
  int64_t limit = shared->settings->transfer.connect_timeout_ms;
  if (shared->settings->timeout_ms < limit) limit = shared->settings->timeout_ms;
  return call->transfer->reply.result == CURLE_OPERATION_TIMEDOUT &&
         shared->waited - call->waited_at_start < limit / 2;
}

/* Whether the attempt that has ended does not count: it ended for another's sake, or early. */
static bool is_excused(const struct avp_shared *shared, const struct avp_call *call) {
  const struct avp_reply *reply = &call->transfer->reply;
  bool had_its_time = reply->result == CURLE_OPERATION_TIMEDOUT &&
                      shared->waited - call->waited_at_start >= shared->settings->timeout_ms;
  return (reply->uncounted || is_early(shared, call)) && !had_its_time;
}

bool avp_call_has_ended(struct avp_shared *shared, struct avp_call *call) {
  if (call->state != AVP_CALL_IN_FLIGHT || call->transfer->running) return false;
  if (is_excused(shared, call) && call->excuses++ < EXCUSES_MAX) {
    avp_call_requeue(shared, call);
    return false;
  }
  note_reply(shared, call);
  return true;
}

void avp_call_drop(struct avp_shared *shared, struct avp_call *call) {
  if (call->transfer == NULL) return;
  avp_transport_cancel(shared->transport, call->transfer);
  call->transfer = NULL;
}

void avp_call_explain(const struct avp_call *call, struct avp_err *err) {
  const struct avp_reply *reply = &call->transfer->reply;
  if (reply->result != CURLE_OK) {
    avp_explain_failure(err, reply, call->url);
  } else {
    avp_explain_status(err, reply, call->url);
  }
  avp_err_redact(err, call->transfer->bearer);
}

/* Returns a random number, 0 <= x < 1 (xorshift64*). It spreads delays; no secret depends on it. */
static double next_chance(struct avp_shared *shared) {
  uint64_t x = shared->jitter_state | 1;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  shared->jitter_state = x;
  return (double)((x * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

static struct avp_retry_case case_of(struct avp_shared *shared, const struct avp_call *call) {
  const struct avp_reply *reply = &call->transfer->reply;
  bool whole = reply->result == CURLE_OK;
  struct avp_retry_case c;
  c.transport_failed = !whole && avp_failure_may_pass(reply);
  c.status = whole ? reply->status : 0;
  c.attempts = call->attempts;
  c.paced = call->paced;
  c.retry_after_ms = -1;
  if (whole && reply->retry_after[0] != '\0') {
    c.retry_after_ms = avp_retry_after(reply->retry_after, reply->date, shared->wall_ms);
  }
  c.now = shared->now;
  c.deadline = call->deadline;
  c.chance = next_chance(shared);
  return c;
}

static void queue_again(struct avp_shared *shared, struct avp_call *call, int64_t delay_ms,
                        const struct avp_err *cause) {
  struct avp_event *event = record(shared, call, AVP_EVENT_RETRY);
  if (event != NULL) {
    event->status = cause->status;
    event->reason = avp_err_kind_name(cause->kind);
  }
  event = delay_ms > 0 ? record(shared, call, AVP_EVENT_WAIT) : NULL;
  if (event != NULL) {
    event->wait = (double)delay_ms / 1000;
    event->reason = avp_err_kind_name(cause->kind);
  }
  call->state = AVP_CALL_QUEUED;
  call->not_before = shared->now + delay_ms;
}

bool avp_call_plan(struct avp_shared *shared, struct avp_call *call,
                   struct avp_retry_answer *answer, struct avp_err *err) {
  struct avp_retry_case c = case_of(shared, call);
  *answer = avp_retry_decide(&shared->settings->retry, &c);
  avp_call_explain(call, err);
  if (c.retry_after_ms >= 0) err->retry_after = (double)c.retry_after_ms / 1000;
  avp_call_drop(shared, call);
  if (answer->verdict == AVP_RETRY_WAIT) {
    queue_again(shared, call, answer->delay_ms, err);
    return true;
  }
  avp_explain_verdict(err, answer, &shared->settings->retry, call->attempts);
  if (answer->verdict == AVP_RETRY_PAST_DEADLINE) err->kind = AVP_ERR_TIMEOUT;
  return false;
}

void avp_call_requeue(struct avp_shared *shared, struct avp_call *call) {
  avp_call_drop(shared, call);
  call->state = AVP_CALL_QUEUED;
  call->attempts--;
}

void avp_call_fail(struct avp_shared *shared, struct avp_call *call, const struct avp_err *err) {
  avp_call_drop(shared, call);
  call->err = *err;
  call->err.page = call->page;
  call->err.attempts = call->attempts;
  if (call->err.url[0] == '\0') {
    avp_url_for_print(call->url, call->err.url, sizeof call->err.url);
  }
  call->state = AVP_CALL_FAILED;
  shared->progress++;
}
