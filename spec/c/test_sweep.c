/* test_sweep.c - sweep.h with lists that are written down: what is a sign, when a sweep is over,
 * what is answered at its end, and servers that make no sense. test_sweep_random.c has the lists
 * that move at random.
 *
 * SPDX-License-Identifier: MIT */
#include "sweep_reader.h"

static struct reader r; /* large, and used by one test at a time */

/* A server that plays a script: the pages it will be asked for, in this order. Each letter is a
 * row. After the last of them it goes on with the last sweep's, as a list at rest. */
struct scripted {
  long number;
  const char *rows;
  int64_t total; /* -1: none */
};

struct script {
  struct server server;
  const struct scripted *pages;
  int count;
  int at;
  int size;
};

static void serve_script(struct server *server, long number, struct page *out) {
  struct script *s = (struct script *)server;
  const struct scripted *page = &s->pages[s->at < s->count ? s->at : s->count - 1];
  const char *row;
  if (s->at >= s->count || page->number != number) {
    printf("# fetch %d was for page %ld\n", s->at + 1, number);
    CHECK(!"the pages are asked for as the script says");
  }
  s->at++;
  for (row = page->rows; *row != '\0'; row++) out->ids[out->rows++] = *row;
  out->has_total = page->total >= 0;
  out->total = page->total >= 0 ? page->total : 0;
  out->said = page->total >= 0 ? s->size : 0;
}

static void play(enum avp_drift drift, int size, const struct scripted *pages, int count) {
  struct script s;
  memset(&s, 0, sizeof s);
  s.server.serve = serve_script;
  s.pages = pages;
  s.count = count;
  s.size = size;
  reader_init(&r, &s.server, drift, size);
  reader_run(&r);
  CHECK_INT(0, r.twice);
  CHECK_INT(count, s.at);
}

#define PLAY(drift, size, pages) play((drift), (size), (pages), (int)(sizeof pages / sizeof *pages))

static void check_end(int sweeps, const char *yielded) {
  const char *c;
  CHECK_INT(AVP_SWEEP_END, r.verdict);
  CHECK_INT(sweeps, r.sweep.number);
  CHECK_INT(strlen(yielded), r.count);
  for (c = yielded; *c != '\0'; c++) CHECK(r.yielded[(int)*c]);
}

static void check_fail(enum avp_err_kind kind, const char *words) {
  CHECK_INT(AVP_SWEEP_FAIL, r.verdict);
  if (r.verdict != AVP_SWEEP_FAIL) return;
  CHECK_STR(avp_err_kind_name(kind), avp_err_kind_name(r.err.kind));
  if (strstr(r.err.message, words) == NULL) printf("# \"%s\"\n", r.err.message);
  CHECK(strstr(r.err.message, words) != NULL);
}

/* A server of a list at rest, honest or not. */
struct steady {
  struct server server;
  int64_t rows;     /* in the list; ids are 0 and up */
  int64_t total;    /* it claims; -1: none */
  int size;         /* rows it puts on a page */
  int64_t said;     /* page size it claims; 0: none */
  int hide;         /* each so many-th row is counted and not sent; 0: none */
  bool none_behind; /* pages behind the end come without a total, as a 204 does */
  bool growing;     /* a page full of new rows at the end with each fetch */
  long period;      /* pages repeat after so many; 0: they do not */
};

static void serve_steady(struct server *server, long number, struct page *out) {
  struct steady *s = (struct steady *)server;
  long shown = s->period > 0 ? (number - 1) % s->period + 1 : number;
  int64_t at = (shown - 1) * (int64_t)s->size;
  int64_t end = at + s->size;
  for (; at < end && at < s->rows; at++) {
    if (s->hide == 0 || (at + 1) % s->hide != 0) out->ids[out->rows++] = (int)(at % IDS_MAX);
  }
  out->has_total = s->total >= 0 && !(s->none_behind && out->rows == 0);
  out->total = out->has_total ? s->total : 0;
  out->said = out->has_total ? s->said : 0;
  if (s->growing) {
    s->rows += s->size;
    s->total = s->rows;
  }
}

