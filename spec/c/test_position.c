/* test_position.c - position.h: what is written is read, and nothing else is.
 *
 * SPDX-License-Identifier: MIT */
#include "list/position.h"

#include <limits.h>

#include "check.h"

static struct avp_position sample(void) {
  struct avp_position p;
  memset(&p, 0, sizeof p);
  p.endpoint = AVP_ENDPOINT_GET;
  p.page_size = 100;
  p.page = 7;
  p.offset = 42;
  p.has_total = true;
  p.total = 1234;
  p.firm = true;
  p.last_id = UINT64_C(0xfedcba9876543210);
  p.filter = 0;
  return p;
}

static bool same(const struct avp_position *a, const struct avp_position *b) {
  return a->endpoint == b->endpoint && a->page_size == b->page_size && a->page == b->page &&
         a->offset == b->offset && a->has_total == b->has_total && a->total == b->total &&
         a->firm == b->firm && a->last_id == b->last_id && a->filter == b->filter;
}

static void check_round_trip(const struct avp_position *p) {
  char text[AVP_POSITION_SIZE];
  struct avp_position back;
  size_t i;
  memset(text, 'z', sizeof text);
  avp_position_write(p, text);
  CHECK(memchr(text, '\0', sizeof text) != NULL);
  for (i = 0; text[i] != '\0'; i++) CHECK(text[i] > ' ' && text[i] < 127);
  CHECK(avp_position_read(&back, text, strlen(text)));
  CHECK(same(p, &back));
}

static void test_round_trip(void) {
  struct avp_position p = sample();
  check_round_trip(&p);
  p.endpoint = AVP_ENDPOINT_BATCH;
  p.filter = UINT64_MAX;
  check_round_trip(&p);
  p.has_total = false;
  p.total = 0;
  check_round_trip(&p);
  p.has_total = true;
  check_round_trip(&p);
  p.page = p.page_size = 1;
  p.offset = 0;
  p.last_id = p.filter = 0;
  p.firm = false;
  check_round_trip(&p);
}

static void test_largest(void) {
  struct avp_position p = sample();
  p.endpoint = AVP_ENDPOINT_BATCH;
  p.page_size = p.page = p.offset = LONG_MAX;
  p.total = INT64_MAX;
  p.last_id = p.filter = UINT64_MAX;
  check_round_trip(&p);
}

/* The form is documented, and positions are kept by programs: it must not change unnoticed. */
static void test_form(void) {
  static const char expected[] = "ap1-g-100-7-42-1234-1-fedcba9876543210-0-";
  struct avp_position p = sample();
  char text[AVP_POSITION_SIZE];
  avp_position_write(&p, text);
  CHECK_INT(strlen(expected) + 6, strlen(text));
  CHECK(strncmp(expected, text, strlen(expected)) == 0);
  p.firm = false;
  avp_position_write(&p, text);
  CHECK(strstr(text, "-1234-2-") != NULL);
}

/* Gives how many damaged forms were taken; `show` prints the first of them. */
static int try_all_changes(const char *text, bool show) {
  char damaged[AVP_POSITION_SIZE];
  struct avp_position p;
  size_t len = strlen(text);
  int taken = 0;
  size_t i;
  int c;
  for (i = 0; i < len; i++) {
    for (c = 0; c < 256; c++) {
      if ((char)c == text[i]) continue;
      memcpy(damaged, text, len + 1);
      damaged[i] = (char)c;
      if (!avp_position_read(&p, damaged, len)) continue;
      if (taken++ == 0 && show) printf("# taken: \"%s\" for \"%s\"\n", damaged, text);
    }
  }
  return taken;
}

static void test_every_changed_character(void) {
  struct avp_position p = sample();
  char text[AVP_POSITION_SIZE];
  int taken = 0;
  int i;
  for (i = 0; i < 20; i++) { /* various check words, with letters and with zeros in front */
    p.offset = i;
    avp_position_write(&p, text);
    taken += try_all_changes(text, taken == 0);
  }
  CHECK_INT(0, taken);
}

static void test_characters_lost_and_added(void) {
  struct avp_position p = sample();
  char text[AVP_POSITION_SIZE];
  char damaged[AVP_POSITION_SIZE + 1];
  size_t len;
  size_t i;
  avp_position_write(&p, text);
  len = strlen(text);
  for (i = 0; i < len; i++) {
    memcpy(damaged, text, i);
    memcpy(damaged + i, text + i + 1, len - i);
    CHECK(!avp_position_read(&p, damaged, len - 1));
    memcpy(damaged, text, i + 1);
    memcpy(damaged + i + 1, text + i, len - i + 1);
    CHECK(!avp_position_read(&p, damaged, len + 1));
    CHECK(!avp_position_read(&p, text, i)); /* cut short */
  }
  memcpy(damaged, text, len);
  damaged[len] = '\0';
  CHECK(!avp_position_read(&p, damaged, len + 1));
}

