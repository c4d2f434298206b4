/* jwt.h - a signed JWT as client assertion (RFC 7523 section 3, RFC 7515).
 *
 * RS256, with the certificate named by `kid` (its SHA-1 thumbprint in upper-case hexadecimal, as
 * the service's own samples have it) and `x5t`. Each has a `jti` of its own, since the server
 * remembers those it has seen. Knows no Lua; time is an argument.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_SIGN_JWT_H
#define AVP_SIGN_JWT_H

#include "../core/ground/buf.h"
#include "key.h"

#define AVP_JWT_LIFETIME 300   /* seconds */
#define AVP_JWT_MAX      51200 /* characters that the server takes */

/* Appends an assertion for this client and audience (the token endpoint's URL), issued at `now`
 * (seconds since 1970). False if OpenSSL or the memory fails, or it would be too long. */
bool avp_jwt_sign(const struct avp_key *key, const char *client_id, const char *audience,
                  int64_t now, struct avp_buf *out);

#endif
