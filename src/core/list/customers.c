/* customers.c - see customers.h.
 *
 * SPDX-License-Identifier: MIT */
#include "customers.h"

#include <stddef.h>

void avp_customers_source(struct avp_source *source, enum avp_endpoint endpoint, const char *url,
                          const char *body) {
  source->url = url;
  source->body = endpoint == AVP_ENDPOINT_BATCH ? body : NULL;
  source->page_param = "pageIndex";
  source->size_param = "pageSize";
}

bool avp_customers_falls_back(int status) {
  static const int statuses[] = {400, 401, 403, 404, 405, 410, 501};
  size_t i;
  for (i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
    if (statuses[i] == status) return true;
  }
  return false;
}

long avp_customers_page_size(enum avp_endpoint endpoint, long asked) {
  bool cut = endpoint == AVP_ENDPOINT_BATCH && asked > AVP_CUSTOMERS_BATCH_MAX;
  return cut ? AVP_CUSTOMERS_BATCH_MAX : asked;
}
