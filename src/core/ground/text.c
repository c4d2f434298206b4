/* text.c - cleans and measures text for terminals (text.h).
 * SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What a character is besides one column wide. */
enum {
  M = 1,  /* a mark on the character before it, no column of its own */
  S = 2,  /* a mark that takes a column */
  W = 4,  /* two columns */
  P = 8,  /* a pictograph: may be an emoji, or a part of one */
  B = 16, /* shown as a blank */
};

struct range {
  uint32_t first;
  unsigned more : 24;
  unsigned flags : 8;
};

#include "text_table.h"

#define NO_CHARACTER      0xFFFFFFFFU
#define JOINER            0x200DU
#define NON_JOINER        0x200CU
#define EMOJI_STYLE       0xFE0FU
#define FIRST_JOINING     0x600U /* scripts before it (Latin, Greek, Cyrillic) have no joiners */
#define is_regional(c)    ((c) >= 0x1F1E6U && (c) <= 0x1F1FFU) /* two of them are a flag */
#define is_skin_tone(c)   ((c) >= 0x1F3FBU && (c) <= 0x1F3FFU)
#define is_keycap_base(c) ((c) == '#' || (c) == '*' || ((c) >= '0' && (c) <= '9'))

static unsigned flags_of(uint32_t c) {
  size_t low = 0;
  size_t high = sizeof ranges / sizeof ranges[0];
  if (c >= ' ' && c < 0x7F) return 0;
  while (low < high) {
    size_t middle = (low + high) / 2;
    const struct range *range = &ranges[middle];
    if (c < range->first) {
      high = middle;
    } else if (c - range->first > range->more) {
      low = middle + 1;
    } else {
      return range->flags;
    }
  }
  return 0;
}

/* Reads a character from `left` bytes, at least one. Returns how many bytes it has. What is no
 * UTF-8 is NO_CHARACTER, but a single byte of C1, which some terminals obey, is that control. */
static size_t read_character(const char *text, size_t left, uint32_t *c) {
  const unsigned char *s = (const unsigned char *)text;
  size_t size = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
  /* the second byte's range keeps out long forms, surrogates and what lies behind the last */
  unsigned low = s[0] == 0xE0 ? 0xA0 : s[0] == 0xF0 ? 0x90 : 0x80;
  unsigned high = s[0] == 0xED ? 0x9F : s[0] == 0xF4 ? 0x8F : 0xBF;
  size_t i;
  if (size == 0 || s[0] > 0xF4) {
    *c = s[0] < 0xA0 ? s[0] : NO_CHARACTER;
    return 1;
  }
  *c = size == 1 ? s[0] : s[0] & (0x7FU >> size);
  for (i = 1; i < size; i++) {
    if (i == left || s[i] < low || s[i] > high) {
      *c = NO_CHARACTER;
      return i;
    }
    *c = *c << 6 | (s[i] & 0x3FU);
    low = 0x80;
    high = 0xBF;
  }
  return size;
}

int avp_text_character(const char *text, size_t left) {
  uint32_t c;
  int size = (int)read_character(text, left, &c);
  bool single = size == 1 && (unsigned char)text[0] >= 0x80; /* of C1: a control, but no UTF-8 */
  return c == NO_CHARACTER || single ? -size : size;
}

size_t avp_text_clean(char *text, size_t len) {
  uint32_t before = ' ';
  bool blank = false; /* the last one written stands for a run of them */
  size_t used = 0;
  size_t i = 0;
  while (i < len) {
    uint32_t c;
    size_t n = read_character(text + i, len - i, &c);
    bool useless = (c == JOINER || c == NON_JOINER) && (before < FIRST_JOINING || blank);
    if (c == NO_CHARACTER) {
      text[used++] = '?';
      blank = false;
    } else if (useless || flags_of(c) & B) {
      if (!blank) text[used++] = ' ';
      blank = true;
    } else {
      memmove(text + used, text + i, n);
      used += n;
      blank = false;
    }
    before = c == NO_CHARACTER ? '?' : c;
    i += n;
  }
  return used;
}

struct cluster {
  uint32_t base; /* its first character */
  uint32_t last;
  bool pictograph; /* the base is one */
  bool half_flag;  /* a flag's first letter */
  size_t columns;
};

static bool joins_indic(uint32_t before, uint32_t c) {
  bool links = before == 0x94D || before == 0x9CD || before == 0xACD || before == 0xB4D ||
               before == 0xC4D || before == 0xD4D;
  return links && c > before - 0x4D && c < before; /* a consonant of the same script */
}

static bool goes_on(const struct cluster *cluster, uint32_t c, unsigned flags) {
  if (flags & (M | S)) return true;
  if (is_regional(c)) return cluster->half_flag;
  if (is_skin_tone(c)) return cluster->pictograph;
  if (flags & P) return cluster->pictograph && cluster->last == JOINER;
  return joins_indic(cluster->last, c);
}

static void begin(struct cluster *cluster, uint32_t c, unsigned flags) {
  cluster->base = c;
  cluster->pictograph = (flags & P) != 0;
  cluster->half_flag = is_regional(c);
  cluster->columns = flags & W ? 2 : flags & M ? 0 : 1;
}

static void go_on(struct cluster *cluster, uint32_t c, unsigned flags) {
  bool emoji = cluster->pictograph || is_keycap_base(cluster->base);
  if (flags & P || is_skin_tone(c) || (c == EMOJI_STYLE && emoji)) {
    cluster->columns = 2;
  } else if (!(flags & M)) {
    cluster->columns++;
  }
  cluster->half_flag = false;
}

size_t avp_text_fit(const char *text, size_t len, size_t most, size_t *columns) {
  struct cluster cluster = {0, 0, false, false, 0};
  size_t fitting = 0; /* bytes up to the cluster's beginning */
  size_t i = 0;
  *columns = 0; /* up to there */
  while (i < len) {
    uint32_t c;
    size_t n = read_character(text + i, len - i, &c);
    unsigned flags = flags_of(c);
    if (i > 0 && goes_on(&cluster, c, flags)) {
      go_on(&cluster, c, flags);
    } else {
      *columns += cluster.columns;
      fitting = i;
      begin(&cluster, c, flags);
    }
    cluster.last = c;
    i += n;
    if (*columns + cluster.columns > most) return fitting;
  }
  *columns += cluster.columns;
  return len;
}
