/* dispatcher_impl.h - the inside of a dispatcher, shared by its two halves: dispatcher.c (calls,
 * attempts, waits) and signin.c (the token).
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_DISPATCHER_IMPL_H
#define AVP_DISPATCHER_IMPL_H

#include "dispatcher.h"
#include "token.h"

struct avp_dispatcher {
  struct avp_settings settings; /* with copies of all strings */
  int references;               /* holders */
  bool closed;
  struct avp_transport *transport;
  struct avp_call *calls; /* all API calls that are not released, oldest first */
  int in_flight;          /* API attempts that are running */
  int limit;              /* most of them now: 1 to settings.concurrency */
  int64_t limit_cut_at;   /* when it was last halved */
  int64_t paused_until;   /* no API attempt starts before that */
  struct avp_token token;
  struct avp_call *token_call; /* the token request, or NULL */
  char *credential;            /* secret or assertion at hand, or NULL */
  char *spent;                 /* the assertion that was sent last, to be kept out of errors */
  bool at_store;               /* what is wanted is a look for a shared token */
  bool for_store;              /* the fetch that runs is owed an outcome */
  enum avp_outcome outcome;    /* of the latest such fetch, until it is taken */
  uint64_t refused;            /* hash of the token that was refused last, or 0 */
  bool wanted;                 /* the user's function has to give a credential */
  int64_t wanted_at;           /* since when */
  bool asked;                  /* somebody is calling it */
  int64_t ask_again_at;        /* whoever comes then is asked too */
  bool asked_after_refusal;    /* a refused secret was asked for anew already */
  struct avp_events events;
  uint64_t progress;
  uint64_t moment; /* number of the latest start or end of an attempt */
  uint64_t chance; /* state of the random numbers that spread delays */
  bool has_ahead;  /* a reply has told the server's clock */
  int64_t ahead;   /* ms that it was ahead of ours */
  int64_t now;     /* ms, of the latest step */
  double wall;     /* wall clock of the step that runs, seconds */
  int64_t wall_ms; /* the same in ms */
};

/* Starts one more attempt; false when memory is out (the call has then failed). */
bool avp_attempt_start(struct avp_dispatcher *d, struct avp_call *call,
                       const struct avp_request *request, int64_t now);

/* After a reply that calls for it: plans the next attempt, or explains why there is none. */
bool avp_attempt_plan(struct avp_dispatcher *d, struct avp_call *call,
                      const struct avp_reply *reply, int64_t now);

/* Ends the running attempt and frees it. */
void avp_attempt_drop(struct avp_dispatcher *d, struct avp_call *call);

/* Ends an API call with an error. */
void avp_call_fail(struct avp_dispatcher *d, struct avp_call *call, const struct avp_err *err);

struct avp_call *avp_call_alloc(const char *url, const char *body, int64_t deadline);
void avp_call_free(struct avp_call *call);

/* A hash by which a token is known again; never 0. */
uint64_t avp_token_hash(const char *value, size_t len);

/* Begins to get a token; does nothing where that is under way. */
void avp_signin_begin(struct avp_dispatcher *d, int64_t now);

/* Sends the token request if it is due and the credential is there. True if it was sent. */
bool avp_signin_send(struct avp_dispatcher *d, int64_t now);

/* Takes the reply of the token request. */
void avp_signin_reply(struct avp_dispatcher *d, int64_t now);

/* Gives up what is under way: nobody waits for it. */
void avp_signin_cancel(struct avp_dispatcher *d, int64_t now);

#endif
