/* token.c - see token.h.
 *
 * SPDX-License-Identifier: MIT */
#include "token.h"

#include <string.h>

#include "../ground/mem.h"
#include "retry.h"

#define RENEW_AHEAD_MS 300000 /* renew this long before expiry, or a tenth of a short lifetime */
#define RENEW_AGAIN_MS 30000  /* after a failed early renewal, not before this long */

bool avp_token_is_valid(const char *text, size_t len) {
  size_t i;
  for (i = 0; i < len; i++) {
    if (text[i] < 0x21 || text[i] > 0x7e) return false;
  }
  return len > 0;
}

void avp_token_init(struct avp_token *token) { memset(token, 0, sizeof *token); }

void avp_token_free(struct avp_token *token) {
  avp_free_secret(token->value);
  token->value = NULL;
}

enum avp_token_advice avp_token_advise(const struct avp_token *token, int64_t now) {
  bool usable = token->value != NULL && now < token->expires_at;
  if (!usable) return token->fetching ? AVP_TOKEN_WAIT : AVP_TOKEN_FETCH;
  if (now >= token->renew_at && !token->fetching) return AVP_TOKEN_USE_AND_RENEW;
  return AVP_TOKEN_USE;
}

void avp_token_fetch_began(struct avp_token *token) { token->fetching = true; }

void avp_token_fetch_failed(struct avp_token *token, int64_t now) {
  token->fetching = false;
  token->renew_at = now + RENEW_AGAIN_MS;
}

static int64_t moment(int64_t now, int64_t later) {
  return later >= AVP_NEVER - now ? AVP_NEVER : now + later;
}

bool avp_token_set(struct avp_token *token, const char *value, size_t len, int64_t lifetime_ms,
                   bool fresh, int64_t now) {
  int64_t ahead = lifetime_ms / 10 < RENEW_AHEAD_MS ? lifetime_ms / 10 : RENEW_AHEAD_MS;
  char *copy = avp_alloc(len + 1);
  if (copy == NULL) return false;
  memcpy(copy, value, len);
  avp_free_secret(token->value);
  token->value = copy;
  token->fetching = false;
  token->served = !fresh;
  token->generation++;
  token->expires_at = moment(now, lifetime_ms);
  token->renew_at = lifetime_ms == AVP_NEVER ? AVP_NEVER : moment(now, lifetime_ms - ahead);
  return true;
}

void avp_token_worked(struct avp_token *token, uint64_t generation) {
  if (generation == token->generation) token->served = true;
}

static void discard(struct avp_token *token) {
  if (token->fixed) return;
  avp_free_secret(token->value);
  token->value = NULL;
}

enum avp_token_refusal avp_token_refuse(struct avp_token *token, uint64_t generation) {
  bool unused;
  if (generation != token->generation || token->value == NULL) {
    return AVP_TOKEN_REPEAT; /* an older one: the request is just sent again */
  }
  unused = !token->served;
  discard(token);
  return token->fixed || unused ? AVP_TOKEN_REFUSED : AVP_TOKEN_REPEAT;
}

bool avp_token_is_proven(const struct avp_token *token) { return token->served; }
