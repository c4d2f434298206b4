/* call.h - one logical request, sent as one attempt after another until it ends.
 *
 * What API calls and the token request have in common: start an attempt, plan the next one, give
 * one up. Its owner (requests.h, signin.h) decides when to send it and what its reply means.
 * States:
 *
 *     queued -> in flight -> done | failed
 *        ^          |
 *        +----------+  another attempt: after a delay, or at once with another token; or parked
 * SPDX-License-Identifier: MIT */
#ifndef AVP_CALL_H
#define AVP_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "../ground/event.h"
#include "../wire/transport.h"
#include "settings.h"

/* What all calls of a client share. */
struct avp_shared {
  const struct avp_settings *settings;
  struct avp_transport *transport;
  struct avp_events events;
  uint64_t moment;         /* counts the starts and ends of attempts */
  uint64_t progress;       /* changes whenever a waiter should look again */
  int64_t now;             /* ms, of the latest step */
  int64_t wall_ms;         /* wall clock of the latest step, ms since 1970 */
  int64_t waited;          /* ms that somebody has waited for the client: the clock of attempts */
  int64_t waits_since;     /* ms: when somebody began to wait, or AVP_NEVER */
  bool heard;              /* something came in with the latest step */
  uint64_t jitter_state;   /* of the random numbers that spread delays */
  bool knows_server_clock; /* some reply had a Date */
  int64_t server_ahead_ms; /* how far the server's clock is ahead, by the latest Date */
};

/* What a listing has cost so far; its calls add to it. */
struct avp_stats {
  long requests; /* attempts sent, those for tokens not included */
  long retries;  /* attempts that were not the first */
  double bytes;  /* received, as they came over the wire */
};

enum avp_call_state { AVP_CALL_QUEUED, AVP_CALL_IN_FLIGHT, AVP_CALL_DONE, AVP_CALL_FAILED };

struct avp_call {
  enum avp_call_state state;
  char *url;                     /* owned */
  const char *body;              /* of a POST; borrowed. NULL: a GET */
  long page;                     /* for events and errors */
  bool paced;                    /* keeps to the pace of its client (requests.h) */
  int attempts;                  /* sent so far; tries with another token do not count */
  int64_t not_before;            /* ms: the next attempt waits until then */
  int64_t deadline;              /* ms or AVP_NEVER */
  int64_t sent_at;               /* ms: when the running attempt began, */
  int64_t waited_at_start;       /* and `waited` then */
  uint64_t sent;                 /* `moment` when the latest attempt began, */
  uint64_t received;             /* and when it ended: orders all attempts of the client */
  uint64_t token_generation;     /* of the running or last attempt */
  int refusals;                  /* 401s so far */
  int excuses;                   /* attempts that were not counted, see avp_call_has_ended */
  struct avp_transfer *transfer; /* the running or finished attempt, or NULL */
  struct avp_stats *stats;       /* of its listing, or NULL */
  int status;                    /* of a call that is done */
  char request_id[128];          /* of a call that is done; may be empty */
  struct avp_buf body_received;  /* of a call that is done */
  struct avp_err err;            /* of a call that has failed */
  struct avp_call *next;         /* in its owner's list */
};

/* Fills a zeroed call, which is then queued. Copies `url`, borrows `body` (NULL for a GET);
 * `deadline` is in ms. False when memory is out. */
bool avp_call_init(struct avp_call *call, const char *url, const char *body, int64_t deadline);

/* Frees what a call without an attempt holds, but not the call. May be called twice. */
void avp_call_free(struct avp_call *call);

/* Sends `request` as the next attempt. False when memory is out or the system refuses; then nothing
 * has changed. */
bool avp_call_send(struct avp_shared *shared, struct avp_call *call,
                   const struct avp_request *request);

/* Ends the attempt that runs if it has had its time, and whatever came in has been read. */
void avp_call_enforce_timeout(struct avp_shared *shared, struct avp_call *call);

/* Returns when to call that, for somebody who waits from `now` on; AVP_NEVER if no attempt runs. */
int64_t avp_call_timeout_at(const struct avp_shared *shared, const struct avp_call *call,
                            int64_t now);

/* Whether the attempt has ended with a reply, or a failure, that the owner takes next. Notes what
 * came with it: an event, the bytes, the server's clock. One that ended through no fault of its own
 * is queued again as if it had not been sent, a few times in a call. */
bool avp_call_has_ended(struct avp_shared *shared, struct avp_call *call);

/* Ends the attempt, running or finished, and frees it. Does nothing if there is none. */
void avp_call_drop(struct avp_shared *shared, struct avp_call *call);

/* Fills the error that the finished attempt's reply is, without the token that was sent. */
void avp_call_explain(const struct avp_call *call, struct avp_err *err);

/* Takes a reply that is no success, and drops its attempt. If another attempt makes sense, queues
 * the call for it and returns true. Else returns false and fills `err`, for the owner to fail the
 * call with. Fills `answer` in either case. */
bool avp_call_plan(struct avp_shared *shared, struct avp_call *call,
                   struct avp_retry_answer *answer, struct avp_err *err);

/* Puts a call that is in flight back into the queue as if this attempt had not been sent. */
void avp_call_requeue(struct avp_shared *shared, struct avp_call *call);

/* Ends a call with an error, which is copied and gets the call's page, attempts and URL. */
void avp_call_fail(struct avp_shared *shared, struct avp_call *call, const struct avp_err *err);

#endif
