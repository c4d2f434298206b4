/* tally.h - counts in the text of a JSON document what has to be looked for once it is decoded.
 *
 * Looking at each field of each row costs more than this. The text is one that a JSON library has
 * taken: of any other the counts mean nothing.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_TALLY_H
#define AVP_TALLY_H

#include <stddef.h>

struct avp_tally {
  size_t nulls;
  size_t numbers;
  size_t odd_keys; /* keys that begin with I, N or an escape: no documented one does, "Id" and
                    * "Name" do; what looks like one to a quick eye counts too */
};

/* Behind the `len` bytes of the text stands a NUL. */
struct avp_tally avp_tally(const char *text, size_t len);

#endif
