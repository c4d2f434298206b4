/* requests.h - the queue of one client's requests: which is sent when, and how many at a time.
 *
 * Sends API calls in the order they were made, at most `concurrency` at a time, waits when retry.h
 * says so, and ends calls at their deadlines. signin.h gets the token they are sent with. Reads no
 * JSON and calls no function of the user's. Time is an argument.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_REQUESTS_H
#define AVP_REQUESTS_H

#include "call.h"
#include "pace.h"
#include "signin.h"

/* Others may read it; they write only what the comments allow. */
struct avp_requests {
  struct avp_settings settings; /* with copies of all strings */
  struct avp_shared shared;     /* the binding switches `events` on and takes them */
  struct avp_signin signin;     /* the binding answers what it asks */
  bool closed;
  int references;             /* holders */
  struct avp_call *calls;     /* all that are not released, oldest first */
  int max_in_flight;          /* most attempts now: 1 to settings.concurrency */
  struct avp_pace pace;       /* how fast they may follow each other */
  int64_t paused_until;       /* no attempt starts before that */
  struct avp_transfer *early; /* makes the service's connection while the token comes, or NULL */
  bool speaks_http1;          /* the service does: it would not be kept */
};

/* Makes a queue with one reference, the caller's; copies the settings. NULL when memory is out. */
struct avp_requests *avp_requests_new(const struct avp_settings *settings);

/* Adds a reference (returns `r`); ends one, and with the last closes and frees. */
struct avp_requests *avp_requests_retain(struct avp_requests *r);
void avp_requests_release(struct avp_requests *r);

/* Ends all calls with `closed`, and all connections; wipes token and credential. May be called
 * twice. */
void avp_requests_close(struct avp_requests *r);

/* Queues a call that ends at `deadline` (ms, or AVP_NEVER). Copies `url`; `body` (NULL for a GET)
 * must outlive the call. NULL when memory is out. The caller ends it with avp_call_release. */
struct avp_call *avp_call_new(struct avp_requests *r, const char *url, const char *body,
                              int64_t deadline);

/* Adds to the error of a reply that came but cannot be read what is known of the reply. */
void avp_call_blame(const struct avp_requests *r, const struct avp_call *call, struct avp_err *err);

/* Cancels a call's attempt, if one runs, and frees the call. */
void avp_call_release(struct avp_requests *r, struct avp_call *call);

/* Moves everything on as far as it goes at `now` (ms) without waiting. `wall_ms` is the wall
 * clock, for HTTP dates. */
void avp_requests_step(struct avp_requests *r, int64_t now, int64_t wall_ms);

/* Notes that somebody waits from `now` (ms) until the next step: only then the time of attempts
 * runs. Returns when to step at the latest, or AVP_NEVER. */
int64_t avp_requests_wait(struct avp_requests *r, int64_t now);

/* Returns when (ms) the next request may leave, if none is under way and those that are queued wait
 * for the server's sake; 0 if not. */
int64_t avp_requests_paused_until(const struct avp_requests *r);

/* Whether an attempt is under way on the network. */
bool avp_requests_in_flight(const struct avp_requests *r);

/* Cancels all attempts; the next step sends their calls again, as if they had not been sent. Used
 * by nginx after a grace period without a waiter. */
void avp_requests_park(struct avp_requests *r);

#endif
