/* tally.c - jumps from string to string through a JSON document (tally.h).
 * SPDX-License-Identifier: MIT */
#include "tally.h"

#include <stdbool.h>
#include <string.h>

/* Returns what follows the string that begins at `text`, behind its first quote. */
static const char *skip_string(const char *text, const char *end) {
  const char *quote = memchr(text, '"', (size_t)(end - text));
  while (quote != NULL && quote[-1] == '\\') {
    const char *escape = quote - 1;
    while (escape > text && escape[-1] == '\\') escape--;
    if ((quote - escape) % 2 == 0) break; /* backslashes, each escaped by another */
    quote = memchr(quote + 1, '"', (size_t)(end - quote - 1));
  }
  return quote != NULL ? quote + 1 : end;
}

/* What a character outside strings begins; the text ends with a NUL. */
enum { NOTHING, A_STRING, A_NULL, A_NUMBER, THE_END };

static const unsigned char begins[256] = {
    ['"'] = A_STRING, ['n'] = A_NULL,   ['-'] = A_NUMBER, ['0'] = A_NUMBER, ['1'] = A_NUMBER,
    ['2'] = A_NUMBER, ['3'] = A_NUMBER, ['4'] = A_NUMBER, ['5'] = A_NUMBER, ['6'] = A_NUMBER,
    ['7'] = A_NUMBER, ['8'] = A_NUMBER, ['9'] = A_NUMBER, ['\0'] = THE_END,
};

static const char *skip_number(const char *text) {
  return text + 1 + strspn(text + 1, "0123456789.-+eE");
}

/* Whether a string that ends before `behind` may be a key. */
static bool is_odd_key(char first, char behind) {
  bool odd = first == 'I' || first == 'N' || first == '\\';
  return odd && behind != ',' && behind != '}' && behind != ']';
}

struct avp_tally avp_tally(const char *text, size_t len) {
  struct avp_tally tally = {0, 0, 0};
  const char *end = text + len;
  for (;;) {
    const char *string;
    while (begins[(unsigned char)*text] == NOTHING) text++;
    string = text + 1;
    switch (begins[(unsigned char)*text]) {
    case A_STRING:
      text = skip_string(string, end);
      if (is_odd_key(*string, *text)) tally.odd_keys++;
      break;
    case A_NUMBER:
      text = skip_number(text);
      tally.numbers++;
      break;
    case A_NULL:
      text++;
      tally.nulls++;
      break;
    default:
      return tally;
    }
  }
}
