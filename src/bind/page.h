/* page.h - one page: from the bytes of a reply to rows, ids and counts.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_PAGE_H
#define AVP_BIND_PAGE_H

#include "../core/ground/buf.h"
#include "listing.h"

/* A page that was decoded and does not count yet. */
struct decoded_page {
  int at; /* stack index of rows, metadata and the memory of the ids, as from LISTING_ROWS on */
  struct listing_page page;
  struct avp_id *ids; /* of each row; of rows without an id only `print` means anything */
  struct avp_page drift;
};

/* Decodes the body of a reply and checks its form: pushes what lies at `decoded->at` and fills
 * rows, total and ids of `decoded`, which is zeroed. Each row is a table with an id, if the form
 * has one; it is mended unless `form->raw`. `state` is the stack index of the client's table; ids
 * are read for `set`, or NULL. Without a body (NULL) the page has no rows. On failure fills `err`
 * and returns false; what it pushes then means nothing. */
bool page_decode(lua_State *L, int state, const struct avp_buf *body,
                 const struct listing_form *form, const struct avp_idset *set,
                 struct decoded_page *decoded, struct avp_err *err);

/* Decodes the body of a reply, which must be a table, and pushes it. On failure fills `err` and
 * returns false. */
bool page_decode_table(lua_State *L, int state, const struct avp_buf *body, struct avp_err *err);

#endif