static struct steady list_of(int64_t rows, int size) {
  struct steady s;
  memset(&s, 0, sizeof s);
  s.server.serve = serve_steady;
  s.rows = s.total = rows;
  s.said = s.size = size;
  return s;
}

static void read_steady(struct steady *s, enum avp_drift drift, int asked) {
  reader_init(&r, &s->server, drift, asked);
  reader_run(&r);
  if (drift != AVP_DRIFT_IGNORE) CHECK_INT(0, r.twice);
}

static const enum avp_drift all_drifts[] = {AVP_DRIFT_REPAIR, AVP_DRIFT_STRICT, AVP_DRIFT_ERROR,
                                            AVP_DRIFT_IGNORE};

static void test_at_rest(void) {
  int drift;
  int rows;
  for (drift = 0; drift < 4; drift++) {
    for (rows = 0; rows <= 21; rows++) {
      struct steady s = list_of(rows, 5);
      int sweeps = all_drifts[drift] == AVP_DRIFT_STRICT ? 2 : 1;
      int pages = rows == 0 ? 1 : (rows + 4) / 5;
      read_steady(&s, all_drifts[drift], 5);
      CHECK_INT(AVP_SWEEP_END, r.verdict);
      CHECK_INT(rows, r.count);
      CHECK_INT(sweeps, r.sweep.number);
      CHECK_INT(sweeps * pages, r.fetched); /* no page more than the total needs */
      CHECK_INT(0, r.sweep.missing);
    }
  }
}

static void test_no_totals_at_rest(void) {
  int drift;
  int rows;
  for (drift = 0; drift < 4; drift++) {
    for (rows = 0; rows <= 21; rows++) {
      struct steady s = list_of(rows, 5);
      int sweeps = all_drifts[drift] == AVP_DRIFT_STRICT ? 2 : 1;
      s.total = -1;
      s.said = 0;
      read_steady(&s, all_drifts[drift], 5);
      CHECK_INT(AVP_SWEEP_END, r.verdict);
      CHECK_INT(rows, r.count);
      CHECK_INT(sweeps * (rows / 5 + 1), r.fetched); /* up to the first short page */
    }
  }
}

static void test_first_page(void) {
  static const struct {
    int rows;
    long first;
    int expected;
  } cases[] = {{20, 1, 20}, {20, 2, 15}, {20, 4, 5}, {20, 5, 0}, {21, 5, 1},
               {20, 9, 0},  {0, 3, 0},   {3, 1, 3},  {3, 2, 0}};
  size_t i;
  int drift;
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    for (drift = 0; drift < 4; drift++) {
      struct steady s = list_of(cases[i].rows, 5);
      reader_init(&r, &s.server, all_drifts[drift], 5);
      r.sweep.first_page = cases[i].first;
      reader_run(&r);
      CHECK_INT(AVP_SWEEP_END, r.verdict);
      CHECK_INT(cases[i].expected, r.count);
      CHECK_INT(0, r.sweep.missing);
    }
  }
}

/* A resumed listing reads a page whose first rows were given out before. */
static void test_resumed_in_a_page(void) {
  struct steady s = list_of(12, 5);
  reader_init(&r, &s.server, AVP_DRIFT_ERROR, 5);
  r.sweep.first_page = 2;
  r.sweep.skipped = 3;
  reader_run(&r);
  CHECK_INT(AVP_SWEEP_END, r.verdict);
  CHECK_INT(7, r.count); /* the owner leaves out the three */
}

static void test_one_inserted(void) {
  static const struct scripted pages[] = {
      {1, "abc", 6}, {2, "cde", 7}, {3, "f", 7}, /* c is pushed to page 2 */
      {1, "nab", 7}, {2, "cde", 7}, {3, "f", 7}, /* n is new: once more */
      {1, "nab", 7},                             /* with pages 2 and 3 before, that is all */
  };
  PLAY(AVP_DRIFT_REPAIR, 3, pages);
  check_end(3, "abcdefn");
}

