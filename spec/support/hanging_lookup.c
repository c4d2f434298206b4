/* Preloaded into a host: looking up a name that ends in .hangs takes a minute, as with a resolver
 * that never answers.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result) {
  size_t length = node ? strlen(node) : 0;
  if (length > 6 && strcmp(node + length - 6, ".hangs") == 0) {
    sleep(60);
    return EAI_FAIL;
  }
  return ((lookup *)dlsym(RTLD_NEXT, "getaddrinfo"))(node, service, hints, result);
}
