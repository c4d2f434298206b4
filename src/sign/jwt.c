/* jwt.c - see jwt.h.
 *
 * SPDX-License-Identifier: MIT */
#include "jwt.h"

#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "../core/ground/mem.h"

#define CLAIMS_MAX 32768 /* bytes, before they are encoded */

static bool adds(struct avp_buf *out, const char *text) {
  return avp_buf_adds(out, text) == AVP_BUF_OK;
}

/* A text as JSON has it (RFC 8259 section 7). */
static bool add_text(struct avp_buf *out, const char *value) {
  bool done = adds(out, "\"");
  for (; done && *value != '\0'; value++) {
    unsigned char c = (unsigned char)*value;
    char escape[8];
    if (c < 0x20 || c == '"' || c == '\\') {
      snprintf(escape, sizeof escape, "\\u%04x", c);
      done = adds(out, escape);
    } else {
      done = avp_buf_add(out, value, 1) == AVP_BUF_OK;
    }
  }
  return done && adds(out, "\"");
}

/* A random UUID (RFC 9562 section 5.4). */
static bool make_jti(char out[37]) {
  unsigned char r[16];
  if (RAND_bytes(r, sizeof r) != 1) return false;
  r[6] = (unsigned char)((r[6] & 0x0f) | 0x40);
  r[8] = (unsigned char)((r[8] & 0x3f) | 0x80);
  snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0],
           r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14],
           r[15]);
  return true;
}

/* Appends bytes as base64url. */
static bool add_part(struct avp_buf *out, const void *data, size_t len) {
  char *text = avp_alloc(4 * (len + 2) / 3 + 2);
  bool done;
  if (text == NULL) return false;
  avp_base64url(data, len, text);
  done = adds(out, text);
  avp_free(text);
  return done;
}

static bool add_header(struct avp_buf *out, const struct avp_key *key) {
  char json[160];
  int len = snprintf(json, sizeof json,
                     "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"%s\",\"x5t\":\"%s\"}",
                     key->thumbprint, key->x5t);
  return add_part(out, json, (size_t)len);
}

static bool add_claims(struct avp_buf *out, const char *client_id, const char *audience,
                       int64_t now) {
  struct avp_buf json;
  char jti[37];
  char rest[192];
  bool done;
  if (!make_jti(jti)) return false;
  snprintf(rest, sizeof rest,
           ",\"jti\":\"%s\",\"nbf\":%" PRId64 ",\"iat\":%" PRId64 ",\"exp\":%" PRId64 "}", jti, now,
           now, now + AVP_JWT_LIFETIME);
  avp_buf_init(&json, CLAIMS_MAX);
  done = adds(&json, "{\"iss\":") && add_text(&json, client_id) && adds(&json, ",\"sub\":") &&
         add_text(&json, client_id) && adds(&json, ",\"aud\":") && add_text(&json, audience) &&
         adds(&json, rest) && add_part(out, json.data, json.len);
  avp_buf_free(&json);
  return done;
}

/* RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3) over what stands in `out` so far. */
static bool add_signature(struct avp_buf *out, const struct avp_key *key) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  const unsigned char *signed_part = (const unsigned char *)out->data;
  unsigned char *signature = NULL;
  size_t len = 0;
  bool done = context != NULL &&
              EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
              EVP_DigestSign(context, NULL, &len, signed_part, out->len) == 1;
  if (done) signature = avp_alloc(len);
  done = signature != NULL &&
         EVP_DigestSign(context, signature, &len, signed_part, out->len) == 1 && adds(out, ".") &&
         add_part(out, signature, len);
  avp_free(signature);
  EVP_MD_CTX_free(context);
  ERR_clear_error();
  return done;
}

bool avp_jwt_sign(const struct avp_key *key, const char *client_id, const char *audience,
                  int64_t now, struct avp_buf *out) {
  return add_header(out, key) && adds(out, ".") && add_claims(out, client_id, audience, now) &&
         add_signature(out, key);
}
