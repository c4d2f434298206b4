/* dispatcher.h - the requests of one client: who is sent when, with which token, and how often.
 *
 * A call is one logical request. The dispatcher sends it as attempts through the transport, in the
 * order the calls were made, at most `concurrency` at a time, waits where the retry rules say so,
 * and keeps one token fresh for all. States of a call:
 *
 *     queued -> in flight -> done | failed
 *        ^          |
 *        +----------+  another attempt: after a delay, or at once with another token; or parked
 *
 * JSON is not read here: a token reply is handed out as bytes and comes back as a token. Nor is
 * anything of the user's called: where the user's function has to give a credential, the
 * dispatcher says so (avp_dispatcher_wants) and goes on when it is supplied. Time is an argument.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_DISPATCHER_H
#define AVP_DISPATCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "../ground/event.h"
#include "../wire/transport.h"
#include "retry.h"

enum avp_credential {
  AVP_CREDENTIAL_SECRET,    /* client id and secret (RFC 6749 section 2.3.1) */
  AVP_CREDENTIAL_ASSERTION, /* a signed JWT (RFC 7523 section 2.2) */
  AVP_CREDENTIAL_TOKEN      /* the access token itself */
};

struct avp_settings {
  struct avp_transfer_settings transfer;
  const char *token_url;
  const char *client_id; /* may be NULL with AVP_CREDENTIAL_TOKEN and _ASSERTION */
  const char *scope;
  enum avp_credential credential;
  bool credential_is_function; /* asked for through avp_dispatcher_wants */
  bool token_store;            /* before a fetch, look where processes share tokens */
  int64_t timeout_ms;          /* per attempt */
  struct avp_retry_policy retry;
  int concurrency; /* most attempts in flight */
};

/* What a listing has cost so far. */
struct avp_stats {
  long requests; /* attempts sent, those for tokens not included */
  long retries;  /* attempts that were not the first */
  double bytes;  /* received, as they came over the wire */
};

enum avp_call_state { AVP_CALL_QUEUED, AVP_CALL_IN_FLIGHT, AVP_CALL_DONE, AVP_CALL_FAILED };

struct avp_call {
  enum avp_call_state state;
  bool post;                     /* POST with `body`, else GET */
  bool is_token;                 /* the dispatcher's own token request */
  char *url;                     /* owned */
  const char *body;              /* borrowed from whoever made the call */
  long page;                     /* for events and errors */
  int attempts;                  /* sent so far; tries with another token do not count */
  int64_t not_before;            /* ms: the next attempt waits until then */
  int64_t deadline;              /* ms or AVP_NEVER */
  int64_t sent_at;               /* ms: when the running attempt began */
  uint64_t sent;                 /* moments of the client: when the latest attempt left, and when */
  uint64_t received;             /* the call ended; each such moment has a number of its own */
  uint64_t token_generation;     /* of the running or last attempt */
  int refusals;                  /* 401s so far */
  struct avp_transfer *transfer; /* while in flight */
  struct avp_stats *stats;       /* of its listing, or NULL */
  int status;                    /* of a call that is done */
  char request_id[128];          /* of a call that is done; may be empty */
  struct avp_buf body_received;  /* of a call that is done */
  struct avp_err err;            /* of a call that has failed */
  struct avp_call *next;         /* in the dispatcher's list, oldest first */
};

struct avp_dispatcher;

/* Copies the settings. NULL when memory is out. The maker holds one reference. */
struct avp_dispatcher *avp_dispatcher_new(const struct avp_settings *settings);

/* A further reference, and the end of one; the last end frees. */
struct avp_dispatcher *avp_dispatcher_retain(struct avp_dispatcher *d);
void avp_dispatcher_release(struct avp_dispatcher *d);

/* Ends all calls with `closed`, and all connections; wipes token and credential. Idempotent. */
void avp_dispatcher_close(struct avp_dispatcher *d);
bool avp_dispatcher_is_closed(const struct avp_dispatcher *d);

/* Queues a call. `body` (NULL for a GET) is borrowed and outlives the call; `url` is copied. NULL
 * when memory is out. The caller holds the call and ends it with avp_call_release. */
struct avp_call *avp_call_new(struct avp_dispatcher *d, const char *url, const char *body,
                              int64_t deadline);

/* Ends a call in whatever state, cancels its attempt, frees it. */
void avp_call_release(struct avp_dispatcher *d, struct avp_call *call);

/* Moves everything on as far as it goes at `now` (ms) without waiting. `wall_ms` is the wall
 * clock, for HTTP dates. */
void avp_dispatcher_step(struct avp_dispatcher *d, int64_t now, int64_t wall_ms);

/* Whether anything is under way on the network. */
bool avp_dispatcher_in_flight(const struct avp_dispatcher *d);

/* Cancels what is under way on the network; calls go back to the queue as if it had not been sent,
 * and leave with the next step. For a host that must suppose that nobody waits any more. */
void avp_dispatcher_park(struct avp_dispatcher *d, int64_t now);

/* When step should be called at the latest, or AVP_NEVER. */
int64_t avp_dispatcher_wake_at(const struct avp_dispatcher *d);

