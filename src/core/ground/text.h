/* text.h - makes text fit for people's eyes: takes out what would steer a terminal, and measures
 * the columns that text takes there.
 *
 * Widths are Unicode's, as terminals have them: 2 for what is wide in East Asia and for emoji, 0
 * for marks that stand on a letter. A cluster (a letter with its marks, an emoji of several) is
 * never divided.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_TEXT_H
#define AVP_TEXT_H

#include <stddef.h>

/* Returns how many bytes the first character of `left` bytes, at least one, has. Negative: so many
 * are none of UTF-8, but one that was cut short, or a single byte. */
int avp_text_character(const char *text, size_t left);

/* Cleans UTF-8 text in place: a blank for each run of control characters (also C1 as single bytes),
 * line separators and format characters such as those that turn the direction around; a question
 * mark for bytes that are no UTF-8. The joiners of emoji, and of scripts that have them, stay.
 * Returns its new length, which is never larger. */
size_t avp_text_clean(char *text, size_t len);

/* Returns how many bytes of clean text fit into `most` columns, whole clusters only, and sets
 * `columns` to the columns that they take. */
size_t avp_text_fit(const char *text, size_t len, size_t most, size_t *columns);

#endif
