/* idset.c - a hash table of ids in many small segments (idset.h).
 *
 * SPDX-License-Identifier: MIT */
#include "idset.h"

#include <string.h>

#include "../ground/mem.h"
#include "../ground/sys.h"

/* A slot: 16 bytes of the id; the mark's era in two bytes, the highest bit telling a hash from a
 * GUID, so that neither is ever taken for the other; the mark's page in three. Era 0: empty. */
#define ID_SIZE    16
#define HASHED     0x8000
#define FIRST_SIZE 5

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
  id.hashed = !read_guid(text, len, id.bytes);
  if (id.hashed) avp_hash128(&set->key, text, len, id.bytes);
  id.spread = avp_hash64(&set->key, id.bytes, ID_SIZE);
  return id;
}

static unsigned tag_of(const unsigned char *slot) {
  return slot[ID_SIZE] | (unsigned)slot[ID_SIZE + 1] << 8;
}

/* The slot that holds the id, or the empty one in which it belongs. */
static unsigned char *find(const struct avp_idset_segment *segment, const struct avp_id *id) {
  size_t i = (size_t)((id->spread / AVP_IDSET_SEGMENTS) % segment->size);
  unsigned char *slot = segment->slots + i * AVP_IDSET_SLOT;
  unsigned tag = tag_of(slot);
  while ((tag & ~(unsigned)HASHED) != 0) {
    if (memcmp(slot, id->bytes, ID_SIZE) == 0 && ((tag & HASHED) != 0) == id->hashed) break;
    i = i + 1 < segment->size ? i + 1 : 0;
    slot = segment->slots + i * AVP_IDSET_SLOT;
    tag = tag_of(slot);
  }
  return slot;
}

static bool resize(const struct avp_idset *set, struct avp_idset_segment *segment, size_t size) {
  struct avp_idset_segment larger = *segment;
  size_t i;
  larger.slots = avp_alloc(size * AVP_IDSET_SLOT);
  if (larger.slots == NULL) return false;
  larger.size = size;
  for (i = 0; i < segment->size; i++) {
    const unsigned char *slot = segment->slots + i * AVP_IDSET_SLOT;
    struct avp_id id;
    if ((tag_of(slot) & ~(unsigned)HASHED) == 0) continue;
    memcpy(id.bytes, slot, ID_SIZE);
    id.hashed = (tag_of(slot) & HASHED) != 0;
    id.spread = avp_hash64(&set->key, id.bytes, ID_SIZE);
    memcpy(find(&larger, &id), slot, AVP_IDSET_SLOT);
  }
  avp_free(segment->slots);
  *segment = larger;
  return true;
}

static struct avp_idset_segment *segment_of(struct avp_idset *set, const struct avp_id *id) {
  return &set->segments[id->spread % AVP_IDSET_SEGMENTS];
}

/* Grows by a fifth, and so keeps between 71 and 85 of 100 slots in use. */
bool avp_idset_reserve(struct avp_idset *set, const struct avp_id *id) {
  struct avp_idset_segment *segment = segment_of(set, id);
  size_t size = segment->size ? segment->size : FIRST_SIZE;
  while ((segment->count + segment->reserved + 1) * 100 > size * 85) size += size / 5;
  if (size != segment->size && !resize(set, segment, size)) return false;
  segment->reserved++;
  return true;
}

void avp_idset_unreserve(struct avp_idset *set) {
  size_t i;
  for (i = 0; i < AVP_IDSET_SEGMENTS; i++) set->segments[i].reserved = 0;
}

struct avp_mark avp_idset_get(const struct avp_idset *set, const struct avp_id *id) {
  const struct avp_idset_segment *segment = &set->segments[id->spread % AVP_IDSET_SEGMENTS];
  struct avp_mark mark = {0, 0};
  const unsigned char *slot;
  if (segment->size == 0) return mark;
  slot = find(segment, id);
  mark.era = (uint16_t)(tag_of(slot) & ~(unsigned)HASHED);
  mark.page = slot[18] | (uint32_t)slot[19] << 8 | (uint32_t)slot[20] << 16;
  return mark;
}

void avp_idset_put(struct avp_idset *set, const struct avp_id *id, const struct avp_mark *mark) {
  struct avp_idset_segment *segment = segment_of(set, id);
  unsigned char *slot = find(segment, id);
  if (segment->reserved > 0) segment->reserved--;
  if (tag_of(slot) == 0) {
    memcpy(slot, id->bytes, ID_SIZE);
    segment->count++;
    set->count++;
  }
  slot[16] = (unsigned char)mark->era;
  slot[17] = (unsigned char)((mark->era | (id->hashed ? HASHED : 0)) >> 8);
  slot[18] = (unsigned char)mark->page;
  slot[19] = (unsigned char)(mark->page >> 8);
  slot[20] = (unsigned char)(mark->page >> 16);
}
