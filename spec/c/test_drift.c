/* test_drift.c - drift.h with lists that change while they are read: one change in the middle, and
 * pages that are written down. test_drift_rest.c has the lists at rest, test_drift_rule.c the
 * single pages, test_drift_random.c the lists that move at random.
 *
 * SPDX-License-Identifier: MIT */
#include "drift_list.h"

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

/* The listing never goes before `first_page`, whatever changes. */
static void test_first_page(void) {
  static struct moving m;
  int i;
  int n;
  for (i = 0; i < LENGTH(changes); i++) {
    read_moving(&m, &changes[i], 4, 14, 0);
    CHECK_INT(AVP_DRIFT_END, r.verdict);
    CHECK(r.drift.reading == 1 && r.rows >= 140);
    for (n = 0; n < r.seen_count; n++) CHECK(r.seen[n].number >= 14);
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
    {"1:abc/6 2:ef/6", "5 were read and 6 counted", 1, 0},
    {"1:abc/6 2:cde/6 3:/6", "5 were read", 1, 0},
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

static const struct check_test tests[] = {
    {"drift: one change in the middle", test_changes},
    {"drift: a change, and a total that is too low", test_a_change_and_a_low_total},
    {"drift: first_page, and one change", test_first_page},
    {"drift: lists that are written down", test_scripts},
    {"drift: `error` names the sign", test_errors},
};

CHECK_MAIN(tests)
