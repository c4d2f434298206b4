/* test_drift_rest.c - drift.h with lists at rest: what is read of them and how often, under honest
 * totals, none, and wrong ones; servers that never end.
 *
 * SPDX-License-Identifier: MIT */
#include "drift_list.h"

/* lists at rest --------------------------------------------------------------------------------*/

/* `most`: pages that one reading asks for, 0 if that depends on the width. `lies`: the total does
 * not fit the rows that are sent, but for a total that is too low and misses nothing. */
struct rest {
  const char *name;
  int asked; /* page size */
  long most;
  struct list list;
};

/* Read once in `repair`, all rows given, none missing. */
static const struct rest honest[] = {
    {"an empty list", 10, 1, {ROWS(0)}},
    {"a page that is not full", 10, 1, {ROWS(7)}},
    {"the same, 404 past the end", 10, 1, {ROWS(7), .past = NO_PAGE}},
    {"a full page", 10, 2, {ROWS(10)}},
    {"many pages, the last one not full", 10, 5, {ROWS(47)}},
    {"many pages, the last one full", 10, 6, {ROWS(50)}},
    {"the same, 404 past the end", 10, 6, {ROWS(50), .past = NO_PAGE}},
    {"30 pages", 10, 30, {ROWS(295)}},
    {"pages cut", 20, 5, {ROWS(47)}},
    {"pages cut, the last one full", 20, 6, {ROWS(50)}},
    {"pages cut, 404 past the end", 20, 6, {ROWS(50), .past = NO_PAGE}},
    {"1000 asked for, 100 given", 1000, 36, {.rows = 2900, .size = 100}},
    {"the same, 404 past the end", 1000, 36, {.rows = 2900, .size = 100, .past = NO_PAGE}},
    {"the last page comes again", 10, 5, {ROWS(47), .past = CLAMPED}},
    {"the last page, full, comes again", 10, 6, {ROWS(50), .past = CLAMPED}},
    {"a row too many on page 1", 10, 5, {ROWS(47), .wide = 1}},
    {"a row too many on page 2 of 31", 10, 31, {ROWS(305), .wide = 2}},
    {"one too few in the total", 10, 5, {ROWS(47), .over = -1}},
    {"the same, and it leaves a row behind", 10, 5, {ROWS(41), .over = -1}},
    {"many too few", 10, 6, {ROWS(50), .over = -30}},
    {"many too few, pages cut", 20, 5, {ROWS(47), .over = -30}},
    {"a total of 0", 10, 5, {ROWS(47), .over = -47}},
};

/* Read twice in `repair`, all rows given, none missing. */
static const struct rest totalless[] = {
    {"no total, an empty list", 10, 1, {ROWS(0), .over = NONE}},
    {"no total, a page that is not full", 10, 2, {ROWS(7), .over = NONE}},
    {"no total", 10, 6, {ROWS(47), .over = NONE}},
    {"no total, the last page full", 10, 6, {ROWS(50), .over = NONE}},
    {"no total, 404 past the end", 10, 6, {ROWS(50), .over = NONE, .past = NO_PAGE}},
    {"no total, pages cut", 20, 6, {ROWS(47), .over = NONE}},
    {"no total, 100 of 1000", 1000, 36, {.rows = 2900, .size = 100, .over = NONE}},
    {"no total, the last page comes again", 10, 6, {ROWS(47), .over = NONE, .past = CLAMPED}},
    {"totals of their own page", 10, 6, {ROWS(47), .over = OWN_PAGE}},
    {"the same, the last page full", 10, 6, {ROWS(50), .over = OWN_PAGE}},
    {"the same, 404 past the end", 10, 6, {ROWS(50), .over = OWN_PAGE, .past = NO_PAGE}},
    {"the same, two pages", 10, 3, {ROWS(15), .over = OWN_PAGE}},
};

