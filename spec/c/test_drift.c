/* test_drift.c - drift.h with lists that are written down: servers at rest, honest or not; one
 * change in the middle; what is a sign and how far the listing goes back; servers that never end.
 * test_drift_random.c has the lists that move at random.
 *
 * SPDX-License-Identifier: MIT */
#include "drift_reader.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))

static struct reader r; /* large, and used by one test at a time */

static const enum avp_drift_mode modes[] = {AVP_DRIFT_REPAIR, AVP_DRIFT_STRICT, AVP_DRIFT_ERROR,
                                            AVP_DRIFT_IGNORE};
static const char *const mode_names[] = {"repair", "strict", "error", "ignore"};
static const int widths[] = {1, 4, 16};

static void check_fail(enum avp_err_kind kind, const char *words) {
  CHECK_INT(AVP_DRIFT_FAIL, r.verdict);
  if (r.verdict != AVP_DRIFT_FAIL) return;
  CHECK_STR(avp_err_kind_name(kind), avp_err_kind_name(r.err.kind));
  if (strstr(r.err.message, words) == NULL) printf("# \"%s\"\n", r.err.message);
  CHECK(strstr(r.err.message, words) != NULL);
}

/* lists at rest --------------------------------------------------------------------------------*/

/* Totals that are no number. */
enum { NONE = -1000000, OWN_PAGE };

/* What comes for a page past the end: no rows and the total; neither (404); the last page. */
enum past { EMPTY, NO_PAGE, CLAMPED };

/* Row n has the id n. */
struct list {
  struct server server;
  int rows;
  int size;     /* of a page */
  int64_t over; /* the total is so much too high; NONE; OWN_PAGE: it counts the page's rows */
  enum past past;
  int from; /* each `hide`-th row from this one to that one is counted and not sent */
  int to;
  int hide;
  bool compact; /* they are left out before the list is cut into pages */
  int twice;    /* in this place row 0 is listed again */
  long wide;    /* this page has one row too many: the first one of the next page */
  long turns;   /* after so many pages the first one comes again, and so on */
  int added;    /* rows that each request adds, at the end */
  bool puffed;  /* each request adds a page to the total, and no row */
};

static bool is_hidden(const struct list *s, int place) {
  return s->hide > 0 && place >= s->from && place < s->to && (place - s->from) % s->hide == 0;
}

static int hidden_rows(const struct list *s) {
  int hidden = 0;
  int i;
  for (i = 0; i < s->rows; i++) hidden += is_hidden(s, i);
  return hidden;
}

static void cut_page(const struct list *s, long number, struct page *out) {
  int64_t from = (int64_t)(number - 1) * s->size;
  int64_t to = from + s->size + (number == s->wide);
  int64_t n = 0;
  int i;
  for (i = 0; i < s->rows && i < IDS_MAX; i++) {
    bool hidden = is_hidden(s, i);
    if (hidden && s->compact) continue;
    if (n >= from && n < to && !hidden) out->ids[out->rows++] = i == s->twice && i > 0 ? 0 : i;
    n++;
  }
}

static void serve_list(struct server *server, long number, struct page *out) {
  struct list *s = (struct list *)server;
  int cut = s->rows - (s->compact ? hidden_rows(s) : 0);
  long last = cut > 0 ? (cut - 1) / s->size + 1 : 1;
  bool past = number > last;
  if (past && s->past == CLAMPED) number = last;
  if (s->turns > 0) number = (number - 1) % s->turns + 1;
  cut_page(s, number, out);
  out->has_total = s->over != NONE && !(past && s->past == NO_PAGE);
  if (out->has_total) out->total = s->over == OWN_PAGE ? out->rows : s->rows + s->over;
  s->rows += s->added;
  if (s->puffed) s->over += s->size;
}

static void read_list(struct list s, enum avp_drift_mode mode, int asked, int width) {
  s.server.serve = serve_list;
  reader_init(&r, &s.server, mode, asked, width);
  reader_run(&r);
}

/* `most`: pages that one reading asks for, 0 if that depends on the width. `lies`: the total does
 * not fit the rows that are sent, but for a total that is too low and misses nothing. */
struct rest {
  const char *name;
  int asked; /* page size */
  long most;
  struct list list;
};

#define ROWS(n) .rows = (n), .size = 10
#define HIDE(a, b, n) .from = (a), .to = (b), .hide = (n)

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
  CHECK(none_lost(s));
  if (modes[mode] == AVP_DRIFT_REPAIR) {
    CHECK_INT(lies ? s->rows + s->over - r.rows : 0, r.drift.missing);
  }
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

