/* position.c - writes positions, reads them back, and refuses damaged ones (position.h).
 *
 * SPDX-License-Identifier: MIT */
#include "position.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../ground/hash.h"

/* Fixed, since positions travel between processes. */
static const struct avp_hash_key key = {UINT64_C(0x6176652d706f696e), UINT64_C(0x742d706f736974)};

uint64_t avp_position_hash(const char *text, size_t len) {
  uint64_t hash = avp_hash64(&key, text, len);
  return hash != 0 ? hash : 1;
}

static unsigned check_of(const char *text, size_t len) {
  return (unsigned)(avp_hash64(&key, text, len) & 0xffffff);
}

void avp_position_write(const struct avp_position *position, char *out) {
  const char endpoint = "agb"[position->endpoint];
  char total[32] = "x";
  size_t used;
  if (position->has_total) snprintf(total, sizeof total, "%" PRId64, position->total);
  snprintf(out, AVP_POSITION_SIZE, "ap1-%c-%ld-%ld-%ld-%s-%d-%" PRIx64 "-%" PRIx64, endpoint,
           position->page_size, position->page, position->offset, total, position->firm ? 1 : 2,
           position->last_id, position->filter);
  used = strlen(out);
  snprintf(out + used, AVP_POSITION_SIZE - used, "-%06x", check_of(out, used));
}

/* There is one way to write a position: what scanf reads in others (signs, capitals) is refused. */
static bool is_as_written(const struct avp_position *position, const char *text) {
  char again[AVP_POSITION_SIZE];
  avp_position_write(position, again);
  return strcmp(again, text) == 0;
}

static bool check_holds(const char *text, size_t len) {
  unsigned check;
  if (len < 8 || text[len - 7] != '-') return false;
  return sscanf(text + len - 6, "%6x", &check) == 1 && check == check_of(text, len - 7);
}

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool avp_position_read(struct avp_position *position, const char *text, size_t len) {
  char endpoint;
  char total[32];
  int firm;
  char copy[AVP_POSITION_SIZE];
  memset(position, 0, sizeof *position);
  for (; len > 0 && is_blank(text[0]); len--) text++;
  while (len > 0 && is_blank(text[len - 1])) len--;
  if (len >= sizeof copy || memchr(text, '\0', len) != NULL) return false;
  memcpy(copy, text, len);
  copy[len] = '\0';
  if (!check_holds(copy, len)) return false;
  if (sscanf(copy, "ap1-%c-%ld-%ld-%ld-%31[0-9x]-%d-%" SCNx64 "-%" SCNx64, &endpoint,
             &position->page_size, &position->page, &position->offset, total, &firm,
             &position->last_id, &position->filter) != 8) {
    return false;
  }
  position->endpoint = endpoint == 'b'   ? AVP_ENDPOINT_BATCH
                       : endpoint == 'a' ? AVP_ENDPOINT_AUTO
                                         : AVP_ENDPOINT_GET;
  position->firm = firm == 1;
  position->has_total = total[0] != 'x';
  if (position->has_total && sscanf(total, "%" SCNd64, &position->total) != 1) return false;
  return position->page_size > 0 && position->page > 0 && position->offset >= 0 &&
         is_as_written(position, copy);
}
