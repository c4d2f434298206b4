/* mend.h - mends the values of a reply. All of them in numbers and nulls: whole numbers become
 * integers, a field that is null becomes absent. A customer as doc/listing.md, "A customer", says:
 * documented names too, statuses by name whichever form the server uses.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_MEND_H
#define AVP_BIND_MEND_H

#include "../core/ground/err.h"
#include "../core/ground/tally.h"
#include "compat.h"

/* What mending needs; the names of fields are where Lua keeps them, once for each short string, so
 * that the address tells a key. */
struct mend {
  lua_State *L;
  struct avp_err *err;
  int keys;     /* stack index of the keys that are looked for, */
  int array_mt; /* of the client's mark for arrays or nil, */
  int codes;    /* and of its tables of statuses */
  int names;    /* in any form, and of names by code and codes by name */
  const char *tenants;
  const char *old_id;
  const char *old_name;
  int depth;     /* of the value that is walked over */
  bool quick;    /* only documented fields of customers are mended, */
  int first;     /* from this key on */
  size_t mended; /* numbers and nulls that were met */
};

/* Prepares `mend`, and pushes what it uses: it stays below all that is mended. `state` is the stack
 * index of the client's table. */
void mend_begin(struct mend *mend, lua_State *L, int state, struct avp_err *err);

/* Lets mend_customer look at documented fields only, where the reply's text allows it. */
void mend_choose_way(struct mend *mend, const struct avp_tally *tally);

/* Whether the text holds numbers or nulls where the quick way has not looked. From then on all
 * fields are looked at. */
bool mend_has_missed(struct mend *mend, const struct avp_tally *tally);

/* Both mend the table on top of the stack; on failure they fill the error and return false. */
bool mend_table(struct mend *mend);
bool mend_customer(struct mend *mend);

/* mend_table without a client. */
bool mend_values(lua_State *L, struct avp_err *err);

#endif
