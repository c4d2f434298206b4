/* step.h - moves a client on: the network first, then a token reply that has come.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_STEP_H
#define AVP_BIND_STEP_H

#include "compat.h"

/* Adds the method `step` to the clients. After client_open. */
void step_open(lua_State *L);

#endif