/* A list at rest that a mode has an own answer for. */
static void test_rest_oddities(void) {
  struct list clamped = {.rows = 50, .size = 10, .past = CLAMPED};
  struct list twice = {.rows = 47, .size = 10, .twice = 30};
  int mode;
  for (mode = 0; mode < 3; mode++) { /* page 6 brings nothing new */
    read_list(clamped, modes[mode], 10, 4);
    CHECK_INT(AVP_DRIFT_END, r.verdict);
    CHECK_INT(50, r.rows);
  }
  read_list(clamped, AVP_DRIFT_IGNORE, 10, 4); /* which this mode cannot know */
  check_fail(AVP_ERR_PROTOCOL, "same page again and again (pages 5 to 7)");
  read_list(twice, AVP_DRIFT_IGNORE, 10, 4);
  CHECK_INT(47, r.rows);
  CHECK_INT(1, r.twice);
}

/* one change in the middle ---------------------------------------------------------------------*/

/* When `page` is first cut, `out` rows go from `place` on and `in` rows come in at `to`. */
struct change {
  const char *name;
  int rows; /* of the list */
  long page;
  int place;
  int out;
  int to;
  int in;
  bool moves;     /* what comes in are the rows that went */
  bool sign;      /* the listing goes back */
  long asked;     /* pages that are asked for one at a time */
  long asked_by4; /* at most, four at a time */
};

struct moving {
  struct server server;
  const struct change *change;
  bool changed;
  int list[400];
  int count;
  bool gone[IDS_MAX];
};

static void move_rows(struct moving *m) {
  const struct change *c = m->change;
  int rows[40];
  int i;
  for (i = 0; i < c->in; i++) rows[i] = c->moves ? m->list[c->place + i] : 1000 + i;
  for (i = 0; i < c->out && !c->moves; i++) m->gone[m->list[c->place + i]] = true;
  m->count -= c->out;
  memmove(m->list + c->place, m->list + c->place + c->out,
          (size_t)(m->count - c->place) * sizeof m->list[0]);
  memmove(m->list + c->to + c->in, m->list + c->to, (size_t)(m->count - c->to) * sizeof m->list[0]);
  memcpy(m->list + c->to, rows, (size_t)c->in * sizeof rows[0]);
  m->count += c->in;
}

static void serve_moving(struct server *server, long number, struct page *out) {
  struct moving *m = (struct moving *)server;
  int i = (int)(number - 1) * 10;
  if (number == m->change->page && !m->changed) {
    m->changed = true;
    move_rows(m);
  }
  for (; i < (int)number * 10 && i < m->count; i++) out->ids[out->rows++] = m->list[i];
  out->has_total = true;
  out->total = m->count;
}

/* 30 pages of 10 rows; page 15 begins with row 140. */
static const struct change changes[] = {
    {"removed in front", 295, 15, 3, 1, 0, 0, false, true, 32, 44},
    {"removed on the page before", 295, 15, 135, 1, 0, 0, false, true, 32, 44},
    {"removed on the page", 295, 15, 142, 1, 0, 0, false, true, 32, 44},
    {"removed behind", 295, 15, 250, 1, 0, 0, false, true, 32, 44},
    {"several removed", 297, 15, 40, 6, 0, 0, false, true, 32, 44},
    {"the last page removed", 292, 15, 290, 2, 0, 0, false, true, 33, 45},
    {"added in front", 295, 15, 0, 0, 0, 1, false, false, 30, 42},
    {"added near", 295, 15, 0, 0, 139, 1, false, false, 30, 42},
    {"several added in front", 291, 15, 0, 0, 60, 6, false, false, 30, 42},
    {"added behind", 295, 15, 0, 0, 200, 1, false, true, 32, 44},
    {"three out, two in", 295, 15, 20, 3, 100, 2, false, true, 32, 44},
    {"more than a page removed", 295, 15, 20, 15, 0, 0, false, true, 34, 46},
    {"more than a page added", 275, 15, 0, 0, 20, 15, false, true, 33, 45},
    {"a move to the end", 295, 15, 100, 1, 294, 1, true, false, 60, 60},
    {"a move to the front", 295, 15, 250, 1, 0, 1, true, false, 60, 60},
    {"removed when the last page is cut", 295, 30, 10, 1, 0, 0, false, true, 32, 44},
};

