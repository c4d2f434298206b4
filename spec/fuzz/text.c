/* text.c - fuzzes the cleaning and measuring of text for terminals.
 * SPDX-License-Identifier: MIT */
#include "ground/text.h"
#include "fuzz.h"

/* Reads a character, or returns 0 bytes if it is no UTF-8: another reading than text.c's. */
static size_t decode(const unsigned char *s, size_t left, uint32_t *c) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t size = s[0] < 0x80       ? 1
                : s[0] >> 5 == 6  ? 2
                : s[0] >> 4 == 14 ? 3
                : s[0] >> 3 == 30 ? 4
                                  : 0;
  size_t i;
  if (size == 0 || size > left) return 0;
  *c = size == 1 ? s[0] : s[0] & (0x7FU >> size);
  for (i = 1; i < size; i++) {
    if (s[i] >> 6 != 2) return 0;
    *c = *c << 6 | (s[i] & 0x3FU);
  }
  return *c < least[size] || *c > 0x10FFFF || (*c >= 0xD800 && *c <= 0xDFFF) ? 0 : size;
}

/* What steers a terminal, or turns text around. */
static bool steers(uint32_t c) {
  return c < ' ' || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029 || c == 0x200E ||
         c == 0x200F || c == 0x61C || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

static void check_clean(const char *text, size_t len) {
  const unsigned char *s = (const unsigned char *)text;
  size_t i = 0;
  while (i < len) {
    uint32_t c = 0;
    size_t size = decode(s + i, len - i, &c);
    MUST(size > 0);
    MUST(!steers(c));
    i += size;
  }
}

static void check_characters(const char *text, size_t len) {
  size_t i = 0;
  while (i < len) {
    uint32_t c;
    int size = avp_text_character(text + i, len - i);
    size_t good = decode((const unsigned char *)text + i, len - i, &c);
    MUST(size != 0 && size >= -3 && size <= 4);
    MUST(size > 0 ? good == (size_t)size : good == 0);
    i += (size_t)(size > 0 ? size : -size);
    MUST(i <= len);
  }
}

static void check_fit(const char *text, size_t len, size_t most) {
  size_t columns;
  size_t again;
  size_t fitting = avp_text_fit(text, len, most, &columns);
  MUST(fitting <= len && columns <= most);
  check_clean(text, fitting); /* no character is cut */
  MUST(avp_text_fit(text, fitting, most, &again) == fitting && again == columns);
  MUST(avp_text_fit(text, len, SIZE_MAX / 2, &again) == len && again >= columns);
  MUST((fitting == len) == (again <= most));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input in = {data, size};
  size_t most = take_byte(&in);
  size_t len;
  size_t clean;
  char *text = take_rest(&in, &len);
  char *copy = malloc(len + 1);
  MUST(copy != NULL);
  check_characters(text, len);
  memcpy(copy, text, len);
  clean = avp_text_clean(copy, len);
  MUST(clean <= len);
  check_clean(copy, clean);
  check_fit(copy, clean, most % 100);
  memcpy(text, copy, clean);
  MUST(avp_text_clean(text, clean) == clean && memcmp(text, copy, clean) == 0);
  free(text);
  free(copy);
  return 0;
}
