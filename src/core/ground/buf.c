/* buf.c - grows, moves and wipes the bytes of a buffer (buf.h).
 * SPDX-License-Identifier: MIT */
#include "buf.h"

#include <string.h>

#include "mem.h"

#define AVP_BUF_FIRST 256 /* bytes of the first allocation */

void avp_buf_init(struct avp_buf *buf, size_t max) {
  memset(buf, 0, sizeof *buf);
  buf->max = max;
}

static void free_data(struct avp_buf *buf) {
  if (buf->secret && buf->data != NULL) avp_wipe(buf->data, buf->len);
  avp_free(buf->data);
}

/* Not realloc, which would free the old block of a secret without wiping it. */
static bool grow(struct avp_buf *buf, size_t need) {
  size_t size = buf->size ? buf->size : AVP_BUF_FIRST;
  char *data;
  while (size < need) size = size > buf->max / 2 ? buf->max + 1 : size * 2;
  data = avp_alloc_unset(size);
  if (data == NULL) return false;
  if (buf->len > 0) memcpy(data, buf->data, buf->len);
  free_data(buf);
  buf->data = data;
  buf->size = size;
  return true;
}

bool avp_buf_add(struct avp_buf *buf, const void *data, size_t len) {
  if (len > buf->max - buf->len) return false;
  if (buf->len + len + 1 > buf->size && !grow(buf, buf->len + len + 1)) return false;
  if (len > 0) memcpy(buf->data + buf->len, data, len);
  buf->len += len;
  buf->data[buf->len] = '\0';
  return true;
}

bool avp_buf_adds(struct avp_buf *buf, const char *text) {
  return avp_buf_add(buf, text, strlen(text));
}

void avp_buf_free(struct avp_buf *buf) {
  free_data(buf);
  buf->data = NULL;
  buf->len = buf->size = 0;
}

void avp_buf_move(struct avp_buf *to, struct avp_buf *from) {
  avp_buf_free(to);
  *to = *from;
  from->data = NULL;
  from->len = from->size = 0;
}
