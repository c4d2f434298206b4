/* test_drift.c - drift.h with lists that are written down: servers at rest, honest or not; one
 * change in the middle; what is a sign and how far the listing goes back; servers that never end.
 * test_drift_random.c has the lists that move at random.
 *
 * SPDX-License-Identifier: MIT */
#include <limits.h>

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

/* What comes for a page past the end: no rows and the total; neither, as for each empty page (404);
 * the last page. */
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
  bool compact;  /* they are left out before the list is cut into pages */
  int twice;     /* in this place row 0 is listed again */
  long wide;     /* this page has one row too many: the first one of the next page */
  long turns;    /* after so many pages the first one comes again, and so on */
  int added;     /* rows that each request adds, at the end */
  bool puffed;   /* each request adds a page to the total, and no row */
  bool restless; /* each other request shows a total that is one higher */
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
  for (i = 0; i < s->rows && i < IDS_MAX && n < to; i++) {
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
  out->has_total = s->over != NONE && !(number > 1 && out->rows == 0 && s->past == NO_PAGE);
  if (out->has_total) out->total = s->over == OWN_PAGE ? out->rows : s->rows + s->over;
  s->rows += s->added;
  if (s->puffed) s->over += s->size;
  if (s->restless) s->over = !s->over;
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

#define ROWS(n)       .rows = (n), .size = 10
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
  int low; /* the total is so much too low */
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
  out->total = m->count - m->low;
}

/* 30 pages of 10 rows; page 15 begins with row 140. */
static const struct change changes[] = {
    {"removed in front", 295, 15, 3, 1, 0, 0, false, true, 32, 40},
    {"removed on the page before", 295, 15, 135, 1, 0, 0, false, true, 32, 40},
    {"removed on the page", 295, 15, 142, 1, 0, 0, false, true, 32, 40},
    {"removed behind", 295, 15, 250, 1, 0, 0, false, true, 32, 40},
    {"several removed", 297, 15, 40, 6, 0, 0, false, true, 32, 40},
    {"the last page removed", 292, 15, 290, 2, 0, 0, false, true, 32, 40},
    {"added in front", 295, 15, 0, 0, 0, 1, false, false, 30, 40},
    {"added near", 295, 15, 0, 0, 139, 1, false, false, 30, 40},
    {"several added in front", 291, 15, 0, 0, 60, 6, false, false, 30, 40},
    {"added behind", 295, 15, 0, 0, 200, 1, false, true, 32, 40},
    {"three out, two in", 295, 15, 20, 3, 100, 2, false, true, 32, 40},
    {"more than a page removed", 295, 15, 20, 15, 0, 0, false, true, 34, 42},
    {"more than a page added", 275, 15, 0, 0, 20, 15, false, false, 30, 40},
    {"a move to the end", 295, 15, 100, 1, 294, 1, true, false, 60, 60},
    {"a move to the front", 295, 15, 250, 1, 0, 1, true, false, 60, 60},
    {"removed when the last page is cut", 295, 30, 10, 1, 0, 0, false, true, 32, 40},
};

static void read_moving(struct moving *m, const struct change *c, int width, long first, int low) {
  memset(m, 0, sizeof *m);
  m->server.serve = serve_moving;
  m->change = c;
  m->low = low;
  for (m->count = 0; m->count < c->rows; m->count++) m->list[m->count] = m->count;
  reader_init(&r, &m->server, AVP_DRIFT_REPAIR, 10, width);
  avp_drift_init(&r.drift, AVP_DRIFT_REPAIR, first, 10, width, false);
  reader_run(&r);
}

