/* settings.h - what a client is set to: how it signs in, sends, and tries again.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_SETTINGS_H
#define AVP_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "../wire/transfer.h"
#include "retry.h"

enum avp_credential {
  AVP_CREDENTIAL_SECRET,    /* client id and secret (RFC 6749 section 2.3.1) */
  AVP_CREDENTIAL_ASSERTION, /* a signed JWT (RFC 7523 section 2.2) */
  AVP_CREDENTIAL_TOKEN      /* the access token itself */
};

struct avp_settings {
  struct avp_transfer_settings transfer;
  const char *token_url;
  const char *client_id; /* may be NULL with AVP_CREDENTIAL_TOKEN and _ASSERTION */
  const char *scope;
  const char *scope_source; /* the option or variable it comes from, NULL: it is the default */
  enum avp_credential credential;
  bool credential_is_function; /* of the user's: avp_signin_wants says when to call it */
  bool token_store;            /* before a fetch, look into the store that processes share */
  int64_t timeout_ms;          /* per attempt */
  struct avp_retry_policy retry;
  int concurrency; /* most attempts in flight */
};

#endif