static void test_one_removed(void) {
  static const struct scripted pages[] = {
      {1, "abc", 6}, {2, "ef", 5}, /* a is gone, so d has moved to page 1 */
      {1, "bcd", 5}, {2, "ef", 5}, /* there it is */
      {1, "bcd", 5},
  };
  PLAY(AVP_DRIFT_REPAIR, 3, pages);
  check_end(3, "abcdef");
}

/* Removed and another one added behind: the total shows nothing, but the second sweep brings d. */
static void test_strict_finds_more(void) {
  static const struct scripted pages[] = {
      {1, "abc", 6}, {2, "efg", 6}, {1, "bcd", 6}, {2, "efg", 6}, {1, "bcd", 6}, {2, "efg", 6},
  };
  PLAY(AVP_DRIFT_STRICT, 3, pages);
  check_end(3, "abcdefg");
}

/* One change before every third fetch, and three pages: no sweep from the first page to the last is
 * ever without one, but three pages in a row are, the last followed by the first. */
static void test_a_window_over_the_border(void) {
  static const struct scripted pages[] = {
      {1, "ab", 5}, {2, "cd", 5}, {3, "ef", 6}, {1, "ab", 6},
      {2, "cd", 6}, {3, "e", 5},  {1, "ab", 5}, {2, "cd", 5},
  };
  PLAY(AVP_DRIFT_REPAIR, 2, pages);
  check_end(3, "abcdef");
}

/* What is missing comes on page 2 of the second sweep: the window begins behind it, and ends with
 * the same page in the third. */
static void test_a_window_behind_a_find(void) {
  static const struct scripted pages[] = {
      {1, "ab", 8}, {2, "cd", 8}, {3, "fg", 7}, {4, "h", 7},  {1, "bc", 7},
      {2, "de", 7}, {3, "fg", 7}, {4, "h", 7},  {1, "bc", 7}, {2, "de", 7},
  };
  PLAY(AVP_DRIFT_REPAIR, 2, pages);
  check_end(3, "abcdefgh");
}

static void test_moved_rows(void) {
  static const struct scripted behind[] = {
      {1, "abc", 6}, {2, "efa", 6}, /* a goes to the end: it comes twice, and d not at all */
      {1, "bcd", 6}, {2, "efa", 6}, {1, "bcd", 6},
  };
  static const struct scripted before[] = {
      {1, "abc", 6}, {2, "cde", 6}, /* f goes to the front: c comes twice, and f not at all */
      {1, "fab", 6}, {2, "cde", 6}, {1, "fab", 6},
  };
  PLAY(AVP_DRIFT_REPAIR, 3, behind);
  check_end(3, "abcdef");
  PLAY(AVP_DRIFT_REPAIR, 3, before);
  check_end(3, "abcdef");
}

static void test_total_drops_below_the_pages_read(void) {
  static const struct scripted pages[] = {
      {1, "abc", 9}, {2, "def", 4}, /* five are gone; nothing is asked for behind page 2 */
      {1, "efg", 4}, {2, "h", 4},   {1, "efg", 4}, {2, "h", 4},
  };
  PLAY(AVP_DRIFT_REPAIR, 3, pages);
  check_end(3, "abcdefgh");
}

static void test_total_grows_at_the_end(void) {
  static const struct scripted pages[] = {
      {1, "abc", 6}, {2, "def", 7}, {3, "g", 7}, {1, "abc", 7}, {2, "def", 7}, {3, "g", 7},
  };
  PLAY(AVP_DRIFT_REPAIR, 3, pages);
  check_end(2, "abcdefg");
}