static void check_change(struct moving *m, const struct change *c, int width) {
  int failures = check_failures;
  int i;
  int lost = 0;
  read_moving(m, c, width, 1, 0);
  for (i = 0; i < c->rows; i++) lost += !m->gone[i] && !r.yielded[i];
  CHECK_INT(AVP_DRIFT_END, r.verdict);
  CHECK_INT(0, lost);
  CHECK_INT(0, r.twice + r.drift.missing);
  if (width == 1) {
    CHECK_INT(c->sign, r.drift.went_back > 0);
    CHECK_INT(c->asked, r.asked);
  }
  CHECK(r.asked <= c->asked_by4);
  if (check_failures > failures) {
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

/* At rest all 50 rows come although the total is too low. One is removed while page 3 is read,
 * which lies behind the last page by the total: what it brings when it is read again is not new,
 * and the list goes on behind it. */
static void test_a_change_and_a_low_total(void) {
  static const struct change change = {.rows = 50, .page = 3, .place = 5, .out = 1};
  static struct moving m;
  int low;
  for (low = 0; low <= 40; low += 10) {
    read_moving(&m, &change, 1, 1, low);
    CHECK_INT(AVP_DRIFT_END, r.verdict);
    CHECK_INT(50, r.rows);
  }
}

/* scripts --------------------------------------------------------------------------------------*/

/* The pages that the server is asked for, one at a time, in this order: "2:def/6" is page 2 with
 * three rows, and the total 6 ("-": no total). Page 1 comes full. */
struct script {
  const char *pages;
  const char *given; /* rows, or words of the error */
  int readings;
  int missing;
};

struct player {
  struct server server;
  const char *rest; /* of the pages */
  long played;
};

static void serve_script(struct server *server, long number, struct page *out) {
  struct player *p = (struct player *)server;
  char *at;
  CHECK_INT(strtol(p->rest, &at, 10), number);
  if (*at != ':') return;
  for (at++; *at != '/'; at++) out->ids[out->rows++] = *at;
  out->has_total = at[1] != '-';
  out->total = out->has_total ? strtol(at + 1, NULL, 10) : 0;
  p->rest = at + strcspn(at, " ");
  p->played++;
}

static const struct script repaired[] = {
    {"1:abc/6 2:cde/7 3:f/7", "abcdef", 1, 0},         /* one added */
    {"1:abc/6 2:ef/5 1:bcd/5 2:ef/5", "abcdef", 1, 0}, /* one removed */
    {"1:ab/5 2:cd/5 3:ef/6 2:cd/6 3:e/5 2:cd/5 3:e/5", "abcdef", 1, 0},
    {"1:ab/8 2:cd/8 3:fg/7 2:de/7 3:fg/7 4:h/7", "abcdefgh", 1, 0},
    /* A move to the end, and one to the front. */
    {"1:abc/6 2:efa/6 3:/6 1:bcd/6 2:efa/6 3:/6", "abcdef", 2, 0},
    {"1:abc/6 2:cde/6 3:/6 1:fab/6 2:cde/6 3:/6", "abcdef", 2, 0},
    {"1:abc/9 2:def/4 1:efg/4 2:h/4", "abcdefgh", 1, 0}, /* fewer than were read */
    {"1:abc/6 2:def/7 1:abc/7 2:def/7 3:g/7", "abcdefg", 1, 0},
    {"1:abc/8 2:/- 1:abc/8 2:def/8 3:gh/8", "abcdefgh", 1, 0}, /* a 404, once */
    {"1:abc/6 2:/0 1:/0", "abc", 1, 0},
    /* A gap that closes, one of other rows, and a row twice. */
    {"1:abc/6 2:ef/6 1:abc/6 2:def/6 3:/6", "abcdef", 2, 0},
    {"1:abc/6 2:ef/6 1:abc/6 2:fe/6", "abcef", 2, 1},
    {"1:abc/6 2:dea/6 3:/6 1:abc/6 2:dea/6 3:/6", "abcde", 2, 1},
    {"1:ab/4 2:ab/6 3:ab/8 4:cd/8 5:/8", "abcd", 1, 0}, /* rows come in front, by pages */
    /* Without a total each reading ends at a page without a new row. c is lost. */
    {"1:ab/- 2:de/- 3:ef/- 4:/- 1:ab/- 2:de/- 3:de/-", "abdef", 2, 0},
};

/* It reads again after a reading that brought something, or showed a sign. */
static const struct script strict[] = {
    {"1:abc/6 2:def/6 3:/6 1:abc/6 2:def/6 3:/6", "abcdef", 2, 0},
    {"1:abc/6 2:efg/6 3:/6 1:bcd/6 2:efg/6 3:/6 1:bcd/6 2:efg/6 3:/6", "abcdefg", 3, 0},
    {"1:abc/6 2:def/6 3:/6 1:abc/6 2:ef/5 1:bcd/5 2:ef/5 1:bcd/5 2:ef/5", "abcdef", 3, 0},
};

/* It remembers nothing and goes by the latest total. */
static const struct script ignored[] = {
    {"1:abc/6 2:cde/7 3:f/7", "abccdef", 1, 0},
    {"1:abc/9 2:ef/5", "abcef", 1, 0},
};

static const struct script errors[] = {
    {"1:abc/6 2:def/7", "the total count went from 6 to 7", 1, 0},
    {"1:abc/9 2:def/-", "page 2 lacks a total count", 1, 0},
    {"1:abc/- 2:def/9", "page 2 has a total count", 1, 0},
    {"1:abc/6 2:ef/6", "5 customers were read and 6 counted", 1, 0},
    {"1:abc/6 2:cde/6 3:/6", "5 customers were read", 1, 0},
};

static void play(const struct script *script, enum avp_drift_mode mode, bool resumed) {
  struct player p = {{serve_script}, script->pages, 0};
  int asked = (int)strcspn(script->pages, "/") - 2;
  reader_init(&r, &p.server, mode, asked, 1);
  avp_drift_init(&r.drift, mode, 1, asked, 1, resumed);
  reader_run(&r);
  CHECK_INT(r.asked, p.played);
  CHECK_STR("", p.rest);
}

static void play_all(const struct script *scripts, int count, enum avp_drift_mode mode) {
  int i;
  for (i = 0; i < count; i++) {
    const struct script *s = &scripts[i];
    int failures = check_failures;
    const char *row;
    play(s, mode, false);
    CHECK_INT(AVP_DRIFT_END, r.verdict);
    CHECK_INT(s->readings, r.drift.reading);
    CHECK_INT(s->missing, r.drift.missing);
    CHECK_INT(strlen(s->given), r.rows);
    for (row = s->given; *row != '\0'; row++) CHECK(r.yielded[(int)*row]);
    CHECK(mode == AVP_DRIFT_IGNORE || r.twice == 0);
    if (check_failures > failures) printf("# %s\n", s->pages);
  }
}

static void test_scripts(void) {
  play_all(repaired, LENGTH(repaired), AVP_DRIFT_REPAIR);
  play_all(strict, LENGTH(strict), AVP_DRIFT_STRICT);
  play_all(ignored, LENGTH(ignored), AVP_DRIFT_IGNORE);
}

static void test_errors(void) {
  int i;
  for (i = 0; i < LENGTH(errors); i++) {
    play(&errors[i], AVP_DRIFT_ERROR, false);
    check_fail(AVP_ERR_DRIFT, errors[i].given);
    CHECK(r.err.retryable);
  }
  for (i = 0; i < 3; i++) { /* a resumed listing is not counted: it has no gap */
    play(&errors[i], AVP_DRIFT_ERROR, true);
    check_fail(AVP_ERR_DRIFT, errors[i].given);
    check_fail(AVP_ERR_DRIFT, "resume with drift = \"ignore\"");
    CHECK(!r.err.retryable);
  }
}

/* the rule, page by page -----------------------------------------------------------------------*/

/* A page of ten rows. `says` is a if it holds a customer of an accepted page. `next` and `width`:
 * what must follow. */
struct step {
  long number;
  long total;
  long sent;
  long received;
  char says;
  long next;
  int width; /* 0: any */
};

static struct avp_drift d;

static void judge(const struct step *s) {
  struct avp_page page = {.number = s->number, .rows = 10, .total = s->total};
  int failures = check_failures;
  page.has_total = s->total >= 0;
  page.sent = (uint64_t)s->sent;
  page.received = (uint64_t)s->received;
  page.fingerprint = (uint64_t)s->number * 7919; /* its ids stay */
  page.anchored = s->says == 'a';
  page.has_new = !page.anchored;
  CHECK_INT(s->next > s->number ? AVP_DRIFT_PAGE : AVP_DRIFT_AGAIN,
            avp_drift_page(&d, &page, &r.err));
  CHECK_INT(s->next, d.next);
  if (s->width > 0) CHECK_INT(s->width, d.width);
  if (check_failures > failures) printf("# at page %ld\n", s->number);
}

/* "3/91 5-9 a >4 w4; ...": the fields of a step in their order. */
static void judge_all(const char *text) {
  struct step s;
  int used = 0;
  while (sscanf(text, " %ld/%ld %ld-%ld %c >%ld w%d;%n", &s.number, &s.total, &s.sent, &s.received,
                &s.says, &s.next, &s.width, &used) == 7) {
    judge(&s);
    text += used;
  }
  CHECK_STR("", text);
}

static void begin(int max_width) { avp_drift_init(&d, AVP_DRIFT_REPAIR, 1, 10, max_width, false); }

/* A page that came alone; `now` is a clock. */
static void judge_alone(long *now, long number, long total, char says, long next, int width) {
  struct step step = {number, total, *now + 1, *now + 2, says, next, width};
  *now += 2;
  judge(&step);
}

static const char in_doubt[] =
    "1/90 1-2 . >2 w4; 2/90 3-4 . >3 w4; 3/90 5-9 . >4 w4; 4/90 6-10 . >5 w4; 5/91 7-11 a >2 w1;";

static void test_accepted(void) {
  static const char *const cases[] = {
      /* By the start, the total and a customer; a sign. */
      "1/90 1-2 . >2 w4; 2/90 3-4 . >3 w4; 3/91 5-6 a >4 w4; 4/91 7-8 . >5 w4; 5/90 9-10 . >4 w1;"
      "4/90 11-12 a >5 w1; 5/90 13-14 . >6 w1;",
      /* Page 3 was under way with page 4, and has another total: 5 is a sign. */
      "1/90 1-2 . >2 w4; 2/90 3-4 . >3 w4; 3/91 5-9 a >4 w4; 4/90 6-11 a >5 w4; 5/90 7-12 . >4 w1;",
      /* It came before page 4 was asked for. */
      "1/90 1-2 . >2 w4; 2/90 3-4 . >3 w4; 3/91 5-6 a >4 w4; 4/90 7-8 a >5 w4; 5/90 9-10 . >6 w4;",
      /* Pages 3 and 4 were accepted by their totals while page 5 was under way. */
      in_doubt,
      /* They were accepted by a customer. */
      "1/90 1-2 . >2 w4; 2/90 3-4 . >3 w4; 3/90 5-9 a >4 w4; 4/90 6-10 a >5 w4; 5/91 7-11 a >6 w4;",
      /* Page 5 was asked for later. */
      "1/90 1-2 . >2 w4; 2/90 3-4 . >3 w4; 3/90 5-9 . >4 w4; 4/90 6-10 . >5 w4;"
      "5/91 11-12 a >6 w4;",
      /* Going back, a total proves nothing; and a start is one. */
      "1/90 1-2 . >2 w4; 2/90 3-4 . >3 w4; 3/90 5-6 . >4 w4; 4/80 7-8 . >3 w1; 3/80 9-10 . >1 w1;"
      "1/80 11-12 . >2 w1; 2/80 13-14 . >3 w1;",
      /* A page without a total is a sign once; so is one behind it that shows one. */
      "1/90 1-2 . >2 w4; 2/-1 3-4 . >1 w1; 1/90 5-6 . >2 w1; 2/-1 7-8 . >3 w1; 3/90 9-10 . >2 w1;",
  };
  int i;
  for (i = 0; i < LENGTH(cases); i++) {
    begin(4);
    judge_all(cases[i]);
  }
}

static void test_going_back(void) {
  static const long back[] = {20, 19, 17, 13, 5, 1};
  long now = 0;
  long page;
  int i;
  int until;
  for (until = 1; until < 6; until++) { /* the page where an old customer is met */
    begin(1);
    for (page = 1; page < 20; page++) judge_alone(&now, page, 300, 0, page + 1, 1);
    for (i = 0; i < until; i++) judge_alone(&now, back[i], 200, 0, back[i + 1], 1);
    CHECK_INT(until, d.went_back);
    judge_alone(&now, back[until], 200, until < 5 ? 'a' : 0, back[until] + 1, 1);
  }
}

static void test_width_after_a_sign(void) {
  static const int expected[] = {1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4};
  long now = 0;
  int i;
  begin(4);
  judge_alone(&now, 1, 900, 0, 2, 4);
  judge_alone(&now, 2, 900, 0, 3, 4);
  judge_alone(&now, 3, 899, 0, 2, 1);
  for (i = 0; i < LENGTH(expected); i++) {
    judge_alone(&now, i + 2, 899, i == 0 ? 'a' : 0, i + 3, expected[i]);
  }
}

/* Whether an id that was seen in this era, on this page, is one of an accepted page. */
static bool anchors(uint16_t era, uint32_t page, bool *repeats) {
  struct avp_mark mark = {era, page};
  struct avp_page told = {.number = d.next};
  avp_drift_look(&d, &told, &mark);
  if (repeats != NULL) *repeats = told.repeats;
  return told.anchored;
}

/* Page 5 puts pages 3 and 4 in doubt; after it, page 2 is read again. */
static void test_what_counts(void) {
  struct avp_mark mark = {0, 0};
  bool repeats;
  begin(4);
  judge_all(in_doubt);
  CHECK(avp_drift_take(&d, &mark)); /* of the sign's page: it is no anchor, and is not new */
  CHECK(!anchors(mark.era, mark.page, NULL));
  CHECK(!avp_drift_take(&d, &mark));
  CHECK(anchors(1, 1, &repeats) && repeats);
  CHECK(anchors(1, 2, &repeats) && !repeats); /* this page is read again */
  CHECK(!anchors(1, 3, NULL));
  CHECK(!anchors(1, 4, NULL));
}

/* More goings back than there are limits: an anchor is never wrong, the newest are exact. */
static void test_limits(void) {
  const int rounds = AVP_DRIFT_LIMITS + 70;
  long now = 10;
  bool repeats;
  int i;
  begin(16);
  judge_alone(&now, 1, 9000, 0, 2, 0);
  for (i = 0; i < rounds; i++) {
    long p = 3 * i + 2;
    struct step before = {p + 1, 9000 + i, now + 3, now + 5, 0, p + 2, 0};
    struct step sign = {p + 2, 9001 + i, now + 4, now + 6, 'a', p, 0};
    judge_alone(&now, p, 9000 + i, 0, p + 1, 0);
    judge(&before);
    judge(&sign);
    now += 10;
    judge_alone(&now, p, 9001 + i, 'a', p + 1, 0);
    judge_alone(&now, p + 1, 9001 + i, 0, p + 2, 0);
    judge_alone(&now, p + 2, 9001 + i, 0, p + 3, 0);
  }
  CHECK_INT(rounds, d.went_back);
  for (i = 0; i < rounds; i++) {
    uint16_t era = (uint16_t)(i + 1);
    uint32_t p = (uint32_t)(3 * i + 2); /* gone back to at the end of this era */
    CHECK(!anchors(era, p + 1, NULL));
    CHECK(!anchors(era, p, &repeats) || !repeats || i < 71);
    (void)anchors(era, p - 1, &repeats);
    CHECK(repeats);
    if (i > 70) CHECK(anchors(era, p, NULL));
  }
  CHECK(anchors((uint16_t)(rounds + 1), 9000, NULL));
  d.era = AVP_ERA_MAX;
  d.next = 1;
  CHECK_INT(AVP_DRIFT_FAIL, avp_drift_page(&d, &(struct avp_page){.number = 1}, &r.err));
}

static void test_firm(void) {
  long now = 0;
  begin(1);
  CHECK(avp_drift_is_firm(&d));
  judge_alone(&now, 1, 90, 0, 2, 1);
  judge_alone(&now, 2, 90, 0, 3, 1);
  judge_alone(&now, 3, 90, 0, 4, 1);
  CHECK(avp_drift_is_firm(&d));
  judge_alone(&now, 4, 80, 0, 3, 1);
  CHECK(!avp_drift_is_firm(&d));
  judge_alone(&now, 3, 80, 0, 1, 1);
  judge_alone(&now, 1, 80, 0, 2, 1);
  CHECK(!avp_drift_is_firm(&d));
  judge_alone(&now, 2, 79, 0, 1, 1); /* another sign, in front of the first */
  judge_alone(&now, 1, 79, 0, 2, 1);
  judge_alone(&now, 2, 79, 0, 3, 1);
  CHECK(!avp_drift_is_firm(&d)); /* page 4 was given out: it would come again */
  judge_alone(&now, 3, 79, 0, 4, 1);
  CHECK(!avp_drift_is_firm(&d));
  judge_alone(&now, 4, 79, 0, 5, 1);
  CHECK(avp_drift_is_firm(&d));
  read_list((struct list){ROWS(47)}, AVP_DRIFT_STRICT, 10, 1);
  CHECK_INT(2, r.drift.reading);
  CHECK(!avp_drift_is_firm(&r.drift));
}

static void test_last(void) {
  static const struct {
    int64_t asked;
    int64_t rows;
    int64_t total;
    int64_t last;
  } cases[] = {{10, 10, 47, 5},
               {10, 10, 50, 6},
               {10, 0, 0, 1},
               {1000, 100, 2900, 30},
               {1000, 100, 2899, 29},
               {10, 10, -1, 0},
               {10, 10, INT64_C(9007199254740992), INT64_C(900719925474100)},
               {1, 1, INT64_MAX, LONG_MAX / 32 + 1}};
  int i;
  for (i = 0; i < LENGTH(cases); i++) {
    struct avp_page page = {.number = 1, .rows = cases[i].rows, .total = cases[i].total};
    page.has_total = cases[i].total >= 0;
    avp_drift_init(&d, AVP_DRIFT_REPAIR, 1, cases[i].asked, 4, false);
    CHECK_INT(AVP_DRIFT_PAGE, avp_drift_page(&d, &page, &r.err));
    CHECK_INT(cases[i].last, avp_drift_last(&d));
  }
}

/* The listing never goes before `first_page`, and is not counted. */
static void test_first_page(void) {
  static const struct {
    int rows;
    long first;
    int expected;
  } cases[] = {{40, 1, 40}, {40, 2, 30}, {40, 4, 10}, {40, 5, 0},         {41, 5, 1},
               {40, 9, 0},  {0, 3, 0},   {6, 2, 0},   {40, 1000000000, 0}};
  static struct moving m;
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
  for (i = 0; i < LENGTH(changes); i++) {
    read_moving(&m, &changes[i], 4, 14, 0);
    CHECK_INT(AVP_DRIFT_END, r.verdict);
    CHECK(r.drift.reading == 1 && r.rows >= 140);
    for (mode = 0; mode < r.seen_count; mode++) CHECK(r.seen[mode].number >= 14);
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
    {"drift: one change in the middle", test_changes},
    {"drift: a change, and a total that is too low", test_a_change_and_a_low_total},
    {"drift: lists that are written down", test_scripts},
    {"drift: `error` names the sign", test_errors},
    {"drift: when a page is accepted", test_accepted},
    {"drift: how far it goes back", test_going_back},
    {"drift: the width after a sign", test_width_after_a_sign},
    {"drift: what counts in going back", test_what_counts},
    {"drift: more goings back than limits", test_limits},
    {"drift: firm", test_firm},
    {"drift: the last page to ask for", test_last},
    {"drift: first_page", test_first_page},
    {"drift: servers that never end", test_endless},
    {"drift: absurd totals", test_absurd_totals},
};

CHECK_MAIN(tests)
