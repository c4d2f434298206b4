/* mem.h - the one allocator of the core.
 *
 * Every block the core owns comes from here, so that a test can let the n-th allocation fail.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_MEM_H
#define AVP_MEM_H

#include <stddef.h>

/* Returns `size` zeroed bytes, or NULL when memory is out. `size` must not be 0. */
void *avp_alloc(size_t size);

/* The same, but the bytes hold anything: for large blocks that are filled at once. */
void *avp_alloc_unset(size_t size);

/* Frees a block; NULL is allowed. */
void avp_free(void *block);

/* Returns a copy of a string, or NULL for NULL and when memory is out. */
char *avp_strdup(const char *text);

/* Overwrites `size` bytes in a way the compiler keeps. */
void avp_wipe(void *block, size_t size);

/* Wipes and frees a string that may hold a secret; NULL is allowed. */
void avp_free_secret(char *text);

/* For tests: lets the n-th allocation from now fail (1 is the next one); 0 switches it off. Returns
 * how many were left until the failure planned before; 0 if it has come, or none was planned. */
long avp_mem_fail_at(long n);

/* For tests: returns the number of blocks that are allocated now. */
long avp_mem_live(void);

#endif
