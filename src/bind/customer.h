/* customer.h - mends one customer: from what the server sent to what users see.
 *
 * The rules are the README's section "A customer": documented names, statuses by name whichever
 * form the server uses, whole numbers as integers, null as an absent field.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_CUSTOMER_H
#define AVP_BIND_CUSTOMER_H

#include <stdbool.h>

#include "../core/ground/err.h"
#include "compat.h"

/* Mends the customer, a table, on top of the stack in place. From the stack index `helpers` on lie
 * the client's array_mt (or nil), status_codes and status_names. If a number is not finite, fills a
 * `protocol` error and returns false, with more on the stack. */
bool customer_mend(lua_State *L, int helpers, struct avp_err *err);

/* Mends numbers and nulls of the table on top of the stack, and of those in it. Returns as above.
 * `depth` is 0; it grows with those inside. */
bool customer_mend_values(lua_State *L, int depth, struct avp_err *err);

#endif
