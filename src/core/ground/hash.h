/* hash.h - SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash of 64 or 128 bits.
 *
 * The key makes it impossible for a server to choose ids that collide.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_HASH_H
#define AVP_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct avp_hash_key {
  uint64_t k0;
  uint64_t k1;
};

/* Writes the 128-bit hash of `len` bytes to `out`. */
void avp_hash128(const struct avp_hash_key *key, const void *data, size_t len,
                 unsigned char out[16]);

/* Returns the 64-bit hash of `len` bytes. */
uint64_t avp_hash64(const struct avp_hash_key *key, const void *data, size_t len);

/* Returns a 64-bit hash of 16 bytes, several times as fast: for ids, of which there are many. It is
 * no SipHash, but without the key nobody can aim at a value. */
static inline uint64_t avp_hash_id(const struct avp_hash_key *key, const unsigned char bytes[16]) {
  uint64_t words[2];
  uint64_t h;
  memcpy(words, bytes, sizeof words);
  h = (words[0] ^ key->k0) * UINT64_C(0xff51afd7ed558ccd);
  h = (h ^ (h >> 32) ^ words[1] ^ key->k1) * UINT64_C(0xc4ceb9fe1a85ec53);
  h = (h ^ (h >> 29)) * UINT64_C(0x9e3779b97f4a7c15);
  return h ^ (h >> 32);
}

/* Returns the value of a hexadecimal digit, or -1. */
static inline int avp_hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

#define AVP_HASH_HEX 33 /* hexadecimal digits and a NUL */

/* Writes the 128-bit hash of a string as hexadecimal digits, under a fixed key: the same in every
 * process. Returns `out`. */
const char *avp_hash_hex(const char *text, char out[AVP_HASH_HEX]);

#endif
