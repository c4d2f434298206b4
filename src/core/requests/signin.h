/* signin.h - how a client gets its token and keeps it fresh.
 *
 * The client credentials grant of RFC 6749 section 4.4, with a secret in the body (section 2.3.1)
 * or a signed assertion (RFC 7523 section 2.2); or a token that the user's function returns. One
 * fetch at a time, however many wait:
 *
 *     idle -> looking (if there is a store) -> requesting -> replied -> idle
 *                                               |      ^
 *                                               v      |
 *                                          asking (a credential's function)
 *
 * With a function that returns the access token itself: idle -> asking -> idle.
 *
 * Calls nothing of the user's and reads no JSON: it says what it needs (avp_signin_wants, the state
 * AVP_SIGNIN_REPLIED) and goes on when the binding answers. Time is an argument.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_SIGNIN_H
#define AVP_SIGNIN_H

#include "call.h"
#include "token.h"

enum avp_signin_state {
  AVP_SIGNIN_IDLE,       /* no token is being fetched */
  AVP_SIGNIN_LOOKING,    /* the store is to be looked into: supply_token, fetch or later */
  AVP_SIGNIN_ASKING,     /* the user's function is to be called: supply, supply_token or fail */
  AVP_SIGNIN_REQUESTING, /* the token request is queued or in flight: `call` says which */
  AVP_SIGNIN_REPLIED,    /* its reply is to be read: supply_token, refused or fail */
  AVP_SIGNIN_CLOSED
};

/* For others to read, not to write. */
struct avp_signin {
  struct avp_shared *shared;
  enum avp_signin_state state;
  struct avp_token
      token;            /* the one at hand, if any; its owner tells it what requests with it got */
  struct avp_call call; /* the token request; replied: call.transfer->reply is the reply */
  int64_t since;        /* ms: when the state began */
  int64_t ask_at;       /* ms: avp_signin_wants is true from then on; 0: nobody was asked yet */
  char *credential;     /* secret or assertion at hand, or NULL */
  char *sent_assertion; /* the one that was sent last, to be kept out of errors */
  bool asked_anew;      /* a function was asked again already since its secret was refused */
  struct avp_err failure; /* why there is no token, for those who wait; AVP_OK: nothing failed */
};

/* For the queue of requests.
 *
 * Makes a zeroed sign-in ready; nothing is sent. False when memory is out. */
bool avp_signin_init(struct avp_signin *s, struct avp_shared *shared);

/* Cancels and wipes everything; the state is closed from then on. May be called twice. */
void avp_signin_free(struct avp_signin *s);

/* Returns the token to send with now, or NULL while there is none. Begins a fetch, or an early
 * renewal, if it is time. */
const char *avp_signin_bearer(struct avp_signin *s);

/* Moves the token request on: sends it if it is due, takes the reply of an attempt that has ended.
 * Returns whether anything of that happened. */
bool avp_signin_step(struct avp_signin *s);

/* Gives up what is under way. */
void avp_signin_cancel(struct avp_signin *s);

/* Returns when a request that is due at `at` can have a token: then, or after the wait of the token
 * request, or AVP_NEVER while a token is fetched and no moment is known. */
int64_t avp_signin_ready_at(const struct avp_signin *s, int64_t at);

/* When sign-in itself should be stepped or asked, or AVP_NEVER. */
int64_t avp_signin_wake_at(const struct avp_signin *s);

/* Takes the token and the credentials out of an error that holds a server's words. */
void avp_signin_redact(const struct avp_signin *s, struct avp_err *err);

/* For the binding.
 *
 * Whether to look into the store, or call the user's function, now: true once, then again after
 * AVP_ASK_AGAIN_MS without an answer (the coroutine that asked may have been dropped). */
#define AVP_ASK_AGAIN_MS 60000
bool avp_signin_wants(struct avp_signin *s, int64_t now);

/* The secret or assertion; copied. False when memory is out. */
bool avp_signin_supply(struct avp_signin *s, const char *credential);

/* A token with its lifetime in ms (AVP_NEVER: for ever), in any state; `fresh` as in token.h. False
 * when memory is out. */
bool avp_signin_supply_token(struct avp_signin *s, const char *value, size_t len,
                             int64_t lifetime_ms, bool fresh, int64_t now);

/* The reply is a refusal: the server's `error` word and `error_description`, or NULL. */
void avp_signin_refused(struct avp_signin *s, const char *word, const char *description,
                        int64_t now);

/* There is no token, for this reason: the user's function, or the form of the reply. The next step
 * fails all calls that wait for a token; while the old one lives, none does, and a new one is
 * fetched after a while. */
void avp_signin_fail(struct avp_signin *s, const struct avp_err *err, int64_t now);

/* The store holds no token: fetches one. False if no look was wanted any more. */
bool avp_signin_fetch(struct avp_signin *s);

/* Another process fetches one. If the old token lives, it will do: the look ends and is repeated
 * after a while; returns true. Else it is wanted again `ms` later. With `ms` 0, for whatever
 * reason there was no answer: it is wanted again at once. */
bool avp_signin_later(struct avp_signin *s, int64_t ms, int64_t now);

#endif
