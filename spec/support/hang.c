/* hang.c - odd answers of a resolver, for specs. Preloaded into a process, it makes look-ups of
 * names that end in ".hang" last until the process ends, as a name server does that drops all
 * packets; those that end in ".two" have the addresses 127.0.0.2 and 127.0.0.1, in this order.
 * Other names are looked up as ever.
 *
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static bool ends_in(const char *name, const char *end) {
  size_t len = name != NULL ? strlen(name) : 0;
  return len > strlen(end) && strcmp(name + len - strlen(end), end) == 0;
}

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **result) {
  static lookup *original;
  while (ends_in(name, ".hang")) pause();
  if (original == NULL) *(void **)&original = dlsym(RTLD_NEXT, "getaddrinfo");
  if (ends_in(name, ".two")) {
    int failed = original("127.0.0.2", service, hints, result);
    struct addrinfo *last = failed ? NULL : *result;
    while (last != NULL && last->ai_next != NULL) last = last->ai_next;
    return failed ? failed : original("127.0.0.1", service, hints, &last->ai_next);
  }
  return original(name, service, hints, result);
}