static void test_empty_page_in_the_midst(void) {
  static const struct scripted pages[] = {
      {1, "abc", 8}, {2, "", -1},   {3, "gh", 8}, /* a 204: no total */
      {1, "abc", 8}, {2, "def", 8}, {3, "gh", 8}, {1, "abc", 8}, {2, "def", 8},
  };
  PLAY(AVP_DRIFT_REPAIR, 3, pages);
  check_end(3, "abcdefgh");
}

static void test_list_becomes_empty(void) {
  static const struct scripted pages[] = {
      {1, "abc", 6},
      {2, "", 0},
      {1, "", 0},
  };
  PLAY(AVP_DRIFT_REPAIR, 3, pages);
  check_end(2, "abc");
}

/* A sweep is clean only if its own total stood still, whatever the sweep before said. */
static void test_total_differs_between_sweeps(void) {
  static const struct scripted pages[] = {
      {1, "abc", 6}, {2, "def", 7}, {3, "g", 7}, {1, "abc", 6}, {2, "deg", 6},
  };
  PLAY(AVP_DRIFT_REPAIR, 3, pages);
  check_end(2, "abcdefg");
}

static void test_never_at_rest(void) {
  static struct scripted pages[2 * AVP_SWEEPS_MAX];
  static char rows[AVP_SWEEPS_MAX][4];
  int i;
  for (i = 0; i < AVP_SWEEPS_MAX; i++) { /* each sweep brings one more */
    rows[i][0] = (char)('A' + i);
    rows[i][1] = 'b';
    pages[2 * i].number = 1;
    pages[2 * i].rows = rows[i];
    pages[2 * i + 1].number = 2;
    pages[2 * i + 1].rows = "b";
    pages[2 * i].total = 3;
    pages[2 * i + 1].total = 3;
  }
  PLAY(AVP_DRIFT_REPAIR, 2, pages);
  check_fail(AVP_ERR_DRIFT, "eight sweeps");
  CHECK(r.err.retryable);
  CHECK_INT(AVP_SWEEPS_MAX, r.sweep.number);
}

static void test_total_too_high(void) {
  int drift;
  for (drift = 0; drift < 4; drift++) {
    struct steady s = list_of(12, 5);
    s.total = 14;
    read_steady(&s, all_drifts[drift], 5);
    CHECK_INT(12, r.count);
    if (all_drifts[drift] == AVP_DRIFT_REPAIR) {
      CHECK_INT(AVP_SWEEP_END, r.verdict);
      CHECK_INT(2, r.sweep.missing);
      CHECK_INT(2, r.sweep.number);
    } else if (all_drifts[drift] == AVP_DRIFT_IGNORE) {
      CHECK_INT(AVP_SWEEP_END, r.verdict);
    } else {
      check_fail(AVP_ERR_DRIFT, "the total leaves");
    }
  }
}

/* Rows that this registration may not see leave gaps on all pages. */
static void test_hidden_rows(void) {
  struct steady s = list_of(40, 5);
  s.hide = 4;
  read_steady(&s, AVP_DRIFT_REPAIR, 5);
  CHECK_INT(AVP_SWEEP_END, r.verdict);
  CHECK_INT(30, r.count);
  CHECK_INT(10, r.sweep.missing);
  read_steady(&s, AVP_DRIFT_STRICT, 5);
  check_fail(AVP_ERR_DRIFT, "must not see");
}

static void test_hidden_rows_from_a_later_page(void) {
  struct steady s = list_of(40, 5);
  s.hide = 4;
  reader_init(&r, &s.server, AVP_DRIFT_REPAIR, 5);
  r.sweep.first_page = 3;
  reader_run(&r);
  CHECK_INT(AVP_SWEEP_END, r.verdict);
  CHECK_INT(22, r.count);
  CHECK_INT(8, r.sweep.missing);
}

/* A gap that a lost row made must not pass for one that stays. */
static void test_gap_that_closes(void) {
  static const struct scripted pages[] = {
      {1, "abc", 6}, {2, "ef", 6}, {1, "abc", 6}, {2, "def", 6}, {1, "abc", 6}, {2, "def", 6},
  };
  PLAY(AVP_DRIFT_REPAIR, 3, pages);
  check_end(3, "abcdef");
  CHECK_INT(0, r.sweep.missing);
}

