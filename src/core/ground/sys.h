/* sys.h - all that the core asks of the operating system.
 *
 * The only unit with calls beyond C99: clocks, process id, random bytes, SIGPIPE, terminals, and
 * the set of descriptors that stands for all of libcurl's sockets (epoll on Linux, kqueue
 * elsewhere). Files that replace others are declared in output.h. All other units take the time as
 * an argument. SPDX-License-Identifier: MIT */
#ifndef AVP_SYS_H
#define AVP_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define AVP_NEVER INT64_MAX /* a moment that does not come: no deadline, no timer */

/* Returns the monotonic clock in milliseconds, from an arbitrary start. */
int64_t avp_sys_now_ms(void);

/* Returns the wall clock in milliseconds since 1970-01-01 UTC. */
int64_t avp_sys_wall_ms(void);

/* Returns the id of this process. */
long avp_sys_pid(void);

/* Fills `size` bytes with unpredictable ones (from the system, else from clock and addresses). */
void avp_sys_random(void *bytes, size_t size);

/* Whether `path` is a directory that holds OpenSSL's hashed names (XXXXXXXX.0). */
bool avp_sys_is_hashed_dir(const char *path);

/* Returns how many columns the terminal has that an open file writes to, 80 if it does not tell; 0
 * if it is no terminal. */
int avp_sys_terminal_columns(FILE *file);

/* Keeps this module mapped until the process ends: a resolver thread of libcurl may outlive the
 * Lua state that loaded us. */
void avp_sys_pin_module(void);

/* Keeps SIGPIPE from the process while libcurl writes: block, call libcurl, restore. Returns
 * whether it was blocked only now, which restore takes. */
bool avp_sys_sigpipe_block(void);
void avp_sys_sigpipe_restore(bool blocked);

/* Makes a socket that a program started by this process does not inherit. Returns -1 if the system
 * refuses. */
int avp_sys_socket(int family, int type, int protocol);

/* Makes a set of watched descriptors. Returns its own descriptor, which polls as readable while
 * one of them is ready, or -1. */
int avp_sys_set_open(void);

/* Watches `fd` for reading and writing as told, instead of what it was watched for before; for
 * neither: no longer. Forgets a descriptor that is closed already. False if the system refuses. */
bool avp_sys_set_watch(int set, int fd, bool reads, bool writes);

/* Waits at most `timeout_ms` (0: not at all) for ready descriptors and writes them to `ready`.
 * Returns how many, 0 after a signal or a timeout, -1 if the set is broken (somebody closed its
 * descriptor). If `set` is -1, only waits. */
#define AVP_SYS_READY_MAX 16
int avp_sys_set_wait(int set, int ready[AVP_SYS_READY_MAX], int timeout_ms);

/* Closes a descriptor; ignores -1. */
void avp_sys_close(int fd);

#endif
