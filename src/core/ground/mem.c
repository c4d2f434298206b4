/* mem.c - allocates, wipes and counts the core's blocks (mem.h).
 * SPDX-License-Identifier: MIT */
#include "mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static long fail_countdown; /* 0: no failure planned */
static long live_blocks;    /* blocks handed out and not yet freed */

static bool must_fail(void) { return fail_countdown > 0 && --fail_countdown == 0; }

static void *counted(void *block) {
  if (block != NULL) live_blocks++;
  return block;
}

void *avp_alloc(size_t size) { return counted(must_fail() ? NULL : calloc(1, size)); }

void *avp_alloc_unset(size_t size) { return counted(must_fail() ? NULL : malloc(size)); }

void avp_free(void *block) {
  if (block == NULL) return;
  live_blocks--;
  free(block);
}

char *avp_strdup(const char *text) {
  size_t size;
  char *copy;
  if (text == NULL) return NULL;
  size = strlen(text) + 1;
  copy = avp_alloc(size);
  if (copy != NULL) memcpy(copy, text, size);
  return copy;
}

void avp_wipe(void *block, size_t size) {
  volatile unsigned char *byte = block;
  while (size-- > 0) *byte++ = 0;
}

void avp_free_secret(char *text) {
  if (text == NULL) return;
  avp_wipe(text, strlen(text));
  avp_free(text);
}

long avp_mem_fail_at(long n) {
  long left = fail_countdown;
  fail_countdown = n;
  return left;
}

long avp_mem_live(void) { return live_blocks; }
