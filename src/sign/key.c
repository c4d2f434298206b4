/* key.c - reads certificate and key with OpenSSL, and says why if that fails (key.h).
 * SPDX-License-Identifier: MIT */
#include "key.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One call of avp_key_load: what it has read, and where the sentence about a failure goes. */
struct load {
  const struct avp_key_files *files;
  STACK_OF(X509) * found; /* all certificates of the file */
  X509 *certificate;      /* the one among them that belongs to the key */
  EVP_PKEY *pkey;
  bool asked_for_password; /* OpenSSL wanted one for the key */
  char *message;           /* `size` bytes */
  size_t size;
};

/* Writes the sentence; returns false. Adds a colon and the path, but where that could not be opened
 * (NULL): the text may be the key itself. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static bool
fail(struct load *load, const char *path, const char *format, ...) {
  size_t used;
  va_list args;
  va_start(args, format);
  vsnprintf(load->message, load->size, format, args);
  va_end(args);
  used = strlen(load->message);
  if (path != NULL) snprintf(load->message + used, load->size - used, ": %.300s", path);
  return false;
}

/* OpenSSL always gets this callback: without one it would ask at the terminal. */
static int give_password(char *out, int size, int writing, void *user) {
  struct load *load = user;
  size_t len = load->files->password != NULL ? strlen(load->files->password) : 0;
  (void)writing;
  load->asked_for_password = true;
  if (len == 0 || len > (size_t)size) return -1;
  memcpy(out, load->files->password, len);
  return (int)len;
}

/* Opens the file, behind its byte order mark if it has one. */
static BIO *open_file(struct load *load, const char *path, const char *option) {
  char mark[3];
  BIO *buffer = BIO_new(BIO_f_buffer()); /* to look ahead in a pipe too */
  BIO *file = BIO_new_file(path, "rb");
  if (buffer == NULL || file == NULL) {
    fail(load, NULL, "%s cannot be read (%s): it is to be the path of a file", option,
         strerror(errno));
    BIO_free(buffer);
    BIO_free(file);
    return NULL;
  }
  BIO_push(buffer, file);
  if (BIO_buffer_peek(buffer, mark, 3) == 3 && memcmp(mark, "\xEF\xBB\xBF", 3) == 0) {
    BIO_read(buffer, mark, 3);
  }
  return buffer;
}

/* Whether OpenSSL has failed for an encryption that it does not open. */
static bool was_unsupported(void) {
  unsigned long code;
  while ((code = ERR_get_error()) != 0) {
    const char *reason = ERR_reason_error_string(code);
    if (reason != NULL && strstr(reason, "unsupported") != NULL) return true;
  }
  return false;
}

static bool wrong_password(struct load *load, const char *option, const char *path) {
  return load->files->password != NULL
             ? fail(load, path, "certificate_password does not open %s", option)
             : fail(load, path,
                    "%s is encrypted: give certificate_password or AVEPOINT_CERTIFICATE_PASSWORD",
                    option);
}

static bool open_pkcs12(struct load *load, PKCS12 *bundle) {
  const char *path = load->files->certificate;
  const char *password = load->files->password;
  if (load->files->private_key != NULL) {
    return fail(
        load, path,
        "private_key is not needed: the certificate is a PKCS#12 file, which holds its key");
  }
  /* PKCS12_parse wants a MAC if there is a password */
  if (!PKCS12_mac_present(bundle) && password != NULL) {
    (void)PKCS12_set_mac(bundle, password, -1, NULL, 0, 1, NULL);
  }
  if (PKCS12_parse(bundle, password != NULL ? password : "", &load->pkey, &load->certificate,
                   NULL)) {
    if (load->pkey != NULL && load->certificate != NULL) return true;
    return fail(load, path, "certificate holds no private key: export it together with its key");
  }
  if (!was_unsupported()) return wrong_password(load, "certificate", path);
  return fail(load, path,
              "certificate uses an old encryption that OpenSSL does not open: convert it with "
              "\"openssl pkcs12 -legacy -in OLD -nodes | openssl pkcs12 -export -out NEW\"");
}

/* Keeps a certificate of the file, and frees it if there is no memory to keep it. */
static void keep(struct load *load, X509 *certificate) {
  if (certificate != NULL && !sk_X509_push(load->found, certificate)) X509_free(certificate);
}

static bool read_certificates(struct load *load) {
  const char *path = load->files->certificate;
  BIO *file = open_file(load, path, "certificate");
  PKCS12 *bundle = NULL;
  X509 *next;
  bool done = true;
  if (file == NULL) return false;
  while ((next = PEM_read_bio_X509(file, NULL, give_password, load)) != NULL) keep(load, next);
  if (sk_X509_num(load->found) == 0 && BIO_reset(file) == 0) bundle = d2i_PKCS12_bio(file, NULL);
  if (bundle != NULL) {
    ERR_clear_error();
    done = open_pkcs12(load, bundle);
    PKCS12_free(bundle);
    keep(load, load->certificate);
  } else if (sk_X509_num(load->found) == 0 && BIO_reset(file) == 0) {
    keep(load, d2i_X509_bio(file, NULL));
  }
  BIO_free_all(file);
  if (!done || sk_X509_num(load->found) > 0) return done;
  return fail(load, path,
              "certificate is neither PEM nor PKCS#12 (the file of the key "
              "is named by private_key or AVEPOINT_PRIVATE_KEY)");
}

