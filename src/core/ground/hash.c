/* hash.c - SipHash-2-4 in its 64-bit and 128-bit forms (hash.h).
 * SPDX-License-Identifier: MIT */
#include "hash.h"

#include <stdio.h>
#include <string.h>

struct sip {
  uint64_t v0, v1, v2, v3; /* the four words of state, named as in the paper */
};

static uint64_t rotl(uint64_t x, int bits) { return (x << bits) | (x >> (64 - bits)); }

static void rounds(struct sip *s, int count) {
  while (count-- > 0) {
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotl(s->v1, 13) ^ s->v0;
    s->v3 = rotl(s->v3, 16) ^ s->v2;
    s->v0 = rotl(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotl(s->v1, 17) ^ s->v2;
    s->v3 = rotl(s->v3, 21) ^ s->v0;
    s->v2 = rotl(s->v2, 32);
  }
}

/* Returns the message word of up to eight bytes, little-endian. */
static uint64_t word(const unsigned char *bytes, size_t count) {
  uint64_t w = 0;
  size_t i;
  for (i = 0; i < count; i++) w |= (uint64_t)bytes[i] << (8 * i);
  return w;
}

static void absorb(struct sip *s, uint64_t m) {
  s->v3 ^= m;
  rounds(s, 2);
  s->v0 ^= m;
}

/* Returns the state after all data. `wide`: 0xee for the 128-bit form, else 0. */
static struct sip compress(const struct avp_hash_key *key, const void *data, size_t len,
                           uint64_t wide) {
  const unsigned char *bytes = data;
  size_t left = len;
  struct sip s;
  s.v0 = key->k0 ^ UINT64_C(0x736f6d6570736575);
  s.v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d) ^ wide;
  s.v2 = key->k0 ^ UINT64_C(0x6c7967656e657261);
  s.v3 = key->k1 ^ UINT64_C(0x7465646279746573);
  for (; left >= 8; left -= 8, bytes += 8) absorb(&s, word(bytes, 8));
  absorb(&s, word(bytes, left) | (uint64_t)(len & 0xff) << 56);
  return s;
}

static uint64_t finish(struct sip *s) {
  rounds(s, 4);
  return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t avp_hash64(const struct avp_hash_key *key, const void *data, size_t len) {
  struct sip s = compress(key, data, len, 0);
  s.v2 ^= 0xff;
  return finish(&s);
}

static void put(unsigned char *out, uint64_t w) {
  int i;
  for (i = 0; i < 8; i++) out[i] = (unsigned char)(w >> (8 * i));
}

void avp_hash128(const struct avp_hash_key *key, const void *data, size_t len,
                 unsigned char out[16]) {
  struct sip s = compress(key, data, len, 0xee);
  s.v2 ^= 0xee;
  put(out, finish(&s));
  s.v1 ^= 0xdd;
  put(out + 8, finish(&s));
}

const char *avp_hash_hex(const char *text, char out[AVP_HASH_HEX]) {
  static const struct avp_hash_key key = {UINT64_C(0x6176652d746f6b65), UINT64_C(0x6e2d73746f7265)};
  unsigned char digest[16];
  size_t i;
  avp_hash128(&key, text, strlen(text), digest);
  for (i = 0; i < 16; i++) snprintf(out + 2 * i, 3, "%02x", digest[i]);
  return out;
}
