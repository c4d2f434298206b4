/* customers.h - the two forms in which the service lists customers, as data.
 *
 * GET partner/external/v3/general/customers is the page this library implements; POST
 * .../customers/batch is the form that AvePoint released. Both are described as sources of a
 * pager; a further API of the same kind is a further description.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_CUSTOMERS_H
#define AVP_CUSTOMERS_H

#include <stdbool.h>

#include "pager.h"

enum avp_endpoint { AVP_ENDPOINT_AUTO, AVP_ENDPOINT_GET, AVP_ENDPOINT_BATCH };

/* Never POST to the GET's path: there it would create a customer. */
#define AVP_CUSTOMERS_PATH       "partner/external/v3/general/customers"
#define AVP_CUSTOMERS_BATCH_PATH "partner/external/v3/general/customers/batch"
#define AVP_CUSTOMERS_BATCH_MAX  100 /* largest page of the batch endpoint */

/* Fills the source of an endpoint (GET or BATCH). `url` is the whole URL of that endpoint and
 * `body` the batch's JSON body; both are borrowed. */
void avp_customers_source(struct avp_source *source, enum avp_endpoint endpoint, const char *url,
                          const char *body);

/* Whether this status of the first GET says that the service has no such endpoint (any more), so
 * that `auto` should try the batch. */
bool avp_customers_falls_back(int status);

/* Whether page size `asked` is cut for this endpoint, and to what. */
long avp_customers_page_size(enum avp_endpoint endpoint, long asked);

#endif
