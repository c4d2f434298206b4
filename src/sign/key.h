/* key.h - reads the certificate and private key that sign a client's assertions, and checks them.
 *
 * PEM or DER files, or a PKCS#12 file; the certificates of a PEM file in any order. Keys may be
 * encrypted. Knows no Lua; time is an argument. OpenSSL's error queue is left empty, since the host
 * may use it too.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_SIGN_KEY_H
#define AVP_SIGN_KEY_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct avp_key {
  EVP_PKEY *pkey;      /* RSA, private; NULL: not loaded */
  char thumbprint[41]; /* SHA-1 of the certificate, upper-case hexadecimal */
  int64_t expires;     /* seconds since 1970: the certificate's notAfter */
};

struct avp_key_files {
  const char *certificate; /* path: PEM, DER or PKCS#12 */
  const char *private_key; /* path: PEM or DER; NULL: it is in the certificate's file */
  const char *password;    /* of the key or of the PKCS#12 file, or NULL */
};

/* Fills a zeroed key after these checks: the key is RSA and belongs to the certificate, which is
 * valid at `now` (seconds since 1970) and may sign. On failure returns false and writes to
 * `message` a sentence that names what to do and the file, but not the text of a path that cannot
 * be opened, which may be the key itself; never the password. */
bool avp_key_load(struct avp_key *key, const struct avp_key_files *files, int64_t now,
                  char *message, size_t size);

/* Frees the key (OpenSSL wipes it). May be called twice. */
void avp_key_free(struct avp_key *key);

#endif
