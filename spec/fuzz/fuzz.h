/* fuzz.h - what the fuzz targets share: a check that stops the fuzzer, and input read in parts.
 *
 * Each NAME.c of this folder is a program of libFuzzer (`make fuzz`). It hands hostile bytes to one
 * part of the library and checks what that part promises for any bytes, not only that it survives.
 *
 * Time and chance are the program's own, so that two runs with one seed try the same inputs.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_FUZZ_H
#define AVP_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The linker puts these in the place of the functions of sys.h (--wrap in the Makefile). */
int64_t __wrap_avp_sys_now_ms(void);
int64_t __wrap_avp_sys_wall_ms(void);
void __wrap_avp_sys_random(void *bytes, size_t size);

/* A millisecond later each time it is read. */
int64_t __wrap_avp_sys_now_ms(void) {
  static int64_t now;
  return now++;
}

int64_t __wrap_avp_sys_wall_ms(void) { return INT64_C(1800000000000) + __wrap_avp_sys_now_ms(); }

void __wrap_avp_sys_random(void *bytes, size_t size) { memset(bytes, 7, size); }

/* In the place of libc's: os.time, and the seed of Lua's hashes. Visible, so that Lua finds it. */
__attribute__((visibility("default"))) time_t time(time_t *out) {
  if (out != NULL) *out = 1800000000;
  return 1800000000;
}

/* Ends the fuzzer, which then keeps the input. */
#define MUST(condition)                                                                            \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                      \
      abort();                                                                                     \
    }                                                                                              \
  } while (0)

/* What is left of the input. */
struct input {
  const uint8_t *data;
  size_t left;
};

/* Takes a byte; 0 at the end. */
static inline unsigned take_byte(struct input *in) {
  if (in->left == 0) return 0;
  in->left--;
  return *in->data++;
}

/* Takes eight bytes, fewer at the end. */
static inline uint64_t take_number(struct input *in) {
  uint64_t n = 0;
  int i;
  for (i = 0; i < 8; i++) n = n << 8 | take_byte(in);
  return n;
}

/* Takes all up to a byte `end` (which is dropped) or the end of the input: a block of its own, so
 * that reading past it is seen; with a NUL behind it, which `len` does not count. */
static inline char *take_until(struct input *in, int end, size_t *len) {
  const uint8_t *stop = in->left > 0 ? memchr(in->data, end, in->left) : NULL;
  size_t size = stop != NULL ? (size_t)(stop - in->data) : in->left;
  char *text = malloc(size + 1);
  MUST(text != NULL);
  if (size > 0) memcpy(text, in->data, size);
  text[size] = '\0';
  in->data += size;
  in->left -= size;
  if (stop != NULL) take_byte(in);
  if (len != NULL) *len = size;
  return text;
}

/* The same with all that is left. */
static inline char *take_rest(struct input *in, size_t *len) {
  size_t size = in->left;
  char *text = malloc(size + 1);
  MUST(text != NULL);
  if (size > 0) memcpy(text, in->data, size);
  text[size] = '\0';
  in->left = 0;
  if (len != NULL) *len = size;
  return text;
}

#endif