static void test_total_too_low(void) {
  struct steady s = list_of(14, 5);
  s.total = 12;
  read_steady(&s, AVP_DRIFT_REPAIR, 5);
  check_fail(AVP_ERR_DRIFT, "lower than what is there");
  CHECK_INT(14, r.count);
  read_steady(&s, AVP_DRIFT_STRICT, 5);
  check_fail(AVP_ERR_DRIFT, "lower than what is there");
  read_steady(&s, AVP_DRIFT_ERROR, 5);
  check_fail(AVP_ERR_DRIFT, "page 3 has 4 rows where the total leaves 2");
}

static void test_error_names_the_sign(void) {
  static const struct scripted total[] = {{1, "abc", 6}, {2, "def", 7}};
  static const struct scripted twice[] = {{1, "abc", 6}, {2, "cde", 6}};
  static const struct scripted short_page[] = {{1, "abc", 9}, {2, "d", 9}};
  static const struct scripted same_page[] = {{1, "aab", 9}};
  static const struct scripted no_total[] = {{1, "abc", 9}, {2, "def", -1}};
  static const struct scripted a_total[] = {{1, "abc", -1}, {2, "def", 9}};
  PLAY(AVP_DRIFT_ERROR, 3, total);
  check_fail(AVP_ERR_DRIFT, "the total count went from 6 to 7");
  PLAY(AVP_DRIFT_ERROR, 3, twice);
  check_fail(AVP_ERR_DRIFT, "page 2 repeats 1 rows");
  PLAY(AVP_DRIFT_ERROR, 3, short_page);
  check_fail(AVP_ERR_DRIFT, "page 2 has 1 rows where the total leaves 3");
  PLAY(AVP_DRIFT_ERROR, 3, same_page);
  check_fail(AVP_ERR_DRIFT, "page 1 repeats 1 rows");
  PLAY(AVP_DRIFT_ERROR, 3, no_total);
  check_fail(AVP_ERR_DRIFT, "page 2 lacks a total count");
  PLAY(AVP_DRIFT_ERROR, 3, a_total);
  check_fail(AVP_ERR_DRIFT, "page 2 has a total count");
  CHECK(r.err.retryable);
}

/* `ignore` goes by the latest total, looks for no sign, and still ends. */
static void test_ignore(void) {
  static const struct scripted pages[] = {{1, "abc", 6}, {2, "cde", 7}, {3, "f", 7}};
  static const struct scripted shrunk[] = {{1, "abc", 9}, {2, "ef", 5}};
  struct script s;
  memset(&s, 0, sizeof s);
  s.server.serve = serve_script;
  s.pages = pages;
  s.count = 3;
  s.size = 3;
  reader_init(&r, &s.server, AVP_DRIFT_IGNORE, 3);
  reader_run(&r);
  CHECK_INT(AVP_SWEEP_END, r.verdict);
  CHECK_INT(7, r.count); /* c comes twice: nothing is remembered */
  PLAY(AVP_DRIFT_IGNORE, 3, shrunk);
  check_end(1, "abcef");
}

static void test_grows_for_ever(void) {
  int drift;
  for (drift = 0; drift < 4; drift++) {
    struct steady s = list_of(30, 10);
    s.growing = true;
    read_steady(&s, all_drifts[drift], 10);
    check_fail(AVP_ERR_DRIFT,
               all_drifts[drift] == AVP_DRIFT_ERROR ? "the total count went" : "grows faster");
    CHECK(r.fetched <= 2 * 3 + 16 + 1);
  }
}