/* `repair` gives all rows and says how many are missing, `strict` and `error` fail. */
static const struct rest overstated[] = {
    {"one too many in the total", 10, 5, {ROWS(47), .over = 1}},
    {"one too many, the last page full", 10, 6, {ROWS(50), .over = 1}},
    {"the same, 404 past the end", 10, 8, {ROWS(50), .over = 1, .past = NO_PAGE}},
    {"ten too many", 10, 6, {ROWS(47), .over = 10}},
    {"ten too many, the last page full", 10, 0, {ROWS(50), .over = 10}},
    {"the same, 404 past the end", 10, 0, {ROWS(50), .over = 10, .past = NO_PAGE}},
    {"100 too many", 10, 0, {ROWS(47), .over = 100}},
    {"100 too many, 404 past the end", 10, 0, {ROWS(47), .over = 100, .past = NO_PAGE}},
    {"rows hidden", 10, 5, {ROWS(47), HIDE(0, 47, 20), .compact = true}},
    {"half of the rows hidden", 10, 0, {ROWS(300), HIDE(0, 300, 2), .compact = true}},
    {"the same, 404", 10, 0, {ROWS(300), HIDE(0, 300, 2), .compact = true, .past = NO_PAGE}},
    {"rows hidden in their pages", 10, 0, {ROWS(47), HIDE(0, 47, 20)}},
    {"on all pages", 10, 0, {ROWS(300), HIDE(0, 300, 10)}},
    {"the same, 404 past the end", 10, 0, {ROWS(300), HIDE(0, 300, 10), .past = NO_PAGE}},
    {"a whole page in the middle", 10, 6, {ROWS(50), HIDE(20, 30, 1)}},
    {"a page in the middle, 404", 10, 0, {ROWS(50), HIDE(20, 30, 1), .past = NO_PAGE}},
    {"the whole first page", 10, 6, {ROWS(50), HIDE(0, 10, 1)}},
    {"the whole last page", 10, 0, {ROWS(50), HIDE(40, 50, 1)}},
    {"all rows", 10, 0, {ROWS(50), HIDE(0, 50, 1)}},
    {"a row twice", 10, 5, {ROWS(47), .twice = 30}},
    {"a row twice on a page", 10, 5, {ROWS(47), .twice = 5}},
    {"a row twice, at the end", 10, 6, {ROWS(50), .twice = 49}},
};

static bool none_lost(const struct list *s) {
  int i;
  for (i = 0; i < s->rows; i++) {
    if (!r.yielded[i] && !is_hidden(s, i) && (s->twice == 0 || i != s->twice)) return false;
  }
  return true;
}

/* Pages that a listing may ask for if the total lies: three times those that there are, and 3. */
static long most_of(const struct rest *rest) {
  int64_t counted = rest->list.rows + (rest->list.over > 0 ? rest->list.over : 0);
  return 3 * (long)((counted + rest->list.size - 1) / rest->list.size) + 3;
}

static void check_rest(const struct rest *rest, int mode, bool lies, int readings) {
  int failures = check_failures;
  const struct list *s = &rest->list;
  bool raises = lies && (modes[mode] == AVP_DRIFT_STRICT || modes[mode] == AVP_DRIFT_ERROR);
  if (modes[mode] == AVP_DRIFT_STRICT) readings = 2;
  if (modes[mode] == AVP_DRIFT_ERROR || modes[mode] == AVP_DRIFT_IGNORE) readings = 1;
  CHECK_INT(raises ? AVP_DRIFT_FAIL : AVP_DRIFT_END, r.verdict);
  if (raises) CHECK_INT(AVP_ERR_DRIFT, r.err.kind);
  CHECK_INT(readings, r.drift.reading);
  if (modes[mode] != AVP_DRIFT_ERROR) CHECK(none_lost(s));
  if (!raises) CHECK_INT(lies ? s->rows + s->over - r.rows : 0, r.drift.missing);
  CHECK(modes[mode] == AVP_DRIFT_IGNORE || r.twice == 0);
  if (rest->most > 0) CHECK(r.asked <= readings * rest->most);
  CHECK(r.asked <= (lies ? most_of(rest) : 120));
  if (check_failures == failures) return;
  printf("# %s, %s, %d under way: %d rows, %d missing, %ld asked, %d readings\n", rest->name,
         mode_names[mode], r.drift.max_width, (int)r.rows, (int)r.drift.missing, r.asked,
         r.drift.reading);
}

static void read_rests(const struct rest *rests, int count, bool lies, int readings) {
  int i;
  int mode;
  int w;
  for (i = 0; i < count; i++) {
    for (mode = 0; mode < LENGTH(modes); mode++) {
      for (w = 0; w < LENGTH(widths); w++) {
        read_list(rests[i].list, modes[mode], rests[i].asked, widths[w]);
        check_rest(&rests[i], mode, lies, readings);
      }
    }
  }
}

static void test_honest(void) { read_rests(honest, LENGTH(honest), false, 1); }
static void test_totalless(void) { read_rests(totalless, LENGTH(totalless), false, 2); }
static void test_overstated(void) { read_rests(overstated, LENGTH(overstated), true, 2); }

