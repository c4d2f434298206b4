/* signin.h - how a client gets its token: from the store, the token endpoint, or the user's
 * function.
 *
 * The client credentials grant of RFC 6749 section 4.4, with a secret in the body (section 2.3.1)
 * or a signed assertion (RFC 7523 section 2.2); or a token that the user's function returns. One
 * fetch at a time, however many calls wait:
 *
 *     idle -> looking (if there is a store) -> requesting -> replied -> idle
 *                                               |      ^
 *                                               v      |
 *                                          asking (a credential's function)
 *
 * With a function that returns the access token itself: idle -> asking -> idle.
 *
 * Calls nothing of the user's and reads no JSON: it says what it needs (avp_signin_wants, the state
 * AVP_SIGNIN_REPLIED) and goes on when the binding answers. When to renew is decided in token.h.
 * Time is an argument, in ms.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_SIGNIN_H
#define AVP_SIGNIN_H

#include "call.h"
#include "token.h"

enum avp_signin_state {
  AVP_SIGNIN_IDLE,       /* no token is being fetched */
  AVP_SIGNIN_LOOKING,    /* the binding looks into the store: supply_token, fetch or later */
  AVP_SIGNIN_ASKING,     /* the binding calls the user's function: supply, supply_token or fail */
  AVP_SIGNIN_REQUESTING, /* the token request is queued or in flight: `call` says which */
  AVP_SIGNIN_REPLIED,    /* the binding reads the reply: supply_token, refused or fail */
  AVP_SIGNIN_CLOSED
};

/* Others may read it, but not write. */
struct avp_signin {
  struct avp_shared *shared;
  enum avp_signin_state state;
  struct avp_token token; /* the one at hand, if any; requests.h notes what the server says of it */
  struct avp_call call;   /* the token request; replied: call.transfer->reply is the reply */
  int64_t since;          /* ms: when the state began */
  int64_t ask_at;         /* ms: avp_signin_wants is true from then on; 0: at once */
  char *credential;       /* secret or assertion at hand, or NULL */
  char *sent_assertion;   /* the one that was sent last, kept out of errors */
  bool asked_anew;        /* the function is asked again, or was, after a refusal */
  struct avp_err failure; /* why there is no token, for the calls that wait; AVP_OK: none */
};

/* First, what requests.h calls. */

/* Prepares a zeroed sign-in; sends nothing. False when memory is out. */
bool avp_signin_init(struct avp_signin *s, struct avp_shared *shared);

/* Cancels and wipes everything, and enters the state `closed`. May be called twice. */
void avp_signin_free(struct avp_signin *s);

/* Returns the token to send with now, or NULL while there is none. Begins a fetch, or an early
 * renewal, if it is time. */
const char *avp_signin_bearer(struct avp_signin *s);

/* Sends the token request if it is due, or takes the reply of an attempt that has ended. Returns
 * whether either happened. */
bool avp_signin_step(struct avp_signin *s);

/* Gives up the fetch that is under way, if any. */
void avp_signin_cancel(struct avp_signin *s);

/* Returns when a request that is due at `at` can have a token: at `at`, or after the wait of the
 * token request; AVP_NEVER while that is unknown. */
int64_t avp_signin_ready_at(const struct avp_signin *s, int64_t at);

/* Returns when to call avp_signin_step or avp_signin_wants at the latest, for somebody who waits
 * from `now` on; or AVP_NEVER. */
int64_t avp_signin_wake_at(const struct avp_signin *s, int64_t now);

/* Removes the token and the credentials from an error that quotes a server. */
void avp_signin_redact(const struct avp_signin *s, struct avp_err *err);

/* From here on, what the binding calls. */

#define AVP_ASK_AGAIN_MS 60000

/* Whether to look into the store, or call the user's function, now: true once, then again after
 * AVP_ASK_AGAIN_MS without an answer (the coroutine that asked may have been dropped). */
bool avp_signin_wants(struct avp_signin *s, int64_t now);

/* Answers with a secret or assertion, which is copied. False when memory is out. */
bool avp_signin_supply(struct avp_signin *s, const char *credential);

/* Answers with a token, or replaces it in any state: lifetime in ms (AVP_NEVER: for ever), `fresh`
 * as in token.h. False when memory is out. */
bool avp_signin_supply_token(struct avp_signin *s, const char *value, size_t len,
                             int64_t lifetime_ms, bool fresh, int64_t now);

/* Answers that the reply is a refusal: its `error` word and `error_description`, either may be
 * NULL. After `invalid_client` the user's function is asked once more, if one returns the
 * credential. */
void avp_signin_refused(struct avp_signin *s, const char *word, const char *description,
                        int64_t now);

/* Answers that there is no token: the user's function failed, or the reply has no such form. The
 * next step fails all calls that wait for a token. None does while the old token lives: then
 * sign-in fetches another after a while. */
void avp_signin_fail(struct avp_signin *s, const struct avp_err *err, int64_t now);

/* Answers that the store holds no token: fetches one. False if no look was wanted any more. */
bool avp_signin_fetch(struct avp_signin *s);

/* Answers that another process fetches a token. If the old one lives, returns true: the look ends
 * and is repeated after a while. Else avp_signin_wants is true again `ms` later; with 0, which
 * means that there was no answer, at once. */
bool avp_signin_later(struct avp_signin *s, int64_t ms, int64_t now);

#endif