static void test_same_page_for_ever(void) {
  int drift;
  int totals;
  for (totals = 0; totals < 2; totals++) {
    for (drift = 0; drift < 4; drift++) {
      struct steady s = list_of(1000, 10);
      s.period = 1;
      if (totals == 0) s.total = -1;
      read_steady(&s, all_drifts[drift], 10);
      CHECK_INT(AVP_SWEEP_FAIL, r.verdict);
      CHECK(r.fetched <= 3);
      if (all_drifts[drift] != AVP_DRIFT_ERROR) check_fail(AVP_ERR_PROTOCOL, "same page again");
    }
  }
}

/* Rows added in front by pagefuls show the same page again, and nothing is wrong. */
static void test_same_page_while_it_grows(void) {
  static const struct scripted pages[] = {
      {1, "ab", 4}, {2, "ab", 6}, {3, "ab", 8}, {4, "cd", 8}, {1, "ef", 8},
      {2, "gh", 8}, {3, "ab", 8}, {4, "cd", 8}, {1, "ef", 8}, {2, "gh", 8},
  };
  PLAY(AVP_DRIFT_REPAIR, 2, pages);
  check_end(3, "abcdefgh");
}

/* Page numbers that wrap around, without totals: no page is short, so no sweep would end. */
static void test_pages_in_turns_for_ever(void) {
  struct steady s = list_of(1000, 10);
  s.period = 2;
  s.total = -1;
  s.said = 0;
  read_steady(&s, AVP_DRIFT_REPAIR, 10);
  CHECK_INT(AVP_SWEEP_FAIL, r.verdict);
}

static void test_empty_pages_for_ever(void) {
  int drift;
  for (drift = 0; drift < 4; drift++) {
    struct steady s = list_of(20, 10);
    s.total = 1000000;
    read_steady(&s, all_drifts[drift], 10);
    CHECK_INT(AVP_SWEEP_FAIL, r.verdict);
    CHECK(r.fetched <= 40);
    if (all_drifts[drift] != AVP_DRIFT_ERROR) check_fail(AVP_ERR_PROTOCOL, "sends nothing from");
  }
}

static void test_absurd_totals(void) {
  static const int64_t totals[] = {INT64_C(9007199254740992), INT64_C(9007199254740991),
                                   INT64_C(1000000000000)};
  size_t i;
  int size;
  for (i = 0; i < sizeof totals / sizeof totals[0]; i++) {
    for (size = 1; size <= 100; size += 99) {
      struct steady s = list_of(20, size);
      s.total = totals[i];
      read_steady(&s, AVP_DRIFT_REPAIR, size);
      check_fail(AVP_ERR_PROTOCOL, "sends nothing from");
      s.said = 1000000000; /* one page would do, it says */
      read_steady(&s, AVP_DRIFT_REPAIR, size);
      CHECK(r.verdict == AVP_SWEEP_END || r.verdict == AVP_SWEEP_FAIL);
    }
  }
}

static void test_absurd_first_page(void) {
  struct steady s = list_of(20, 10);
  s.said = 1000000000;
  reader_init(&r, &s.server, AVP_DRIFT_REPAIR, 10);
  r.sweep.first_page = 1000000000;
  reader_run(&r);
  CHECK_INT(AVP_SWEEP_END, r.verdict);
  CHECK_INT(0, r.count);
}

static void test_server_uses_smaller_pages(void) {
  struct steady s = list_of(47, 10);
  read_steady(&s, AVP_DRIFT_REPAIR, 100); /* asked for 100, says 10, sends 10 */
  CHECK_INT(AVP_SWEEP_END, r.verdict);
  CHECK_INT(47, r.count);
  CHECK_INT(1, r.sweep.number);
  CHECK_INT(5, r.fetched);
}

/* It names its default, whatever was asked for. Believing it would end the list early. */
static void test_server_says_more_than_was_asked(void) {
  int drift;
  for (drift = 0; drift < 4; drift++) {
    struct steady s = list_of(47, 10);
    s.said = 100;
    read_steady(&s, all_drifts[drift], 10);
    CHECK_INT(AVP_SWEEP_END, r.verdict);
    CHECK_INT(47, r.count);
  }
}