/* Reads a key as PEM, or as DER, in the clear or encrypted. */
static EVP_PKEY *parse_key(struct load *load, BIO *file) {
  EVP_PKEY *pkey = PEM_read_bio_PrivateKey(file, NULL, give_password, load);
  if (pkey == NULL && BIO_reset(file) == 0) pkey = d2i_PrivateKey_bio(file, NULL);
  if (pkey == NULL && BIO_reset(file) == 0) {
    pkey = d2i_PKCS8PrivateKey_bio(file, NULL, give_password, load);
  }
  return pkey;
}

static bool read_key(struct load *load) {
  bool apart = load->files->private_key != NULL;
  const char *path = apart ? load->files->private_key : load->files->certificate;
  const char *option = apart ? "private_key" : "certificate";
  BIO *file;
  if (load->pkey != NULL) return true; /* read from PKCS#12 already */
  file = open_file(load, path, option);
  if (file == NULL) return false;
  load->pkey = parse_key(load, file);
  BIO_free_all(file);
  if (load->pkey != NULL) return true;
  if (load->asked_for_password) return wrong_password(load, option, path);
  return fail(load, path, "%s holds no private key, in PEM form or DER%s", option,
              apart ? "" : "; name the key's file in private_key or AVEPOINT_PRIVATE_KEY");
}

/* Chooses the certificate that belongs to the key: issuers may stand before it. If none does, the
 * first, for check_pair to complain about. */
static void choose_certificate(struct load *load) {
  int i = sk_X509_num(load->found);
  while (--i > 0 && !X509_check_private_key(sk_X509_value(load->found, i), load->pkey)) continue;
  load->certificate = sk_X509_value(load->found, i);
}

static bool is_rsa(EVP_PKEY *pkey) { return EVP_PKEY_base_id(pkey) == EVP_PKEY_RSA; }

static bool check_pair(struct load *load) {
  EVP_PKEY *public_key = X509_get0_pubkey(load->certificate);
  const char *certificate = load->files->certificate;
  const char *key = load->files->private_key != NULL ? load->files->private_key : certificate;
  if (public_key == NULL || !is_rsa(public_key)) {
    return fail(load, certificate,
                "certificate has no RSA key (assertions are signed with RS256): make an RSA "
                "certificate");
  }
  if (!is_rsa(load->pkey)) {
    return fail(load, key, "the private key is no RSA key (assertions are signed with RS256)");
  }
  if (X509_check_private_key(load->certificate, load->pkey)) return true;
  return fail(load, certificate,
              "the private key of %.250s and the certificate do not belong together", key);
}

static bool check_validity(struct load *load, int64_t now) {
  time_t at = (time_t)now;
  const char *path = load->files->certificate;
  char date[64] = "";
  BIO *text = BIO_new(BIO_s_mem());
  const ASN1_TIME *end = X509_get0_notAfter(load->certificate);
  const ASN1_TIME *start = X509_get0_notBefore(load->certificate);
  int ends = X509_cmp_time(end, &at);
  int starts = X509_cmp_time(start, &at);
  bool late = ends < 0;
  bool early = starts > 0;
  if (text != NULL) {
    ASN1_TIME_print(text, late ? end : start);
    BIO_gets(text, date, sizeof date);
    BIO_free(text);
  }
  if (late) {
    return fail(load, path, "certificate expired on %s: upload a new one to the app registration",
                date);
  }
  if (early) {
    return fail(load, path, "certificate is not valid before %s: check this machine's clock", date);
  }
  if (ends == 0 || starts == 0) {
    return fail(load, path, "certificate has no readable dates of validity: make a new one");
  }
  if (X509_get_key_usage(load->certificate) & KU_DIGITAL_SIGNATURE)
    return true; /* or the certificate limits no use */
  return fail(load, path, "certificate must not sign: its key usage lacks Digital Signature");
}

static bool note_thumbprint(struct load *load, struct avp_key *key) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned len = 0;
  size_t i;
  if (!X509_digest(load->certificate, EVP_sha1(), digest, &len) || len != 20) {
    return fail(load, load->files->certificate, "OpenSSL makes no SHA-1 thumbprint of it");
  }
  for (i = 0; i < len; i++) snprintf(key->thumbprint + 2 * i, 3, "%02X", digest[i]);
  return true;
}

static void note_expiry(const struct load *load, struct avp_key *key, int64_t now) {
  ASN1_TIME *today = ASN1_TIME_set(NULL, (time_t)now);
  int days = 0;
  int seconds = 0;
  if (today != NULL &&
      ASN1_TIME_diff(&days, &seconds, today, X509_get0_notAfter(load->certificate))) {
    key->expires = now + (int64_t)days * 86400 + seconds;
  }
  ASN1_TIME_free(today);
}

static bool load_all(struct load *load, struct avp_key *key, int64_t now) {
  if (load->found == NULL) return fail(load, NULL, "out of memory for the certificate");
  if (!read_certificates(load) || !read_key(load)) return false;
  choose_certificate(load);
  return check_pair(load) && check_validity(load, now) && note_thumbprint(load, key);
}

bool avp_key_load(struct avp_key *key, const struct avp_key_files *files, int64_t now,
                  char *message, size_t size) {
  struct load load = {.files = files, .message = message, .size = size};
  bool done;
  ERR_clear_error();
  load.found = sk_X509_new_null();
  done = load_all(&load, key, now);
  if (done) {
    note_expiry(&load, key, now);
    key->pkey = load.pkey;
  } else {
    EVP_PKEY_free(load.pkey);
  }
  sk_X509_pop_free(load.found, X509_free);
  ERR_clear_error();
  return done;
}

void avp_key_free(struct avp_key *key) {
  EVP_PKEY_free(key->pkey);
  key->pkey = NULL;
}
