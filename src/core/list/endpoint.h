/* endpoint.h - the two endpoints that list customers: their paths, limits, and when the second one
 * is tried.
 *
 * GET partner/external/v3/general/customers is the page this library implements; POST
 * .../customers/batch is the form that AvePoint released.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_ENDPOINT_H
#define AVP_ENDPOINT_H

#include <stdbool.h>

enum avp_endpoint { AVP_ENDPOINT_AUTO, AVP_ENDPOINT_GET, AVP_ENDPOINT_BATCH };

/* Never POST to the GET's path: there it would create a customer. */
#define AVP_CUSTOMERS_PATH       "partner/external/v3/general/customers"
#define AVP_CUSTOMERS_BATCH_PATH "partner/external/v3/general/customers/batch"
#define AVP_CUSTOMERS_BATCH_MAX  100 /* largest page of the batch endpoint */

/* Whether this status of the first GET says that the service does not have that endpoint, so that
 * `auto` tries the batch. */
static inline bool avp_endpoint_falls_back(int status) {
  return status == 400 || status == 401 || (status >= 403 && status <= 405) || status == 410 ||
         status == 501;
}

/* The page size to ask this endpoint for if the user asked for `asked`. */
static inline long avp_endpoint_page_size(enum avp_endpoint endpoint, long asked) {
  bool cut = endpoint == AVP_ENDPOINT_BATCH && asked > AVP_CUSTOMERS_BATCH_MAX;
  return cut ? AVP_CUSTOMERS_BATCH_MAX : asked;
}

#endif
