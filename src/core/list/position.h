/* position.h - writes and reads positions: where a listing stands, as a short printable string.
 *
 * Form: ap1-E-SIZE-PAGE-OFFSET-TOTAL-FIRM-IDHASH-FILTERHASH-CHECK, numbers in decimal, hashes in
 * hexadecimal; E is g (get), b (batch) or a (not known yet); TOTAL is x if there is none; FIRM is
 * 1, or 2 if only drift = "ignore" may resume there; CHECK covers the rest, so that a damaged
 * string is refused rather than followed.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_POSITION_H
#define AVP_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoint.h"

#define AVP_POSITION_SIZE 192 /* bytes of the longest, with its NUL */

struct avp_position {
  enum avp_endpoint endpoint; /* AUTO if no page has been read that could tell */
  long page_size;             /* asked of the server */
  long page;                  /* the page that holds the last row yielded */
  long offset;                /* rows of that page that lie before the position */
  bool has_total;
  int64_t total;    /* the server's count then */
  bool firm;        /* all that stands before it and stays in the list was given out */
  uint64_t last_id; /* hash of the id before the position, 0 if there is none */
  uint64_t filter;  /* hash of customer_ids, 0 if there are none */
};

/* Writes the string into `out` of AVP_POSITION_SIZE bytes. */
void avp_position_write(const struct avp_position *position, char *out);

/* Reads it, white space around it left out (a saved line ends with some). Returns false if the text
 * is no position. */
bool avp_position_read(struct avp_position *position, const char *text, size_t len);

/* The hash of an id or of a filter that positions hold; never 0. The same in every process. */
uint64_t avp_position_hash(const char *text, size_t len);

#endif
