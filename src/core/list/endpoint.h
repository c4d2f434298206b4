/* endpoint.h - the two forms in which the API serves a list, and when the second one is tried.
 *
 * Some lists are served as GET, some as POST to a path that ends in /batch, some in both forms.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_ENDPOINT_H
#define AVP_ENDPOINT_H

#include <stdbool.h>

enum avp_endpoint { AVP_ENDPOINT_AUTO, AVP_ENDPOINT_GET, AVP_ENDPOINT_BATCH };

/* Whether this status of the first GET says that the service does not have that endpoint, so that
 * `auto` tries the batch. */
static inline bool avp_endpoint_falls_back(int status) {
  return status == 400 || status == 401 || (status >= 403 && status <= 405) || status == 410 ||
         status == 501;
}

#endif