static void check_change(struct moving *m, const struct change *c, int width) {
  int failures = check_failures;
  int i;
  int lost = 0;
  memset(m, 0, sizeof *m);
  m->server.serve = serve_moving;
  m->change = c;
  for (m->count = 0; m->count < c->rows; m->count++) m->list[m->count] = m->count;
  reader_init(&r, &m->server, AVP_DRIFT_REPAIR, 10, width);
  reader_run(&r);
  for (i = 0; i < c->rows; i++) lost += !m->gone[i] && !r.yielded[i];
  CHECK_INT(AVP_DRIFT_END, r.verdict);
  CHECK_INT(0, lost);
  CHECK_INT(0, r.twice + r.drift.missing);
  if (width == 1) {
    CHECK_INT(c->sign, r.drift.went_back > 0);
    CHECK_INT(c->asked, r.asked);
  }
  CHECK(r.asked <= c->asked_by4);
  if (check_failures > failures || getenv("SHOW")) {
    printf("# %s, %d under way: %ld asked, went back %ld times, %d readings\n", c->name, width,
           r.asked, r.drift.went_back, r.drift.reading);
  }
}

static void test_changes(void) {
  static struct moving m;
  int i;
  for (i = 0; i < LENGTH(changes); i++) {
    check_change(&m, &changes[i], 1);
    check_change(&m, &changes[i], 4);
  }
}

/* scripts --------------------------------------------------------------------------------------*/

/* The pages that the server is asked for, one at a time, in this order. Each letter is a row. */
struct scripted {
  long number;
  const char *rows;
  int64_t total; /* -1: none */
};

struct script {
  const char *name;
  enum avp_drift_mode mode;
  int asked; /* page size */
  int readings;
  int64_t missing;
  const char *given; /* rows, or words of the error */
  struct scripted pages[13];
};

struct player {
  struct server server;
  const struct script *script;
  int at;
};

static void serve_script(struct server *server, long number, struct page *out) {
  struct player *p = (struct player *)server;
  const struct scripted *page = &p->script->pages[p->at];
  const char *row;
  if (page->number != number) {
    printf("# %s: request %d is for page %ld\n", p->script->name, p->at + 1, number);
    CHECK_INT(page->number, number);
  }
  if (page->rows == NULL) return;
  p->at++;
  for (row = page->rows; *row != '\0'; row++) out->ids[out->rows++] = *row;
  out->has_total = page->total >= 0;
  out->total = page->total >= 0 ? page->total : 0;
}

static const struct script scripts[] = {
#define A3 {1, "abc", 6}
#define REPAIR AVP_DRIFT_REPAIR
    {"one added", REPAIR, 3, 1, 0, "abcdef", {A3, {2, "cde", 7}, {3, "f", 7}}},
    {"one removed", REPAIR, 3, 1, 0, "abcdef", {A3, {2, "ef", 5}, {1, "bcd", 5}, {2, "ef", 5}}},
    {"`strict` finds what the total does not show", AVP_DRIFT_STRICT, 3, 3, 0, "abcdefg",
     {A3, {2, "efg", 6}, {3, "", 6}, {1, "bcd", 6}, {2, "efg", 6}, {3, "", 6}, {1, "bcd", 6},
      {2, "efg", 6}, {3, "", 6}}},
    {"`strict` reads again after a sign", AVP_DRIFT_STRICT, 3, 3, 0, "abcdef",
     {A3, {2, "def", 6}, {3, "", 6}, A3, {2, "ef", 5}, {1, "bcd", 5}, {2, "ef", 5}, {1, "bcd", 5},
      {2, "ef", 5}}},
    {"added, then removed", REPAIR, 2, 1, 0, "abcdef",
     {{1, "ab", 5}, {2, "cd", 5}, {3, "ef", 6}, {2, "cd", 6}, {3, "e", 5}, {2, "cd", 5},
      {3, "e", 5}}},
    {"the page before has the lost one", REPAIR, 2, 1, 0, "abcdefgh",
     {{1, "ab", 8}, {2, "cd", 8}, {3, "fg", 7}, {2, "de", 7}, {3, "fg", 7}, {4, "h", 7}}},
    {"a move to the end", REPAIR, 3, 2, 0, "abcdef",
     {A3, {2, "efa", 6}, {3, "", 6}, {1, "bcd", 6}, {2, "efa", 6}, {3, "", 6}}},
    {"a move to the front", REPAIR, 3, 2, 0, "abcdef",
     {A3, {2, "cde", 6}, {3, "", 6}, {1, "fab", 6}, {2, "cde", 6}, {3, "", 6}}},
    {"the total drops below the pages read", REPAIR, 3, 1, 0, "abcdefgh",
     {{1, "abc", 9}, {2, "def", 4}, {1, "efg", 4}, {2, "h", 4}}},
    {"the total grows at the end", REPAIR, 3, 1, 0, "abcdefg",
     {A3, {2, "def", 7}, {1, "abc", 7}, {2, "def", 7}, {3, "g", 7}}},
    {"a 404 in the middle, once", REPAIR, 3, 1, 0, "abcdefgh",
     {{1, "abc", 8}, {2, "", -1}, {1, "abc", 8}, {2, "def", 8}, {3, "gh", 8}}},
    {"the list becomes empty", REPAIR, 3, 1, 0, "abc", {A3, {2, "", 0}, {1, "", 0}}},
    {"a gap that closes", REPAIR, 3, 2, 0, "abcdef",
     {A3, {2, "ef", 6}, A3, {2, "def", 6}, {3, "", 6}}},
    {"a gap of other rows", REPAIR, 3, 2, 1, "abcef", {A3, {2, "ef", 6}, A3, {2, "fe", 6}}},
    {"a row twice", REPAIR, 3, 2, 1, "abcde",
     {A3, {2, "dea", 6}, {3, "", 6}, A3, {2, "dea", 6}, {3, "", 6}}},
    {"the same page while rows come in front", REPAIR, 2, 1, 0, "abcd",
     {{1, "ab", 4}, {2, "ab", 6}, {3, "ab", 8}, {4, "cd", 8}, {5, "", 8}}},
    {"no total: up to a page without a new row", REPAIR, 2, 2, 0, "abdef",
     {{1, "ab", -1}, {2, "de", -1}, {3, "ef", -1}, {4, "", -1}, {1, "ab", -1}, {2, "de", -1},
      {3, "de", -1}}},
    {"the last page gone", REPAIR, 3, 1, 0, "abcdefgh",
     {{1, "abc", 9}, {2, "def", 9}, {3, "gh", 8}, {2, "def", 8}, {3, "gh", 8}}},
    {"`ignore` remembers nothing", AVP_DRIFT_IGNORE, 3, 1, 0, "abccdef",
     {A3, {2, "cde", 7}, {3, "f", 7}}},
    {"`ignore` goes by the latest total", AVP_DRIFT_IGNORE, 3, 1, 0, "abcef",
     {{1, "abc", 9}, {2, "ef", 5}}},
#undef REPAIR
};