static void test_neighbours_swapped(void) {
  struct avp_position p = sample();
  char text[AVP_POSITION_SIZE];
  size_t i;
  avp_position_write(&p, text);
  for (i = 0; i + 1 < strlen(text); i++) {
    char c = text[i];
    if (c == text[i + 1]) continue;
    text[i] = text[i + 1];
    text[i + 1] = c;
    CHECK(!avp_position_read(&p, text, strlen(text)));
    text[i + 1] = text[i];
    text[i] = c;
  }
}

static void test_garbage(void) {
  static const char *const garbage[] = {
      "",
      "-",
      "ap1",
      "ap1-",
      "-000000",
      "ap1-g-100-1-0-x-1-0-0",
      "ap1-g-100-1-0-x-1-0-0-",
      "ap1-g-100-1-0-x-1-0-0-000000",
      "ap2-g-100-1-0-x-1-0-0-000000",
      "page 7",
      "100",
      "-------------------------------",
      "ap1-%s%s%s%n-000000",
      "        -000000",
  };
  char longest[1000];
  struct avp_position p;
  size_t i;
  for (i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
    CHECK(!avp_position_read(&p, garbage[i], strlen(garbage[i])));
  }
  memset(longest, '1', sizeof longest);
  for (i = 0; i < sizeof longest; i++) CHECK(!avp_position_read(&p, longest, i));
}

static void test_blanks_around_it(void) {
  struct avp_position p = sample();
  struct avp_position back;
  char text[AVP_POSITION_SIZE];
  char line[AVP_POSITION_SIZE + 8];
  avp_position_write(&p, text);
  snprintf(line, sizeof line, " \t%s \r\n", text);
  CHECK(avp_position_read(&back, line, strlen(line)));
  CHECK(back.page == p.page && back.last_id == p.last_id);
  CHECK(!avp_position_read(&back, " \n ", 3));
}

static void test_too_long(void) {
  struct avp_position p = sample();
  char text[2 * AVP_POSITION_SIZE];
  memset(text, '0', sizeof text);
  avp_position_write(&p, text + AVP_POSITION_SIZE);
  CHECK(!avp_position_read(&p, text, sizeof text));
  CHECK(!avp_position_read(&p, text, AVP_POSITION_SIZE));
}

/* A position that nobody wrote, with a check word that holds, as a stray program may make it. */
static void test_values_out_of_range(void) {
  struct avp_position p = sample();
  struct avp_position back;
  char text[AVP_POSITION_SIZE];
  int i;
  for (i = 0; i < 3; i++) {
    p = sample();
    if (i == 0) p.page_size = 0;
    if (i == 1) p.page = 0;
    if (i == 2) p.offset = -1;
    avp_position_write(&p, text);
    CHECK(!avp_position_read(&back, text, strlen(text)));
  }
}

/* FIRM is 1 or 2, whatever the check word covers. */
static void test_firm_is_one_or_two(void) {
  static const char digits[] = "203456789x-";
  struct avp_position p = sample();
  char text[AVP_POSITION_SIZE];
  size_t i;
  for (i = 0; digits[i] != '\0'; i++) {
    size_t used;
    avp_position_write(&p, text);
    used = strlen(text) - 7;
    strstr(text, "-1234-1-")[6] = digits[i];
    snprintf(text + used, sizeof text - used, "-%06x",
             (unsigned)(avp_position_hash(text, used) & 0xffffff));
    CHECK_INT(digits[i] == '2', avp_position_read(&p, text, strlen(text)));
    p = sample();
  }
}

static void test_hash(void) {
  CHECK(avp_position_hash("a", 1) != avp_position_hash("b", 1));
  CHECK(avp_position_hash("a", 1) == avp_position_hash("ab", 1));
  CHECK(avp_position_hash("", 0) != 0);
}

static const struct check_test tests[] = {
    {"position: round trip", test_round_trip},
    {"position: the largest fits", test_largest},
    {"position: form", test_form},
    {"position: every changed character is refused", test_every_changed_character},
    {"position: characters lost and added are refused", test_characters_lost_and_added},
    {"position: neighbours swapped are refused", test_neighbours_swapped},
    {"position: garbage is refused", test_garbage},
    {"position: blanks around it are no part of it", test_blanks_around_it},
    {"position: what is too long is refused", test_too_long},
    {"position: values out of range are refused", test_values_out_of_range},
    {"position: firm is 1 or 2", test_firm_is_one_or_two},
    {"position: hash", test_hash},
};

CHECK_MAIN(tests)
