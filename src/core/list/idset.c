/* idset.c - a hash table of ids in many small segments (idset.h).
 *
 * SPDX-License-Identifier: MIT */
#include "idset.h"

#include <string.h>

#include "../ground/mem.h"
#include "../ground/sys.h"
#include "position.h"

/* A slot: 16 bytes of the id; the mark's era in two bytes, 0 if the slot is empty; the mark's page
 * in three. The era's highest bit tells a hash from a GUID, so that neither is taken for the other.
 */
#define ID_SIZE    16
#define HASHED     0x80
#define FIRST_SIZE 5
#define SMALL_SIZE 32 /* slots: 8,000 ids in all */

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

/* Of a hexadecimal digit its value and DIGIT; of any other byte 0. */
#define DIGIT    0x10
#define D(value) (DIGIT | (value))
static const unsigned char digits[256] = {
    ['0'] = D(0),  ['1'] = D(1),  ['2'] = D(2),  ['3'] = D(3),  ['4'] = D(4),  ['5'] = D(5),
    ['6'] = D(6),  ['7'] = D(7),  ['8'] = D(8),  ['9'] = D(9),  ['a'] = D(10), ['b'] = D(11),
    ['c'] = D(12), ['d'] = D(13), ['e'] = D(14), ['f'] = D(15), ['A'] = D(10), ['B'] = D(11),
    ['C'] = D(12), ['D'] = D(13), ['E'] = D(14), ['F'] = D(15),
};
#undef D

/* Reads 8-4-4-4-12 hexadecimal digits. */
static bool read_guid(const char *text, size_t len, unsigned char out[ID_SIZE]) {
  static const unsigned char places[ID_SIZE] = {0,  2,  4,  6,  9,  11, 14, 16,
                                                19, 21, 24, 26, 28, 30, 32, 34};
  const unsigned char *digit = (const unsigned char *)text;
  unsigned all = DIGIT;
  size_t i;
  if (len != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') {
    return false;
  }
  for (i = 0; i < ID_SIZE; i++) {
    unsigned high = digits[digit[places[i]]];
    unsigned low = digits[digit[places[i] + 1]];
    all &= high & low;
    out[i] = (unsigned char)(high << 4 | (low & ~(unsigned)DIGIT));
  }
  return all == DIGIT;
}

struct avp_id avp_idset_id(const struct avp_idset *set, const char *text, size_t len) {
  static const struct avp_hash_key fixed = {UINT64_C(0x6176652d706f696e),
                                            UINT64_C(0x742d706f736974)};
  struct avp_id id;
  id.spread = 0;
  id.hashed = !read_guid(text, len, id.bytes);
  id.print = id.hashed ? avp_position_hash(text, len) : avp_hash_id(&fixed, id.bytes);
  if (set == NULL) return id;
  if (id.hashed) avp_hash128(&set->key, text, len, id.bytes);
  id.spread = avp_hash_id(&set->key, id.bytes);
  return id;
}

static size_t segment_of(const struct avp_id *id) { return id->spread % AVP_IDSET_SEGMENTS; }

static unsigned era_of(const unsigned char *slot) {
  return slot[16] | (slot[17] & ~(unsigned)HASHED) << 8;
}

static bool is_hashed(const unsigned char *slot) { return (slot[17] & HASHED) != 0; }

/* The slot that holds the id, or the empty one in which it belongs. Its place is the upper half of
 * `spread` scaled to the segment: no division, which would cost more than all else here. */
static unsigned char *find(const struct avp_idset_segment *segment, const struct avp_id *id) {
  size_t i = (size_t)((id->spread >> 32) * segment->size >> 32);
  for (;; i = i + 1 < segment->size ? i + 1 : 0) {
    unsigned char *slot = segment->slots + i * AVP_IDSET_SLOT;
    if (era_of(slot) == 0) return slot;
    if (memcmp(slot, id->bytes, ID_SIZE) == 0 && is_hashed(slot) == id->hashed) return slot;
  }
}

static bool resize(const struct avp_idset *set, struct avp_idset_segment *segment, size_t size) {
  struct avp_idset_segment larger = *segment;
  const unsigned char *slot = segment->slots;
  size_t i;
  larger.slots = avp_alloc(size * AVP_IDSET_SLOT);
  if (larger.slots == NULL) return false;
  larger.size = size;
  for (i = 0; i < segment->size; i++, slot += AVP_IDSET_SLOT) {
    struct avp_id id = {{0}, false, 0, 0};
    if (era_of(slot) == 0) continue;
    memcpy(id.bytes, slot, ID_SIZE);
    id.hashed = is_hashed(slot);
    id.spread = avp_hash_id(&set->key, id.bytes);
    memcpy(find(&larger, &id), slot, AVP_IDSET_SLOT);
  }
  avp_free(segment->slots);
  *segment = larger;
  return true;
}

/* Makes room for `more` ids. Small segments double. Larger ones grow by a fifth, and so keep
 * between 71 and 85 of 100 slots in use. */
static bool make_room(const struct avp_idset *set, struct avp_idset_segment *segment, size_t more) {
  size_t size = segment->size ? segment->size : FIRST_SIZE;
  while ((segment->count + more) * 100 > size * 85) {
    size += size < SMALL_SIZE ? size : size / 5;
  }
  return size == segment->size || resize(set, segment, size);
}

bool avp_idset_reserve(struct avp_idset *set, const struct avp_id *ids, size_t count) {
  size_t more[AVP_IDSET_SEGMENTS] = {0};
  size_t i;
  for (i = 0; i < count; i++) more[segment_of(&ids[i])]++;
  for (i = 0; i < AVP_IDSET_SEGMENTS; i++) {
    if (more[i] > 0 && !make_room(set, &set->segments[i], more[i])) return false;
  }
  return true;
}

struct avp_mark avp_idset_get(const struct avp_idset *set, const struct avp_id *id) {
  const struct avp_idset_segment *segment = &set->segments[segment_of(id)];
  struct avp_mark mark = {0, 0};
  if (segment->size > 0) {
    const unsigned char *slot = find(segment, id);
    mark.era = (uint16_t)era_of(slot);
    mark.page = slot[18] | (uint32_t)slot[19] << 8 | (uint32_t)slot[20] << 16;
  }
  return mark;
}

void avp_idset_put(struct avp_idset *set, const struct avp_id *id, const struct avp_mark *mark) {
  struct avp_idset_segment *segment = &set->segments[segment_of(id)];
  unsigned char *slot = find(segment, id);
  if (era_of(slot) == 0) segment->count++;
  memcpy(slot, id->bytes, ID_SIZE);
  slot[16] = (unsigned char)mark->era;
  slot[17] = (unsigned char)(mark->era >> 8 | (id->hashed ? HASHED : 0));
  slot[18] = (unsigned char)mark->page;
  slot[19] = (unsigned char)(mark->page >> 8);
  slot[20] = (unsigned char)(mark->page >> 16);
}