/* Counts whatever may let a waiting listing go on: a call that ended, a credential that is
 * wanted, a token reply. Unchanged means: nothing to do for anybody. */
uint64_t avp_dispatcher_progress(const struct avp_dispatcher *d);

/* The settings that were copied. */
const struct avp_settings *avp_dispatcher_settings(const struct avp_dispatcher *d);

/* The transport, for its descriptor and for waiting. */
struct avp_transport *avp_dispatcher_transport(struct avp_dispatcher *d);

/* Whether the user's function is to be called now. True once per need: the caller who gets true
 * owes one of the answers below. After AVP_ASK_AGAIN_MS without an answer
 * (the coroutine that asked may have been dropped) the next caller is asked. */
#define AVP_ASK_AGAIN_MS 60000 /* ms */
bool avp_dispatcher_wants(struct avp_dispatcher *d, int64_t now);

/* Whether what is wanted is a look into the place where processes share their tokens: nothing else
 * is known to be needed before. The answer is avp_dispatcher_supply_token (with what was found),
 * avp_dispatcher_fetch_token (nothing there), or avp_dispatcher_leave_token (another process is
 * fetching one). */
bool avp_dispatcher_wants_store(const struct avp_dispatcher *d);

/* The token is to be fetched from its endpoint; avp_dispatcher_take_outcome will tell how that
 * ended. False, and nothing happens, where no look is wanted any more. */
bool avp_dispatcher_fetch_token(struct avp_dispatcher *d, int64_t now);

/* The old token will do for a while: an early renewal is left to another process. False where
 * there is no usable token; then nothing has changed. */
bool avp_dispatcher_leave_token(struct avp_dispatcher *d, int64_t now);

/* How avp_dispatcher_fetch_token ended, told once. FETCHED: the token is avp_dispatcher_token. */
enum avp_outcome { AVP_OUTCOME_NONE, AVP_OUTCOME_FETCHED, AVP_OUTCOME_FAILED };
enum avp_outcome avp_dispatcher_take_outcome(struct avp_dispatcher *d);

/* The token there is, or NULL, and how many ms it lives from `now` on (AVP_NEVER: for ever). */
const char *avp_dispatcher_token(const struct avp_dispatcher *d, int64_t now, int64_t *lifetime_ms);

/* Whether this token is the one at hand, or the one that was refused last: no news. */
bool avp_dispatcher_knows_token(const struct avp_dispatcher *d, const char *value, size_t len);

/* The secret or assertion that was wanted. Copied. False when memory is out. */
bool avp_dispatcher_supply(struct avp_dispatcher *d, const char *credential);

/* The user's function gave no credential: fails all calls that wait for a token. */
void avp_dispatcher_supply_failed(struct avp_dispatcher *d, const struct avp_err *err, int64_t now);

/* The function was called but raised: whoever waits next is asked again. */
void avp_dispatcher_ask_again(struct avp_dispatcher *d);

/* There is no answer yet: whoever waits `ms` later is asked again. */
void avp_dispatcher_ask_later(struct avp_dispatcher *d, int64_t ms, int64_t now);

/* For how long what is wanted has been wanted. */
int64_t avp_dispatcher_wanted_ms(const struct avp_dispatcher *d, int64_t now);

/* A token with its lifetime in ms (AVP_NEVER if unlimited), as the answer to a token reply or to
 * avp_dispatcher_wants. `fresh` as in token.h. False when memory is out. */
bool avp_dispatcher_supply_token(struct avp_dispatcher *d, const char *value, size_t len,
                                 int64_t lifetime_ms, bool fresh, int64_t now);

/* A token that never changes: the user's string. False when memory is out. */
bool avp_dispatcher_fix_token(struct avp_dispatcher *d, const char *value);

/* The reply of the token endpoint, if one waits to be read, or NULL. Valid until it is answered:
 * with avp_dispatcher_supply_token, or with one of the two below, which fail all calls that wait
 * for a token (while the old token lives, none does). */
const struct avp_reply *avp_dispatcher_token_reply(const struct avp_dispatcher *d);

/* It is a refusal: the server's `error` word and `error_description`, NULL where absent. */
void avp_dispatcher_token_refused(struct avp_dispatcher *d, const char *word,
                                  const char *description, int64_t now);

/* It is a success of the wrong form (`kind` is protocol or limit); `what` says what is wrong. */
void avp_dispatcher_token_garbled(struct avp_dispatcher *d, enum avp_err_kind kind,
                                  const char *what, int64_t now);

/* How far the server's clock, by the Date of the latest reply, is ahead of ours, in ms. False while
 * no reply has told. */
bool avp_dispatcher_server_ahead(const struct avp_dispatcher *d, int64_t *ms);

/* Takes the token and the credential out of an error that holds a server's words. */
void avp_dispatcher_redact(const struct avp_dispatcher *d, struct avp_err *err);

/* Events, oldest first, if recording is on. */
struct avp_events *avp_dispatcher_events(struct avp_dispatcher *d);

#endif
