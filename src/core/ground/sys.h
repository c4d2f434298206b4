/* sys.h - all that the core asks of the operating system.
 *
 * The only unit with calls beyond C99: clocks, process id, random bytes, SIGPIPE, and the set of
 * descriptors that stands for all of libcurl's sockets (epoll on Linux, kqueue elsewhere).
 * Everything above takes the time as an argument.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_SYS_H
#define AVP_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AVP_NEVER INT64_MAX /* a moment that does not come: no deadline, no timer */

/* Monotonic clock in milliseconds, from an arbitrary start. */
int64_t avp_sys_now_ms(void);

/* Wall clock in milliseconds since 1970-01-01 UTC. */
int64_t avp_sys_wall_ms(void);

/* Id of this process. */
long avp_sys_pid(void);

/* Fills `size` bytes with unpredictable ones (from the system, else from clock and addresses). */
void avp_sys_random(void *bytes, size_t size);

/* Whether `path` is a directory that holds OpenSSL's hashed names (XXXXXXXX.0). */
bool avp_sys_is_hashed_dir(const char *path);

/* Keeps this module mapped until the process ends: a resolver thread of libcurl may outlive the
 * Lua state that loaded us. */
void avp_sys_pin_module(void);

/* SIGPIPE, kept from the process while libcurl writes: block, call libcurl, restore. */
struct avp_sigpipe {
  bool blocked;     /* we blocked it and have to undo that */
  bool was_pending; /* it was pending before, so it is not ours to swallow */
};
void avp_sys_sigpipe_block(struct avp_sigpipe *state);
void avp_sys_sigpipe_restore(struct avp_sigpipe *state);

enum { AVP_SYS_READ = 1, AVP_SYS_WRITE = 2, AVP_SYS_ERROR = 4 };

struct avp_sys_ready {
  int fd;     /* the descriptor */
  int events; /* AVP_SYS_ bits */
};

/* Makes a set of watched descriptors. Returns its own descriptor, which polls as readable while
 * one of them is ready, or -1. */
int avp_sys_set_open(void);

/* Watches `fd` for `events` (0: no longer). What was watched before is replaced; a descriptor
 * that is closed already is forgotten without complaint. False when the system refuses. */
bool avp_sys_set_watch(int set, int fd, int events);

/* Descriptors that are ready, waiting for at most `timeout_ms` (0: do not wait). Returns how
 * many of `ready` were filled, 0 after a signal or a timeout, -1 if the set is broken (its
 * descriptor was closed by others). `set` may be -1: then it only waits. */
int avp_sys_set_wait(int set, struct avp_sys_ready *ready, int max, int timeout_ms);

void avp_sys_close(int fd);

#endif
