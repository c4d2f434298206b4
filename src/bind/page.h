/* page.h - one page: from the bytes of a reply to rows, ids and counts.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_PAGE_H
#define AVP_BIND_PAGE_H

#include "../core/ground/buf.h"
#include "listing.h"

/* Decodes the body of a reply and checks its form: pushes the list of rows and the metadata table
 * (empty if there is none), and fills rows and total of `page`, which is zeroed. Each row is a
 * table with an id that is a string and not empty; it is normalised unless `raw`. `state` is the
 * stack index of the client's table. Without a body (NULL) the page has no rows. On failure fills
 * `err` and returns false; what it pushes then means nothing. */
bool page_decode(lua_State *L, int state, const struct avp_buf *body, bool raw,
                 struct listing_page *page, struct avp_err *err);

#endif
