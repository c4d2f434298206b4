/* token.h - decides when an access token is renewed and when it ends (RFC 6749 4.4, RFC 6750).
 *
 * By the clock a token is usable, then due for renewal, then expired; a 401 ends it earlier. Sends
 * nothing: signin.h fetches. `now` is in ms on any monotonic clock.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_TOKEN_H
#define AVP_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct avp_token {
  char *value;         /* the bearer token, NULL while there is none */
  bool fixed;          /* given by the user as a string: never renewed */
  bool proven;         /* answered other than 401, or already used by another process */
  uint64_t generation; /* counts tokens; 0 before the first */
  uint64_t refused;    /* hash of the token that was refused last, or 0 */
  int64_t expires_at;  /* ms; not used from here on */
  int64_t renew_at;    /* ms; fetch a new one from here on, while this one is still used */
};

/* Whether a text can be a bearer token, which goes into a header: printable ASCII without blanks
 * (RFC 6750 section 2.1). */
bool avp_token_is_valid(const char *text, size_t len);

/* Wipes and frees the value. */
void avp_token_free(struct avp_token *token);

/* Whether a request may be sent with it. */
bool avp_token_is_usable(const struct avp_token *token, int64_t now);

/* Whether to fetch another: none is usable, or it is time for an early renewal. */
bool avp_token_is_due(const struct avp_token *token, int64_t now);

/* Puts off the next early renewal after one that failed. */
void avp_token_fetch_failed(struct avp_token *token, int64_t now);

/* Replaces the token by a new one, good for `lifetime_ms` (AVP_NEVER: for ever). `fresh`: no other
 * process has used it yet. False when memory is out; the old one is then kept. */
bool avp_token_set(struct avp_token *token, const char *value, size_t len, int64_t lifetime_ms,
                   bool fresh, int64_t now);

/* Sets a token that never changes: the user's string. False when memory is out. */
bool avp_token_fix(struct avp_token *token, const char *value);

/* Whether this token is the one at hand, or the one that was refused last. */
bool avp_token_is_known(const struct avp_token *token, const char *value, size_t len);

/* Notes that a request with the token of this generation was answered by other than 401. */
void avp_token_worked(struct avp_token *token, uint64_t generation);

/* Notes a 401 to a request with the token of this generation. Discards the token if it is the
 * current one and not fixed. Returns whether to send the request again, with another token; false:
 * a fresh token was refused. */
bool avp_token_refuse(struct avp_token *token, uint64_t generation);

#endif
