/* token.h - the life of one access token (RFC 6749 section 4.4, RFC 6750).
 *
 * States: none -> fetching -> valid -> (stale, then expired, by the clock) -> none. One request in
 * flight however many wait. Asks nobody for the time and sends nothing: `now` is an argument and
 * the owner makes the request when it is told to.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_TOKEN_H
#define AVP_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct avp_token {
  char *value;         /* the bearer token, NULL while there is none */
  bool fixed;          /* given by the user as a string: never renewed */
  bool fetching;       /* a request for a new one is in flight */
  bool served;         /* a request with it was answered by other than 401, or it is not fresh */
  uint64_t generation; /* counts tokens; 0 before the first */
  int64_t expires_at;  /* ms; not used from here on */
  int64_t renew_at;    /* ms; fetch a new one from here on, while this one is still used */
};

enum avp_token_advice {
  AVP_TOKEN_USE,           /* send with the token there is */
  AVP_TOKEN_USE_AND_RENEW, /* the same, and fetch a new one meanwhile */
  AVP_TOKEN_FETCH,         /* fetch one, then ask again */
  AVP_TOKEN_WAIT           /* one is being fetched: ask again when it is there */
};

enum avp_token_refusal {
  AVP_TOKEN_REPEAT, /* send again: another token is or will be there */
  AVP_TOKEN_REFUSED /* a fresh token was refused: an `auth` error */
};

/* Whether a text can be a bearer token, which goes into a header: printable ASCII without blanks
 * (RFC 6750 section 2.1). */
bool avp_token_is_valid(const char *text, size_t len);

void avp_token_init(struct avp_token *token);

/* Wipes and frees the value. */
void avp_token_free(struct avp_token *token);

/* What to do for a request that is to be sent now. */
enum avp_token_advice avp_token_advise(const struct avp_token *token, int64_t now);

/* A fetch has begun, or ended without a token (the old one is then kept while it lives, and the
 * next early renewal waits a while). */
void avp_token_fetch_began(struct avp_token *token);
void avp_token_fetch_failed(struct avp_token *token, int64_t now);

/* A new token, good for `lifetime_ms` (AVP_NEVER: for ever). `fresh` is false for one that others
 * may have used before us. False when memory is out; the old one is then kept. */
bool avp_token_set(struct avp_token *token, const char *value, size_t len, int64_t lifetime_ms,
                   bool fresh, int64_t now);

/* A request with the token of this generation was answered by other than 401. */
void avp_token_worked(struct avp_token *token, uint64_t generation);

/* A request with the token of this generation got 401. Discards the token if it is the current one
 * and not fixed. */
enum avp_token_refusal avp_token_refuse(struct avp_token *token, uint64_t generation);

/* Whether the token has proved itself: until a fresh one has served a request, only one request
 * should be sent with it, so that a refusal is known to be the token's and not a matter of order.
 */
bool avp_token_is_proven(const struct avp_token *token);

#endif
