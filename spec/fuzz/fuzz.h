/* fuzz.h - what the fuzz targets share: a check that stops the fuzzer, and input read in parts.
 *
 * Each NAME.c of this folder is a program of libFuzzer (`make fuzz`). It hands hostile bytes to one
 * part of the library and checks what that part promises for any bytes, not only that it survives.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_FUZZ_H
#define AVP_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
