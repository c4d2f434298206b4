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

#define AVP_STATUS_COUNT 7

/* The names of job statuses 0 to 6, in the spelling of the customers page. */
extern const char *const customer_status_names[AVP_STATUS_COUNT];

/* Returns the code of the status at `index`, in any of its forms (name in any case and either
 * spelling, number, numeric string), or -1 if it is unknown. */
int customer_status_code(lua_State *L, int index);

/* Mends the customer, a table, on top of the stack in place. `array_mt` is the stack index of
 * cjson's array mark or of nil. If a number is not finite, fills a `protocol` error and returns
 * false, with more on the stack. */
bool customer_mend(lua_State *L, int array_mt, struct avp_err *err);

/* Mends numbers and nulls of the table on top of the stack, and of those in it. Returns as above.
 * `depth` is 0; it grows with those inside. */
bool customer_mend_values(lua_State *L, int depth, struct avp_err *err);

#endif
