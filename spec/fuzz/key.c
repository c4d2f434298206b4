/* key.c - fuzzes the files of certificates and keys: PEM, DER and PKCS#12, with and without a
 * password.
 * SPDX-License-Identifier: MIT */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include "fuzz.h"

#include <openssl/err.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sign/key.h"

/* A file without a name, but with a path; returns its descriptor. */
static int make_file(const char *text, size_t len, char *path, size_t size) {
  int fd = memfd_create("key", MFD_CLOEXEC);
  MUST(fd >= 0 && write(fd, text, len) == (ssize_t)len);
  snprintf(path, size, "/proc/self/fd/%d", fd);
  return fd;
}

/* Longer than OpenSSL takes. */
static const char *long_password(void) {
  static char text[5000];
  memset(text, 'p', sizeof text - 1);
  return text;
}

static void check_load(const struct avp_key_files *files) {
  struct avp_key key;
  char message[768] = "";
  bool loaded;
  memset(&key, 0, sizeof key);
  loaded = avp_key_load(&key, files, 1800000000, message, sizeof message);
  MUST(ERR_peek_error() == 0); /* the host's queue is left empty */
  if (loaded) {
    MUST(key.pkey != NULL && EVP_PKEY_base_id(key.pkey) == EVP_PKEY_RSA);
    MUST(strlen(key.thumbprint) == 40 && key.expires >= 1800000000);
  } else {
    MUST(message[0] != '\0' && strlen(message) < sizeof message);
    MUST(key.pkey == NULL);
    MUST(files->password == NULL || strstr(message, files->password) == NULL);
  }
  avp_key_free(&key);
  avp_key_free(&key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input in = {data, size};
  unsigned flags = take_byte(&in);
  struct avp_key_files files = {NULL, NULL, NULL};
  char paths[2][64];
  int fds[2] = {-1, -1};
  size_t len;
  char *text;
  if (flags & 1) { /* the key apart, behind a byte 3 */
    text = take_until(&in, 3, &len);
    fds[1] = make_file(text, len, paths[1], sizeof paths[1]);
    files.private_key = paths[1];
    free(text);
  }
  text = take_rest(&in, &len);
  fds[0] = make_file(text, len, paths[0], sizeof paths[0]);
  files.certificate = paths[0];
  if (flags & 2) files.password = flags & 4 ? long_password() : "p4ssw0rd-of-it";
  check_load(&files);
  free(text);
  close(fds[0]);
  if (fds[1] >= 0) close(fds[1]);
  return 0;
}