/* It cuts the page and yet repeats the size that was asked for. All is there to be read, so
 * either it is read, or the listing fails; an end with most customers `missing` is a loss. */
static void test_server_cuts_pages_silently(void) {
  struct steady s = list_of(40, 10);
  s.said = 20;
  read_steady(&s, AVP_DRIFT_REPAIR, 20);
  CHECK(r.verdict == AVP_SWEEP_FAIL || r.count == 40);
}

/* It says less than it sends: more pages are asked for than there are. What comes for them, an
 * empty page or a 204, must not make a list at rest look restless. */
static void test_server_says_less_than_it_sends(void) {
  int none_behind;
  for (none_behind = 0; none_behind < 2; none_behind++) {
    struct steady s = list_of(47, 10);
    s.said = 5;
    s.none_behind = none_behind != 0;
    read_steady(&s, AVP_DRIFT_REPAIR, 10);
    CHECK_INT(AVP_SWEEP_END, r.verdict);
    CHECK_INT(47, r.count);
    CHECK_INT(0, r.sweep.missing);
  }
}

static void test_no_word_on_the_page_size(void) {
  struct steady s = list_of(47, 10);
  s.said = 0;
  read_steady(&s, AVP_DRIFT_REPAIR, 10);
  CHECK_INT(AVP_SWEEP_END, r.verdict);
  CHECK_INT(47, r.count);
  CHECK_INT(1, r.sweep.number);
}

/* A row that the server lists twice, at rest: the total counts it twice. It is given out once, and
 * two sweeps that are alike are enough to know that no other row is behind the gap. */
static void test_row_listed_twice(void) {
  static const struct scripted pages[] = {
      {1, "abc", 6},
      {2, "dea", 6},
      {1, "abc", 6},
      {2, "dea", 6},
  };
  PLAY(AVP_DRIFT_REPAIR, 3, pages);
  check_end(2, "abcde");
  CHECK_INT(1, r.sweep.missing);
}

/* The same gap is not enough: other rows may make it. */
static void test_gap_of_other_rows(void) {
  static const struct scripted pages[] = {
      {1, "abc", 6}, {2, "ef", 6}, {1, "abc", 6}, {2, "fe", 6},
      {1, "abc", 6}, {2, "ef", 6}, {1, "abc", 6}, {2, "ef", 6},
  };
  PLAY(AVP_DRIFT_REPAIR, 3, pages);
  check_end(4, "abcef");
  CHECK_INT(1, r.sweep.missing);
}

/* The last sweep repeats rows, so it cannot have been read from a list at rest, and without a total
 * nothing else says that all is there. c is in the list all the time:
 *   sweep 1: abcdef [ab], a goes: bcdef [de], a is back: abcdef [ef] []
 *   sweep 2: abcdef [ab], a goes: bcdef [de], a is back with n: anbcdef [de] [f]
 * Nothing was new in it; and it was not like the sweep before either. */
static void test_no_total_and_a_row_twice_is_no_end(void) {
  static const struct scripted pages[] = {
      {1, "ab", -1}, {2, "de", -1}, {3, "ef", -1}, {4, "", -1},   {1, "ab", -1}, {2, "de", -1},
      {3, "de", -1}, {4, "f", -1},  {1, "an", -1}, {2, "bc", -1}, {3, "de", -1}, {4, "f", -1},
      {1, "an", -1}, {2, "bc", -1}, {3, "de", -1}, {4, "f", -1},
  };
  struct script s;
  memset(&s, 0, sizeof s);
  s.server.serve = serve_script;
  s.pages = pages;
  s.count = (int)(sizeof pages / sizeof pages[0]);
  s.size = 2;
  reader_init(&r, &s.server, AVP_DRIFT_REPAIR, 2);
  reader_run(&r);
  CHECK(r.verdict == AVP_SWEEP_FAIL || r.yielded['c']);
}

