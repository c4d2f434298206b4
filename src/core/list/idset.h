/* idset.h - the ids that a listing has seen, each with a mark (drift.h).
 *
 * A GUID is kept as its 16 bytes (so two spellings of one GUID are one id), anything else as a
 * keyed 128-bit hash. The set is many small tables, each grown on its own and by little: adding
 * never pays for doubling one large table.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_IDSET_H
#define AVP_IDSET_H

#include <stdbool.h>
#include <stddef.h>

#include "../ground/hash.h"
#include "drift.h"

#define AVP_IDSET_SEGMENTS 256
#define AVP_IDSET_SLOT     21 /* bytes of a slot */

struct avp_idset_segment {
  unsigned char *slots; /* `size` of them */
  size_t size;
  size_t count; /* slots in use */
};

struct avp_idset {
  struct avp_hash_key key; /* random, so that no server can aim at one segment */
  struct avp_idset_segment segments[AVP_IDSET_SEGMENTS];
};

/* The form in which an id is kept, and where it belongs. */
struct avp_id {
  unsigned char bytes[16];
  bool hashed;     /* it was no GUID */
  uint64_t spread; /* tells its place in the set */
  uint64_t print;  /* as positions hold it: the same in every process */
};

/* Makes an empty set, or returns NULL when memory is out. */
struct avp_idset *avp_idset_new(void);
void avp_idset_free(struct avp_idset *set);

/* Reads an id. Without a set (NULL) only `print` means anything. */
struct avp_id avp_idset_id(const struct avp_idset *set, const char *text, size_t len);

/* Makes room for `count` ids, so that putting them, and no others, cannot fail. Returns false when
 * memory is out. */
bool avp_idset_reserve(struct avp_idset *set, const struct avp_id *ids, size_t count);

/* Returns the id's mark; all zero if the id is not in the set. */
struct avp_mark avp_idset_get(const struct avp_idset *set, const struct avp_id *id);

/* Sets the mark, whose era is not 0. Room must have been made. */
void avp_idset_put(struct avp_idset *set, const struct avp_id *id, const struct avp_mark *mark);

#endif
