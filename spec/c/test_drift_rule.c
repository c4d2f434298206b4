/* test_drift_rule.c - drift.h page by page: which one is accepted, how far a sign goes back, what
 * counts then, and what the owner may ask.
 *
 * SPDX-License-Identifier: MIT */
#include <limits.h>

#include "drift_list.h"

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

/* Page 4 shows the total of page 3, which one under way between them did not. */
static void test_named(void) {
  struct avp_page page = {.number = 5, .rows = 10, .has_total = true, .total = 90};
  avp_drift_init(&d, AVP_DRIFT_ERROR, 1, 10, 4, false);
  judge_all("1/90 1-2 . >2 w4; 2/90 3-4 . >3 w4; 3/91 5-9 a >4 w4; 4/90 6-11 a >5 w4;");
  page.sent = 7;
  page.received = 12;
  page.has_new = true;
  CHECK_INT(AVP_DRIFT_FAIL, avp_drift_page(&d, &page, &r.err));
  CHECK_INT(AVP_ERR_DRIFT, r.err.kind);
  CHECK(strstr(r.err.message, "the total count changed while page 5 was under way") != NULL);
}

static const struct check_test tests[] = {
    {"drift: when a page is accepted", test_accepted},
    {"drift: what the error names", test_named},
    {"drift: how far it goes back", test_going_back},
    {"drift: the width after a sign", test_width_after_a_sign},
    {"drift: what counts in going back", test_what_counts},
    {"drift: more goings back than limits", test_limits},
    {"drift: firm", test_firm},
    {"drift: the last page to ask for", test_last},
};

CHECK_MAIN(tests)
