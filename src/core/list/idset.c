/* idset.c - see idset.h.
 *
 * SPDX-License-Identifier: MIT */
#include "idset.h"

#include <string.h>

#include "../ground/mem.h"
#include "../ground/sys.h"

#define SLOT       18   /* bytes of a slot */
#define ID_SIZE    17   /* bytes of an id, which are the first of its slot */
#define WINDOW     17   /* where the window lies in it */
#define MARK       16   /* where the mark lies in it: sweep, and KIND_HASH where it is a hash */
#define KIND_HASH  0x80 /* so that no hash is ever taken for a GUID */
#define FIRST_SIZE 4

struct avp_idset *avp_idset_new(void) {
  struct avp_idset *set = avp_alloc(sizeof *set);
  if (set != NULL) avp_sys_random(&set->key, sizeof set->key);
  return set;
}

void avp_idset_free(struct avp_idset *set) {
  size_t i;
  if (set == NULL) return;
  for (i = 0; i < AVP_IDSET_SEGMENTS; i++) avp_free(set->segments[i].slots);
  avp_free(set);
}

/* Reads 8-4-4-4-12 hexadecimal digits. */
static bool read_guid(const char *text, size_t len, unsigned char out[16]) {
  size_t i = 0;
  size_t n = 0;
  if (len != 36) return false;
  while (i < len) {
    int high;
    int low;
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i++] != '-') return false;
    }
    high = avp_hex_digit(text[i]);
    low = avp_hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    out[n++] = (unsigned char)(high << 4 | low);
    i += 2;
  }
  return true;
}

struct avp_id avp_idset_id(const struct avp_idset *set, const char *text, size_t len) {
  struct avp_id id;
  id.bytes[MARK] = 0;
  if (!read_guid(text, len, id.bytes)) {
    avp_hash128(&set->key, text, len, id.bytes);
    id.bytes[MARK] = KIND_HASH;
  }
  return id;
}

static uint64_t spread(const struct avp_idset *set, const struct avp_id *id) {
  return avp_hash64(&set->key, id->bytes, ID_SIZE);
}

static bool same(const unsigned char *slot, const struct avp_id *id) {
  return memcmp(slot, id->bytes, MARK) == 0 &&
         (slot[MARK] & KIND_HASH) == (id->bytes[MARK] & KIND_HASH);
}

/* The slot that holds the id, or the empty one where it belongs. */
static unsigned char *find(const struct avp_idset_segment *segment, const struct avp_id *id,
                           uint64_t hash) {
  size_t mask = segment->size - 1;
  size_t i = (size_t)(hash / AVP_IDSET_SEGMENTS) & mask;
  while ((segment->slots[i * SLOT + MARK] & ~KIND_HASH) != 0) {
    if (same(segment->slots + i * SLOT, id)) break;
    i = (i + 1) & mask;
  }
  return segment->slots + i * SLOT;
}

static bool resize(const struct avp_idset *set, struct avp_idset_segment *segment, size_t size) {
  struct avp_idset_segment larger;
  size_t i;
  larger.slots = avp_alloc(size * SLOT);
  if (larger.slots == NULL) return false;
  larger.size = size;
  larger.count = segment->count;
  larger.reserved = segment->reserved;
  for (i = 0; i < segment->size; i++) {
    const unsigned char *slot = segment->slots + i * SLOT;
    struct avp_id id;
    if ((slot[MARK] & ~KIND_HASH) == 0) continue;
    memcpy(id.bytes, slot, ID_SIZE);
    id.bytes[MARK] &= KIND_HASH; /* an id is spread without its sweep */
    memcpy(find(&larger, &id, spread(set, &id)), slot, SLOT);
  }
  avp_free(segment->slots);
  *segment = larger;
  return true;
}

bool avp_idset_reserve(struct avp_idset *set, const struct avp_id *id) {
  struct avp_idset_segment *segment = &set->segments[spread(set, id) % AVP_IDSET_SEGMENTS];
  size_t size = segment->size ? segment->size : FIRST_SIZE;
  while ((segment->count + segment->reserved + 1) * 4 > size * 3) size *= 2;
  if (size != segment->size && !resize(set, segment, size)) return false;
  segment->reserved++;
  return true;
}

void avp_idset_unreserve(struct avp_idset *set) {
  size_t i;
  for (i = 0; i < AVP_IDSET_SEGMENTS; i++) set->segments[i].reserved = 0;
}

enum avp_idset_result avp_idset_add(struct avp_idset *set, const struct avp_id *id, int sweep) {
  uint64_t hash = spread(set, id);
  struct avp_idset_segment *segment = &set->segments[hash % AVP_IDSET_SEGMENTS];
  unsigned char *slot = find(segment, id, hash);
  int before = slot[MARK] & ~KIND_HASH;
  if (segment->reserved > 0) segment->reserved--;
  if (before == 0) {
    memcpy(slot, id->bytes, MARK);
    segment->count++;
    set->count++;
  }
  slot[MARK] = (unsigned char)(sweep | (id->bytes[MARK] & KIND_HASH));
  if (before == 0) return AVP_IDSET_NEW;
  return before == sweep ? AVP_IDSET_REPEATED : AVP_IDSET_EARLIER;
}

bool avp_idset_note_window(struct avp_idset *set, const struct avp_id *id, int window) {
  uint64_t hash = spread(set, id);
  unsigned char *slot = find(&set->segments[hash % AVP_IDSET_SEGMENTS], id, hash);
  bool before = slot[WINDOW] == window;
  slot[WINDOW] = (unsigned char)window;
  return before;
}

bool avp_idset_has(const struct avp_idset *set, const struct avp_id *id) {
  uint64_t hash = spread(set, id);
  const struct avp_idset_segment *segment = &set->segments[hash % AVP_IDSET_SEGMENTS];
  return segment->size > 0 && (find(segment, id, hash)[MARK] & ~KIND_HASH) != 0;
}
