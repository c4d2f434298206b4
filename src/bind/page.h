/* page.h - one page: from the bytes of a reply to rows, ids and counts.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_PAGE_H
#define AVP_BIND_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "../core/ground/err.h"
#include "compat.h"

struct page_counts {
  size_t rows;
  bool has_total;
  int64_t total;
  int64_t size; /* metadata.pageSize, 0 if absent */
};

/* Decodes a reply and checks its form: pushes the list of rows and the metadata table (empty where
 * there is none) and fills `counts`. Each row is a table with an id that is a string and not
 * empty; it is normalised unless `raw`. `state` is the stack index of the client's table. Status
 * 204 counts as a page without rows. On failure fills `err`, pushes
 * nothing and returns false. */
bool page_decode(lua_State *L, int state, int status, const char *data, size_t len, bool raw,
                 struct page_counts *counts, struct avp_err *err);

/* Pushes row `i` of the list at `rows` and its id; returns the id. */
const char *page_row_id(lua_State *L, int rows, size_t i, size_t *len);

#endif