/* Without ids, and yet the last page is not given out again and again; a row twice is. */
static void test_ignore_at_rest(void) {
  struct list clamped = {.rows = 50, .size = 10, .past = CLAMPED};
  struct list twice = {.rows = 47, .size = 10, .twice = 30};
  read_list(clamped, AVP_DRIFT_IGNORE, 10, 4);
  CHECK_INT(AVP_DRIFT_END, r.verdict);
  CHECK_INT(50, r.rows);
  CHECK_INT(0, r.twice + r.drift.missing);
  read_list(twice, AVP_DRIFT_IGNORE, 10, 4);
  CHECK_INT(47, r.rows);
  CHECK_INT(1, r.twice);
  CHECK_INT(0, r.drift.seen); /* no id was kept */
}
/* The listing never goes before `first_page`, and is not counted. */
static void test_first_page_at_rest(void) {
  static const struct {
    int rows;
    long first;
    int expected;
  } cases[] = {{40, 1, 40}, {40, 2, 30}, {40, 4, 10}, {40, 5, 0},         {41, 5, 1},
               {40, 9, 0},  {0, 3, 0},   {6, 2, 0},   {40, 1000000000, 0}};
  int i;
  int mode;
  for (i = 0; i < LENGTH(cases); i++) {
    for (mode = 0; mode < LENGTH(modes); mode++) {
      struct list s = {{serve_list}, .rows = cases[i].rows, .size = 10, .over = mode};
      reader_init(&r, &s.server, modes[mode], 10, 4);
      avp_drift_init(&r.drift, modes[mode], cases[i].first, 10, 4, false);
      if (cases[i].first == 1) s.over = 0;
      reader_run(&r);
      CHECK_INT(AVP_DRIFT_END, r.verdict);
      CHECK_INT(cases[i].expected, r.rows);
      CHECK_INT(0, r.drift.missing);
    }
  }
}

/* servers that never end -----------------------------------------------------------------------*/

/* The modes that must fail, so many pages at most: all; `ignore`; `repair` and `strict`, and then
 * for the drift. */
enum who { ALL, IGNORE, REPAIRERS };

static const struct {
  const char *name;
  enum who who;
  long most;
  struct list list;
} endless[] = {
    {"the same page", ALL, 6, {ROWS(1000), .turns = 1}},
    {"the same page, and a row more each time", ALL, 8, {ROWS(1000), .turns = 1, .added = 1}},
    {"the same page, no total", IGNORE, 6, {ROWS(1000), .turns = 1, .over = NONE}},
    {"two pages in turns, no total", IGNORE, 20, {ROWS(1000), .turns = 2, .over = NONE}},
    {"seven in turns, no total", IGNORE, 60, {ROWS(1000), .turns = 7, .over = NONE}},
    {"two in turns and a total", IGNORE, 12 * 100 + 48, {ROWS(1000), .turns = 2}},
    {"a page more in the total each time", REPAIRERS, 12 * 3 + 48, {ROWS(30), .puffed = true}},
    {"a page more each time", REPAIRERS, 12 * 3 + 48, {ROWS(30), .added = 10}},
    {"a row more each time", REPAIRERS, 12 * 4 + 48, {ROWS(30), .added = 1}},
    {"a total that never rests", REPAIRERS, 12 * 4 + 48, {ROWS(30), .restless = true}},
};

static void test_endless(void) {
  int i;
  int mode;
  for (i = 0; i < LENGTH(endless); i++) {
    enum who who = endless[i].who;
    for (mode = 0; mode < LENGTH(modes); mode++) {
      int failures = check_failures;
      if (who == IGNORE && modes[mode] != AVP_DRIFT_IGNORE) continue;
      if (who == REPAIRERS && mode > 1) continue;
      read_list(endless[i].list, modes[mode], 10, 4);
      check_fail(who == REPAIRERS ? AVP_ERR_DRIFT : AVP_ERR_PROTOCOL,
                 who == REPAIRERS ? "changes faster than it can be read" : "again and again");
      CHECK(r.asked <= endless[i].most);
      if (check_failures > failures) {
        printf("# %s, %s: %ld asked\n", endless[i].name, mode_names[mode], r.asked);
      }
    }
  }
}

static void test_absurd_totals(void) {
  static const int64_t totals[] = {INT64_C(9007199254740992), INT64_C(1000000000000)};
  int i;
  int past;
  for (i = 0; i < LENGTH(totals); i++) {
    for (past = EMPTY; past <= NO_PAGE; past++) {
      int failures = check_failures;
      struct list s = {.rows = 20, .size = 10, .over = totals[i] - 20, .past = (enum past)past};
      read_list(s, AVP_DRIFT_REPAIR, 10, 4);
      CHECK_INT(AVP_DRIFT_END, r.verdict);
      CHECK_INT(20, r.rows);
      CHECK_INT(totals[i] - 20, r.drift.missing);
      CHECK(r.asked <= 30);
      if (check_failures > failures) printf("# past the end: %d, %ld asked\n", past, r.asked);
    }
  }
}

static const struct check_test tests[] = {
    {"drift: honest lists at rest", test_honest},
    {"drift: lists at rest without totals", test_totalless},
    {"drift: totals that count too many", test_overstated},
    {"drift: `ignore` and a list at rest", test_ignore_at_rest},
    {"drift: first_page of a list at rest", test_first_page_at_rest},
    {"drift: servers that never end", test_endless},
    {"drift: absurd totals", test_absurd_totals},
};

CHECK_MAIN(tests)
