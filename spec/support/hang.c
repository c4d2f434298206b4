/* hang.c - a resolver that never answers, for specs: preloaded into a process, it makes look-ups of
 * names that end in ".hang" last until the process ends, as a name server does that drops all
 * packets. Other names are looked up as ever.
 *
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **result) {
  static lookup *original;
  size_t len = name != NULL ? strlen(name) : 0;
  while (len > 5 && strcmp(name + len - 5, ".hang") == 0) pause();
  if (original == NULL) *(void **)&original = dlsym(RTLD_NEXT, "getaddrinfo");
  return original(name, service, hints, result);
}
