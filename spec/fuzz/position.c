/* position.c - fuzzes the reading of positions, and that what is written is read back.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "list/position.c" /* with the key of its checksum: damage alone would all be refused */

static void check_same(const struct avp_position *a, const struct avp_position *b) {
  MUST(a->endpoint == b->endpoint && a->page_size == b->page_size && a->page == b->page);
  MUST(a->offset == b->offset && a->has_total == b->has_total && a->firm == b->firm);
  MUST(!a->has_total || a->total == b->total);
  MUST(a->last_id == b->last_id && a->filter == b->filter);
}

/* What is read must be what writing gives. */
static void check_text(const char *text, size_t len) {
  struct avp_position position;
  struct avp_position again;
  char written[AVP_POSITION_SIZE];
  if (!avp_position_read(&position, text, len)) return;
  MUST(position.page_size > 0 && position.page > 0 && position.offset >= 0);
  avp_position_write(&position, written);
  MUST(strstr(text, written) != NULL);
  MUST(avp_position_read(&again, written, strlen(written)));
  check_same(&position, &again);
}

/* A text with the checksum that belongs to it. */
static void check_sealed(const char *text, size_t len) {
  char *sealed = malloc(len + 8);
  MUST(sealed != NULL);
  snprintf(sealed, len + 8, "%s-%06x", text, (unsigned)(avp_hash64(&key, text, len) & 0xffffff));
  check_text(sealed, strlen(sealed));
  free(sealed);
}

static void check_written(struct input *in) {
  struct avp_position position;
  struct avp_position again;
  char text[AVP_POSITION_SIZE];
  unsigned flags = take_byte(in);
  memset(&position, 0, sizeof position);
  position.endpoint = (enum avp_endpoint)(flags % 3);
  position.has_total = (flags & 4) != 0;
  position.firm = (flags & 8) != 0;
  position.page_size = (long)(take_number(in) >> 1 | 1);
  position.page = (long)(take_number(in) >> 1 | 1);
  position.offset = (long)(take_number(in) >> 1);
  position.total = position.has_total ? (int64_t)(take_number(in) >> 1) : 0;
  position.last_id = take_number(in);
  position.filter = take_number(in);
  avp_position_write(&position, text);
  MUST(strlen(text) < sizeof text - 1);
  MUST(avp_position_read(&again, text, strlen(text)));
  check_same(&position, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input in = {data, size};
  unsigned mode = take_byte(&in);
  size_t len;
  char *text;
  if (mode == 'w') {
    check_written(&in);
    return 0;
  }
  text = take_rest(&in, &len);
  check_text(text, len);
  check_sealed(text, strlen(text));
  free(text);
  return 0;
}
