/* position.c - writes positions, reads them back, and refuses damaged ones (position.h).
 *
 * SPDX-License-Identifier: MIT */
#include "position.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../ground/hash.h"

/* Fixed, since positions travel between processes. */
static const struct avp_hash_key key = {UINT64_C(0x6176652d706f696e), UINT64_C(0x742d706f736974)};

uint64_t avp_position_hash(const char *text, size_t len) {
  uint64_t hash = avp_hash64(&key, text, len);
  return hash != 0 ? hash : 1;
}

static const char endpoints[] = "agb"; /* in the order of the enum */

void avp_position_write(const struct avp_position *position, char *out) {
  char total[32] = "x";
  size_t used;
  if (position->has_total) snprintf(total, sizeof total, "%" PRId64, position->total);
  snprintf(out, AVP_POSITION_SIZE, "ap1-%c-%ld-%ld-%ld-%s-%d-%" PRIx64 "-%" PRIx64,
           endpoints[position->endpoint], position->page_size, position->page, position->offset,
           total, position->firm ? 1 : 2, position->last_id, position->filter);
  used = strlen(out);
  snprintf(out + used, AVP_POSITION_SIZE - used, "-%06x",
           (unsigned)(avp_hash64(&key, out, used) & 0xffffff));
}

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* There is one way to write a position. What is written again otherwise is damaged, or was read in
 * another form (signs, capitals): it is refused. */
bool avp_position_read(struct avp_position *position, const char *text, size_t len) {
  char copy[AVP_POSITION_SIZE] = "";
  char again[AVP_POSITION_SIZE];
  char endpoint[2];
  char total[32];
  int firm;
  for (; len > 0 && is_blank(text[0]); len--) text++;
  while (len > 0 && is_blank(text[len - 1])) len--;
  if (len >= sizeof copy) return false;
  memcpy(copy, text, len);
  if (sscanf(copy, "ap1-%1[agb]-%ld-%ld-%ld-%31[0-9x]-%d-%" SCNx64 "-%" SCNx64, endpoint,
             &position->page_size, &position->page, &position->offset, total, &firm,
             &position->last_id, &position->filter) != 8) {
    return false;
  }
  position->endpoint = (enum avp_endpoint)(strchr(endpoints, endpoint[0]) - endpoints);
  position->firm = firm == 1;
  position->has_total = total[0] != 'x';
  position->total = strtoll(total, NULL, 10);
  avp_position_write(position, again);
  return position->page_size > 0 && position->page > 0 && position->offset >= 0 &&
         strlen(again) == len && memcmp(again, text, len) == 0;
}
