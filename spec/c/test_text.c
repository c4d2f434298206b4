/* test_text.c - text.h: what is cleaned away, and how many columns the rest takes.
 *
 * SPDX-License-Identifier: MIT */
#include "ground/text.h"

#include <stdbool.h>
#include <stdint.h>

#include "check.h"

static void check_clean(const char *text, size_t len, const char *expected) {
  char copy[64];
  memcpy(copy, text, len);
  copy[avp_text_clean(copy, len)] = '\0';
  CHECK_STR(expected, copy);
}

#define CHECK_CLEAN(expected, text) check_clean(text, sizeof(text) - 1, expected)

static void check_columns(const char *text, size_t expected) {
  size_t columns;
  CHECK_INT(strlen(text), avp_text_fit(text, strlen(text), SIZE_MAX, &columns));
  CHECK_INT(expected, columns);
}

static void test_control_characters(void) {
  CHECK_CLEAN("", "");
  CHECK_CLEAN("plain ~", "plain ~");
  CHECK_CLEAN("a b", "a\0b");
  CHECK_CLEAN("a b", "a\x1b"
                     "b");
  CHECK_CLEAN("a b", "a\r\n\t\x7f"
                     "b"); /* a run is one blank */
  CHECK_CLEAN("a b", "a\x9b"
                     "b"); /* CSI as a single byte */
  CHECK_CLEAN("a b", "a\xc2\x9b"
                     "b");
}

static void test_format_characters(void) {
  CHECK_CLEAN("a b", "a\xe2\x80\xae"
                     "b"); /* U+202E turns the direction around */
  CHECK_CLEAN("a b", "a\xe2\x81\xa6\xe2\x80\xa8"
                     "b");
  CHECK_CLEAN("a b", "a\xf3\xa0\x81\xa1"
                     "b"); /* a tag */
  CHECK_CLEAN("a b", "a\xe2\x80\x8d"
                     "b"); /* a joiner between Latin letters */
  CHECK_CLEAN(" ", "\xe2\x80\xae\xe2\x80\x8d");
  CHECK_CLEAN("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
              "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb");
}

static void test_what_is_no_utf8(void) {
  CHECK_CLEAN("a?b", "a\xff"
                     "b");
  CHECK_CLEAN("?", "\xe2\x82");          /* cut short */
  CHECK_CLEAN("?x", "\xf0\x9f\x91x");    /* cut short, then something else */
  CHECK_CLEAN("??", "\xc0\xaf");         /* a long form */
  CHECK_CLEAN("?? ", "\xed\xa0\x80");    /* a surrogate; its last byte is one of C1 */
  CHECK_CLEAN("? ", "\xf4\x90\x80\x80"); /* behind the last character */
  CHECK_CLEAN("\xf4\x8f\xbf\xbd", "\xf4\x8f\xbf\xbd");
}

/* No byte sequence may be read beyond its end, grow, or come out with what was to go. */
static void test_any_bytes(void) {
  uint32_t state = 1;
  int round;
  for (round = 0; round < 20000; round++) {
    char text[24];
    size_t len = (size_t)round % sizeof text;
    size_t columns;
    size_t again;
    size_t i;
    for (i = 0; i < len; i++) {
      state = state * 1664525 + 1013904223;
      text[i] = (char)(state >> 24);
    }
    i = avp_text_clean(text, len);
    CHECK(i <= len);
    CHECK_INT(i, avp_text_fit(text, i, SIZE_MAX, &columns));
    again = avp_text_clean(text, i);
    CHECK_INT(i, again);
  }
}

static void test_columns(void) {
  check_columns("", 0);
  check_columns("abc", 3);
  check_columns("Z\xc3\xbcrich", 6);
  check_columns("\xe6\x9d\xb1\xe4\xba\xac", 4);
  check_columns("\xef\xbd\xb6\xef\xbe\x9e", 2);         /* half-width, with its sound mark */
  check_columns("e\xcc\x81", 1);                        /* a mark on a letter */
  check_columns("\xcc\x81", 0);                         /* a mark on nothing */
  check_columns("\xe2\x9d\xa4", 1);                     /* a heart as text */
  check_columns("\xe2\x9d\xa4\xef\xb8\x8f", 2);         /* as an emoji */
  check_columns("a\xef\xb8\x8f", 1);                    /* no emoji */
  check_columns("\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa", 2); /* a flag */
  check_columns("\xf0\x9f\x8f\xbd", 2);                 /* a skin tone on nothing */
}

static void test_cuts_between_clusters(void) {
  static const char text[] = "a\xcc\x81\xe6\x9d\xb1z";
  size_t columns;
  CHECK_INT(0, avp_text_fit(text, sizeof text - 1, 0, &columns));
  CHECK_INT(0, columns);
  CHECK_INT(3, avp_text_fit(text, sizeof text - 1, 1, &columns));
  CHECK_INT(3, avp_text_fit(text, sizeof text - 1, 2, &columns));
  CHECK_INT(1, columns);
  CHECK_INT(6, avp_text_fit(text, sizeof text - 1, 3, &columns));
  CHECK_INT(7, avp_text_fit(text, sizeof text - 1, 4, &columns));
  CHECK_INT(4, columns);
}

static void test_sizes(void) {
  static const struct {
    const char *text;
    int size;
  } cases[] = {
      {"a", 1},
      {"\x7f", 1},
      {"\xC2\x80", 2},
      {"\xE4\xB8\xAD", 3},
      {"\xF0\x9F\x98\x80", 4},
      {"\x80", -1},
      {"\x9B", -1},
      {"\xC0\x80", -1},
      {"\xE0\x80\x80", -1},
      {"\xED\xA0\x80", -1},
      {"\xE4\xB8", -2},
      {"\xE4\xB8"
       "a",
       -2},
      {"\xF0\x9F\x98", -3},
      {"\xF5\x80", -1},
      {"\xFF", -1},
  };
  size_t i;
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    CHECK_INT(cases[i].size, avp_text_character(cases[i].text, strlen(cases[i].text)));
  }
}

static const struct check_test tests[] = {
    {"text: the size of a character", test_sizes},
    {"text: control characters are a blank", test_control_characters},
    {"text: format characters are a blank", test_format_characters},
    {"text: what is no UTF-8 is a question mark", test_what_is_no_utf8},
    {"text: any bytes", test_any_bytes},
    {"text: columns are those of Unicode", test_columns},
    {"text: a cut lies between clusters", test_cuts_between_clusters},
};

CHECK_MAIN(tests)