/* A total that lags behind (5 all the time), pages of 3, d is in the list all the time:
 *   sweep 1: abcde [abc]; a goes, n and m come: bcdenm [enm], one row more than is due
 *   sweep 2: page 2 first: bcdenm [enm]; e moves to the front: ebcdnm [ebc]
 * That sweep shows e twice and six rows where the total has five, and yet its ids add up. */
static void test_ids_that_add_up_by_chance_are_no_end(void) {
  static const struct scripted pages[] = {
      {1, "abc", 5}, {2, "enm", 5}, {1, "ebc", 5}, {2, "enm", 5},
      {1, "ebc", 5}, {2, "dnm", 5}, {1, "ebc", 5}, {2, "dnm", 5},
  };
  struct script s;
  memset(&s, 0, sizeof s);
  s.server.serve = serve_script;
  s.pages = pages;
  s.count = (int)(sizeof pages / sizeof pages[0]);
  s.size = 3;
  reader_init(&r, &s.server, AVP_DRIFT_REPAIR, 3);
  reader_run(&r);
  CHECK(r.verdict == AVP_SWEEP_FAIL || r.yielded['d']);
}

static const struct check_test tests[] = {
    {"sweep: a list at rest", test_at_rest},
    {"sweep: a list at rest without totals", test_no_totals_at_rest},
    {"sweep: first_page", test_first_page},
    {"sweep: resumed in the midst of a page", test_resumed_in_a_page},
    {"sweep: one inserted", test_one_inserted},
    {"sweep: one removed", test_one_removed},
    {"sweep: strict looks again after a clean sweep", test_strict_finds_more},
    {"sweep: a window over the border of two sweeps", test_a_window_over_the_border},
    {"sweep: a window behind a page that brings what was missing", test_a_window_behind_a_find},
    {"sweep: moved rows", test_moved_rows},
    {"sweep: the total drops below the pages read", test_total_drops_below_the_pages_read},
    {"sweep: the total grows at the end", test_total_grows_at_the_end},
    {"sweep: an empty page in the midst", test_empty_page_in_the_midst},
    {"sweep: the list becomes empty", test_list_becomes_empty},
    {"sweep: the total differs between sweeps", test_total_differs_between_sweeps},
    {"sweep: never at rest: eight sweeps", test_never_at_rest},
    {"sweep: a total that is too high", test_total_too_high},
    {"sweep: hidden rows", test_hidden_rows},
    {"sweep: hidden rows, from a later page", test_hidden_rows_from_a_later_page},
    {"sweep: a gap that closes", test_gap_that_closes},
    {"sweep: a total that is too low", test_total_too_low},
    {"sweep: drift = error names the sign", test_error_names_the_sign},
    {"sweep: drift = ignore", test_ignore},
    {"sweep: a list that grows for ever", test_grows_for_ever},
    {"sweep: the same page for ever", test_same_page_for_ever},
    {"sweep: the same page while the list grows", test_same_page_while_it_grows},
    {"sweep: pages in turns for ever", test_pages_in_turns_for_ever},
    {"sweep: empty pages for ever", test_empty_pages_for_ever},
    {"sweep: absurd totals", test_absurd_totals},
    {"sweep: absurd first page", test_absurd_first_page},
    {"sweep: the server uses smaller pages", test_server_uses_smaller_pages},
    {"sweep: the server says more than was asked", test_server_says_more_than_was_asked},
    {"sweep: the server cuts pages silently", test_server_cuts_pages_silently},
    {"sweep: the server says less than it sends", test_server_says_less_than_it_sends},
    {"sweep: no word on the page size", test_no_word_on_the_page_size},
    {"sweep: a row that is listed twice", test_row_listed_twice},
    {"sweep: the same gap of other rows", test_gap_of_other_rows},
    {"sweep: no total and a row twice is no end", test_no_total_and_a_row_twice_is_no_end},
    {"sweep: ids that add up by chance are no end", test_ids_that_add_up_by_chance_are_no_end},
};

CHECK_MAIN(tests)
