/* hash.h - SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash of 64 or 128 bits.
 *
 * The key makes it impossible for a server to choose ids that collide.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_HASH_H
#define AVP_HASH_H

#include <stddef.h>
#include <stdint.h>

struct avp_hash_key {
  uint64_t k0;
  uint64_t k1;
};

/* The 128-bit form; `out` gets 16 bytes. */
void avp_hash128(const struct avp_hash_key *key, const void *data, size_t len,
                 unsigned char out[16]);

/* The 64-bit form. */
uint64_t avp_hash64(const struct avp_hash_key *key, const void *data, size_t len);

#endif