/* `error`: what it says. */
static const struct script errors[] = {
#define ERROR AVP_DRIFT_ERROR
    {"a total", ERROR, 3, 1, 0, "the total count went from 6 to 7", {A3, {2, "def", 7}}},
    {"no total", ERROR, 3, 1, 0, "page 2 lacks a total count", {{1, "abc", 9}, {2, "def", -1}}},
    {"a late one", ERROR, 3, 1, 0, "page 2 has a total count", {{1, "abc", -1}, {2, "def", 9}}},
    {"a gap", ERROR, 3, 1, 0, "5 customers were read and 6 counted", {A3, {2, "ef", 6}}},
    {"a row twice", ERROR, 3, 1, 0, "5 customers were read", {A3, {2, "cde", 6}, {3, "", 6}}},
#undef ERROR
#undef A3
};

static void play(const struct script *script, bool resumed) {
  struct player p = {{serve_script}, script, 0};
  reader_init(&r, &p.server, script->mode, script->asked, 1);
  avp_drift_init(&r.drift, script->mode, 1, script->asked, 1, resumed);
  reader_run(&r);
  CHECK_INT(r.asked, p.at);
  CHECK(script->pages[p.at].rows == NULL); /* all were asked for */
}

static void test_scripts(void) {
  int i;
  for (i = 0; i < LENGTH(scripts); i++) {
    const struct script *s = &scripts[i];
    int failures = check_failures;
    const char *row;
    play(s, false);
    CHECK_INT(AVP_DRIFT_END, r.verdict);
    CHECK_INT(s->readings, r.drift.reading);
    CHECK_INT(s->missing, r.drift.missing);
    CHECK_INT(strlen(s->given), r.rows);
    for (row = s->given; *row != '\0'; row++) CHECK(r.yielded[(int)*row]);
    CHECK(s->mode == AVP_DRIFT_IGNORE || r.twice == 0);
    if (check_failures > failures) printf("# %s\n", s->name);
  }
}

static void test_errors(void) {
  int i;
  for (i = 0; i < LENGTH(errors); i++) {
    play(&errors[i], false);
    check_fail(AVP_ERR_DRIFT, errors[i].given);
    CHECK(r.err.retryable);
  }
  for (i = 0; i < 3; i++) { /* a gap is no sign if the listing resumed */
    play(&errors[i], true);
    check_fail(AVP_ERR_DRIFT, errors[i].given);
    check_fail(AVP_ERR_DRIFT, "resume with drift = \"ignore\"");
    CHECK(!r.err.retryable);
  }
}
static const struct check_test tests[] = {
    {"drift: honest lists at rest", test_honest},
    {"drift: lists without totals", test_totalless},
    {"drift: totals that count too many", test_overstated},
    {"drift: oddities", test_rest_oddities},
    {"drift: one change in the middle", test_changes},
    {"drift: scripts", test_scripts},
    {"drift: errors", test_errors},
};
CHECK_MAIN(tests)
