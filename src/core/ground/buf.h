/* buf.h - a growable run of bytes with a limit.
 *
 * The limit is fixed when the buffer is made, so no reply and no string can grow without end.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BUF_H
#define AVP_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct avp_buf {
  char *data;  /* NUL-terminated when not NULL */
  size_t len;  /* bytes in use, without the NUL */
  size_t size; /* bytes allocated */
  size_t max;  /* most bytes in use */
  bool secret; /* wiped before memory is freed; the owner sets it after avp_buf_init */
};

/* Makes an empty buffer of at most `max` bytes. Cannot fail; allocates nothing. */
void avp_buf_init(struct avp_buf *buf, size_t max);

/* Appends bytes. False if they would pass the limit, or memory is out: the buffer is as it was. */
bool avp_buf_add(struct avp_buf *buf, const void *data, size_t len);

/* Appends a NUL-terminated string, as avp_buf_add does. */
bool avp_buf_adds(struct avp_buf *buf, const char *text);

/* Frees the contents; the buffer stays usable, with its limit. */
void avp_buf_free(struct avp_buf *buf);

/* Moves the contents of `from` to `to` (whose own are freed); `from` is empty afterwards. */
void avp_buf_move(struct avp_buf *to, struct avp_buf *from);

#endif
