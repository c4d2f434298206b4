/* endpoint.c - decides when the second endpoint is tried, and caps its page size (endpoint.h).
 *
 * SPDX-License-Identifier: MIT */
#include "endpoint.h"

#include <stddef.h>

bool avp_endpoint_falls_back(int status) {
  static const int statuses[] = {400, 401, 403, 404, 405, 410, 501};
  size_t i;
  for (i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
    if (statuses[i] == status) return true;
  }
  return false;
}

long avp_endpoint_page_size(enum avp_endpoint endpoint, long asked) {
  bool cut = endpoint == AVP_ENDPOINT_BATCH && asked > AVP_CUSTOMERS_BATCH_MAX;
  return cut ? AVP_CUSTOMERS_BATCH_MAX : asked;
}
