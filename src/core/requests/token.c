/* token.c - decides when a token is renewed, and what a 401 means for it (token.h).
 * SPDX-License-Identifier: MIT */
#include "token.h"

#include <string.h>

#include "../ground/hash.h"
#include "../ground/mem.h"
#include "../ground/sys.h"

#define RENEW_AHEAD_MS 300000 /* renew this long before expiry, or a tenth of a short lifetime */
#define RENEW_AGAIN_MS 30000  /* wait this long after a failed early renewal */

bool avp_token_is_valid(const char *text, size_t len) {
  size_t i;
  for (i = 0; i < len; i++) {
    if (text[i] < 0x21 || text[i] > 0x7e) return false;
  }
  return len > 0;
}

void avp_token_free(struct avp_token *token) {
  avp_free_secret(token->value);
  token->value = NULL;
}

bool avp_token_is_usable(const struct avp_token *token, int64_t now) {
  return token->value != NULL && now < token->expires_at;
}

bool avp_token_is_due(const struct avp_token *token, int64_t now) {
  return !avp_token_is_usable(token, now) || now >= token->renew_at;
}

void avp_token_fetch_failed(struct avp_token *token, int64_t now) {
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
  avp_token_free(token);
  token->value = copy;
  token->proven = !fresh;
  token->generation++;
  token->expires_at = moment(now, lifetime_ms);
  token->renew_at = lifetime_ms == AVP_NEVER ? AVP_NEVER : moment(now, lifetime_ms - ahead);
  return true;
}

bool avp_token_fix(struct avp_token *token, const char *value) {
  token->fixed = true;
  return avp_token_set(token, value, strlen(value), AVP_NEVER, true, 0);
}

/* Returns a hash that is never 0. */
static uint64_t hash_of(const char *value, size_t len) {
  static const struct avp_hash_key key = {0, 0}; /* only compared within this process */
  return avp_hash64(&key, value, len) | 1;
}

bool avp_token_is_known(const struct avp_token *token, const char *value, size_t len) {
  bool at_hand =
      token->value != NULL && strlen(token->value) == len && memcmp(token->value, value, len) == 0;
  return at_hand || hash_of(value, len) == token->refused;
}

void avp_token_worked(struct avp_token *token, uint64_t generation) {
  if (generation == token->generation) token->proven = true;
}

bool avp_token_refuse(struct avp_token *token, uint64_t generation) {
  if (generation != token->generation || token->value == NULL) return true; /* an older one */
  token->refused = hash_of(token->value, strlen(token->value));
  if (token->fixed) return false;
  avp_token_free(token);
  return token->proven;
}
