/* customer.h - one customer: from what the server sent to what users see.
 *
 * The rules are the README's section "A customer": documented names, statuses by name whichever
 * form the server uses, whole numbers as integers, null as an absent field.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_CUSTOMER_H
#define AVP_BIND_CUSTOMER_H

#include "../core/ground/err.h"
#include "compat.h"

#define AVP_STATUS_COUNT 7

/* The names of job statuses 0 to 6, in the spelling of the customers page. */
extern const char *const customer_status_names[AVP_STATUS_COUNT];

/* The code of a status in any of its forms (name in any case and either spelling, number, numeric
 * string) at `index`, or -1. */
int customer_status_code(lua_State *L, int index);

/* Changes the table at `index` in place. `array_mt` is the stack index of cjson's array mark or of
 * nil. Fills a `protocol` error and gives 0 where a number is not finite. */
int customer_normalise(lua_State *L, int index, int array_mt, struct avp_err *err);

/* The part of it that holds for any table: numbers and nulls, at any depth. */
int customer_normalise_fields(lua_State *L, int index, struct avp_err *err);

#endif
