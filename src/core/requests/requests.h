/* requests.h - the queue of one client's requests: who is sent when, and how often.
 *
 * Sends API calls in the order they were made, at most `concurrency` at a time, waits when the
 * retry rules say so, and ends calls at their deadlines. The token that they are sent with is
 * sign-in's business (signin.h). JSON is not read here, and no function of the user's is called.
 * Time is an argument.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_REQUESTS_H
#define AVP_REQUESTS_H

#include "call.h"
#include "signin.h"

/* For others to read; only what is noted as theirs may be written. */
struct avp_requests {
  struct avp_settings settings; /* with copies of all strings */
  struct avp_shared shared;     /* events: the owner switches them on and takes them */
  struct avp_signin signin;     /* the owner answers what it asks */
  bool closed;
  int references;         /* holders */
  struct avp_call *calls; /* all that are not released, oldest first */
  int max_in_flight;      /* most attempts now: 1 to settings.concurrency */
  int64_t limit_cut_at;   /* when that was last halved */
  int64_t paused_until;   /* no attempt starts before that */
};

/* Copies the settings. NULL when memory is out. The maker holds one reference. */
struct avp_requests *avp_requests_new(const struct avp_settings *settings);

/* A further reference, and the end of one; the last end frees. */
struct avp_requests *avp_requests_retain(struct avp_requests *r);
void avp_requests_release(struct avp_requests *r);

/* Ends all calls with `closed`, and all connections; wipes token and credential. Idempotent. */
void avp_requests_close(struct avp_requests *r);

/* Queues a call. `body` (NULL for a GET) is borrowed and outlives the call; `url` is copied. NULL
 * when memory is out. The caller holds the call and ends it with avp_call_release. */
struct avp_call *avp_call_new(struct avp_requests *r, const char *url, const char *body,
                              int64_t deadline);

/* Ends a call in whatever state, cancels its attempt, frees it. */
void avp_call_release(struct avp_requests *r, struct avp_call *call);

/* Moves everything on as far as it goes at `now` (ms) without waiting. `wall_ms` is the wall
 * clock, for HTTP dates. */
void avp_requests_step(struct avp_requests *r, int64_t now, int64_t wall_ms);

/* When step should be called at the latest, or AVP_NEVER. */
int64_t avp_requests_wake_at(const struct avp_requests *r);

/* Whether anything is under way on the network. */
bool avp_requests_in_flight(const struct avp_requests *r);

/* Cancels what is under way on the network: calls go back to the queue as if they had not been
 * sent, and leave with the next step. Used by nginx after a grace period without a waiter. */
void avp_requests_park(struct avp_requests *r);

#endif
