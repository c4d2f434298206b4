/* page.h - one page: from the bytes of a reply to rows, ids and counts.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_PAGE_H
#define AVP_BIND_PAGE_H

#include "../core/ground/buf.h"
#include "listing.h"

#define PAGE_ID_MAX 32 /* bytes of an id that is a number, as text */

/* Decodes the body of a reply and checks its form: pushes the list of rows and the metadata table
 * (empty if there is none), and fills rows and total of `page`, which is zeroed. Each row is a
 * table with an id, if the form has one; it is mended unless `form->raw`. `state` is the stack
 * index of the client's table. Without a body (NULL) the page has no rows. On failure fills `err`
 * and returns false; what it pushes then means nothing. */
bool page_decode(lua_State *L, int state, const struct avp_buf *body,
                 const struct listing_form *form, struct listing_page *page, struct avp_err *err);

/* Mends numbers and nulls of the value on top of the stack and of all that is in it: whole numbers
 * become integers, a field that is null becomes absent. On failure fills `err` and returns false.
 */
bool page_mend_values(lua_State *L, struct avp_err *err);

/* Returns the id of the row on top of the stack as text, and pushes the value that keeps it alive.
 * A number's text goes into `number`, of PAGE_ID_MAX bytes. */
const char *page_row_id(lua_State *L, const struct listing_form *form, char *number, size_t *len);

/* Returns a hash of all that is in the value on top of the stack, whatever its order: tells rows
 * without an id apart. The same in every process. */
uint64_t page_row_hash(lua_State *L);

#endif
