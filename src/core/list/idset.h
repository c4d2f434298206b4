/* idset.h - the ids that a listing has seen, and in which sweep it saw them last.
 *
 * A GUID is kept as its 16 bytes (so two spellings of one GUID are one id), anything else as a
 * keyed 128-bit hash. The set is many small tables, each grown on its own: adding never pays for
 * doubling one large table.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_IDSET_H
#define AVP_IDSET_H

#include <stdbool.h>
#include <stddef.h>

#include "../ground/hash.h"

#define AVP_IDSET_SEGMENTS 256

struct avp_idset_segment {
  unsigned char *slots; /* `size` slots: the key, sweep and kind (0: empty), then the window */
  size_t size;          /* slots; a power of two, or 0 */
  size_t count;         /* slots in use */
  size_t reserved;      /* slots promised by avp_idset_reserve and not yet used */
};

struct avp_idset {
  struct avp_hash_key key; /* random, so that nobody can aim at one segment */
  size_t count;            /* ids in the set */
  struct avp_idset_segment segments[AVP_IDSET_SEGMENTS];
};

enum avp_idset_result {
  AVP_IDSET_NEW,     /* not seen before */
  AVP_IDSET_EARLIER, /* seen in an earlier sweep */
  AVP_IDSET_REPEATED /* seen in this sweep already */
};

/* Makes an empty set, or NULL when memory is out. */
struct avp_idset *avp_idset_new(void);
void avp_idset_free(struct avp_idset *set);

/* The form in which an id is kept; 17 bytes. */
struct avp_id {
  unsigned char bytes[17];
};
struct avp_id avp_idset_id(const struct avp_idset *set, const char *text, size_t len);

/* Makes room for this id, so that adding it cannot fail. Room for several is made by calling this
 * for each before the first is added. False when memory is out. */
bool avp_idset_reserve(struct avp_idset *set, const struct avp_id *id);

/* Gives back all room that was made and not used. */
void avp_idset_unreserve(struct avp_idset *set);

/* Notes that the id was seen in sweep `sweep` (1 to 100). Room must have been made. */
enum avp_idset_result avp_idset_add(struct avp_idset *set, const struct avp_id *id, int sweep);

/* Notes that the id, which is in the set, was seen in this window (1 to 255) of pages. True where
 * it was noted for this very window before. */
bool avp_idset_note_window(struct avp_idset *set, const struct avp_id *id, int window);

/* Whether the id is in the set. */
bool avp_idset_has(const struct avp_idset *set, const struct avp_id *id);

#endif
