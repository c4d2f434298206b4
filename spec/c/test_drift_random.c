/* test_drift_random.c - drift.h against thousands of lists that move while they are read.
 *
 * A history is made from its seed alone. Whatever happens, no id comes twice; and if the reader
 * ends without an error, each customer who was there from the first page to the last has come, or
 * `missing` says so, but for the histories that cannot be seen from outside (excuse_of has the
 * exact words). They are counted by name.
 *
 * usage: test_drift_random [rates | SEED]   with a seed: that history alone, with its events
 *
 * SPDX-License-Identifier: MIT */
#include "drift_reader.h"

#define LIST_MAX  4000
#define HISTORIES 12000 /* of each kind */

enum kind { TRACED, UNTRACED, MOVES, HIDDEN, NO_TOTAL, KINDS };

static const char *const kind_names[KINDS] = {
    "changes that the total shows", "any changes", "rows that change places",
    "totals that count too many", "no total, or one of its own page"};

enum totals { TRUE_TOTAL, ONE_TOO_MANY, OWN_TOTAL, NO_TOTAL_AT_ALL };

struct world {
  struct server server; /* first, so that one is the other */
  uint64_t random;
  int list[LIST_MAX];
  int count;
  int next_id;
  bool gone[IDS_MAX];   /* away at some moment */
  bool hidden[IDS_MAX]; /* counted by the total and not sent */
  int size;             /* rows of a page, as the server cuts them */
  int busy;             /* one page in so many comes with a change; 0: none does */
  bool traced;          /* each change shows in the total */
  bool hidden_after;    /* rows are hidden after the page was cut, which is then shorter */
  bool past_has_total;  /* a page past the end shows the total (200), or not (204, 400, 404) */
  int several;          /* in how many of 100 changes several rows change at once */
  int masses;           /* in how many more than a page goes at once */
  int moves;            /* in how many a row gets another place */
  int group;            /* rows of equal rank, which come in any order; 0: none */
  int cluster;          /* in how many of 100 changes the place is near the page just read */
  enum totals totals;
  long last_page; /* cut last */
  long version;   /* counts changes */
  bool moved;     /* rows have changed places, and others have come or gone */
  bool talk;      /* print what happens */
};

static void put(struct world *w, int id, int at) {
  if (w->count == LIST_MAX) return;
  memmove(w->list + at + 1, w->list + at, (size_t)(w->count - at) * sizeof w->list[0]);
  w->list[at] = id;
  w->count++;
  if (w->talk) printf("#   customer %d comes in at %d\n", id, at);
}

static int take_out(struct world *w, int at) {
  int id = w->list[at];
  w->count--;
  memmove(w->list + at, w->list + at + 1, (size_t)(w->count - at) * sizeof w->list[0]);
  if (w->talk) printf("#   customer %d goes from %d\n", id, at);
  return id;
}

static int place(struct world *w) {
  if (below(&w->random, 100) < w->cluster) {
    int at = (int)w->last_page * w->size + below(&w->random, 5) - 2;
    return at < 0 ? 0 : at > w->count ? w->count : at;
  }
  return below(&w->random, w->count + 1);
}

static void insert(struct world *w, int at) {
  if (w->next_id == IDS_MAX) return;
  w->gone[w->next_id] = true; /* it was not there from the first */
  put(w, w->next_id++, at < w->count ? at : w->count);
}

static void remove_at(struct world *w, int at) {
  if (at < w->count) w->gone[take_out(w, at)] = true;
}

static void move_row(struct world *w) {
  if (w->count < 2) return;
  put(w, take_out(w, below(&w->random, w->count)), below(&w->random, w->count));
  w->moved = true;
}

static void change(struct world *w) {
  int kind = below(&w->random, 100);
  int at = place(w);
  int n = 1;
  if (kind < w->moves) {
    move_row(w);
    return;
  }
  kind -= w->moves;
  if (kind < w->masses) {
    for (n = w->size + below(&w->random, 2 * w->size + 1); n > 0; n--) remove_at(w, at);
    return;
  }
  if (kind - w->masses < w->several) n = 2 + below(&w->random, 4);
  for (; n > 0; n--) {
    if (below(&w->random, 2) == 0 || w->count == 0) {
      insert(w, at);
    } else {
      remove_at(w, at < w->count ? at : w->count - 1);
    }
    if (below(&w->random, 3) == 0) at = place(w); /* else several changes at one place */
  }
}

static void happen(struct world *w) {
  int before = w->count;
  if (w->busy == 0 || below(&w->random, w->busy) != 0) return;
  change(w);
  if (w->traced && w->count == before) insert(w, place(w));
  w->version++;
}

/* The rows of equal rank come in another order with each page. */
static void shuffle(struct world *w, int *rows) {
  int from;
  for (from = 0; from < w->count; from += w->group) {
    int n = w->count - from < w->group ? w->count - from : w->group;
    int i;
    for (i = n - 1; i > 0; i--) {
      int j = below(&w->random, i + 1);
      int id = rows[from + i];
      rows[from + i] = rows[from + j];
      rows[from + j] = id;
    }
  }
}

static void fill_page(struct world *w, long number, struct page *out) {
  static int rows[LIST_MAX];
  long from = (number - 1) * w->size;
  int n = 0;
  int i;
  memcpy(rows, w->list, (size_t)w->count * sizeof rows[0]);
  if (w->group > 0) shuffle(w, rows);
  for (i = 0; i < w->count; i++) {
    bool sent = !w->hidden[rows[i]];
    if (!sent && !w->hidden_after) continue;
    if (n >= from && n < from + w->size && sent) out->ids[out->rows++] = rows[i];
    n++;
  }
}

static void serve(struct server *server, long number, struct page *out) {
  struct world *w = (struct world *)server;
  happen(w);
  fill_page(w, number, out);
  w->last_page = number;
  out->version = w->version;
  out->list_count = w->count;
  out->has_total = w->totals != NO_TOTAL_AT_ALL;
  out->total = w->totals == OWN_TOTAL ? out->rows : w->count + (w->totals == ONE_TOO_MANY);
  if (out->rows == 0 && number > 1 && (number - 1) * w->size >= w->count && !w->past_has_total) {
    out->has_total = false;
  }
  if (w->talk) {
    int i;
    printf("# page %ld, total %s%d:", number, out->has_total ? "" : "none of ", (int)out->total);
    for (i = 0; i < out->rows; i++) printf(" %d", out->ids[i]);
    printf("\n");
  }
}

static void hide_some(struct world *w) {
  int i;
  for (i = 0; i < w->count; i++) w->hidden[i] = below(&w->random, 20) == 0;
}

static void fill_world(struct world *w, int rows) {
  w->server.serve = serve;
  while (w->count < rows) put(w, w->next_id++, w->count);
}

static void vary(struct world *w, enum kind kind) {
  w->traced = kind == TRACED || (kind == HIDDEN && below(&w->random, 2) == 0);
  w->several = below(&w->random, 2) * 40;
  w->masses = below(&w->random, 2) * 10;
  w->cluster = below(&w->random, 2) * 80;
  w->past_has_total = below(&w->random, 3) != 0;
  if (kind == MOVES) {
    w->moves = 10 + below(&w->random, 90);
    w->group = below(&w->random, 2) * (2 + below(&w->random, 3 * w->size));
    if (w->group > 0 && below(&w->random, 2) == 0) w->busy = 0;
  }
  if (kind == HIDDEN && below(&w->random, 2) == 0) {
    w->totals = ONE_TOO_MANY;
  } else if (kind == HIDDEN) {
    w->hidden_after = below(&w->random, 2) == 0;
    hide_some(w);
  }
  if (kind == NO_TOTAL) w->totals = below(&w->random, 2) == 0 ? OWN_TOTAL : NO_TOTAL_AT_ALL;
}

/* Returns the page size that the reader asks for: the server may cut pages below it. */
static int make_world(struct world *w, enum kind kind, uint64_t seed) {
  static const int busy[] = {0, 2, 5, 10, 20, 50, 100};
  int pages;
  int asked;
  memset(w, 0, sizeof *w);
  w->random = seed * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)kind + 1;
  (void)draw(&w->random);
  asked = 1 + below(&w->random, 20);
  w->size = below(&w->random, 3) == 0 ? (asked + 1) / 2 : asked;
  if (kind == NO_TOTAL) w->size = asked;
  pages = below(&w->random, below(&w->random, 2) == 0 ? 60 : 9);
  w->busy = busy[below(&w->random, 7)];
  fill_world(w, pages == 0 ? 0 : pages * w->size - below(&w->random, w->size));
  vary(w, kind);
  return asked;
}

/* Customers who were there all the time, were to be sent, and have not come. */
static int count_lost(const struct world *w, const struct reader *r, bool talk) {
  int lost = 0;
  int i;
  for (i = 0; i < w->count; i++) {
    int id = w->list[i];
    if (w->gone[id] || w->hidden[id] || r->yielded[id]) continue;
    lost++;
    if (talk) printf("# lost: customer %d\n", id);
  }
  return lost;
}

enum { SEEN, CANCELLED, MOVED, TOTALLESS, EXCUSES };

static const char *const excuses[EXCUSES] = {
    "a loss that could be seen",
    "changes that cancel out between two pages",
    "a row that moves to the part already read while others come and go",
    "no total, and changes that leave no sign",
};

static int by_cut(const void *a, const void *b) {
  const struct page *one = a;
  const struct page *two = b;
  return one->cut_at < two->cut_at ? -1 : 1;
}

/* Whether the list changed between two pages that the reader saw, with none in between, and their
 * totals are the same. Pages that were dropped unread show nothing. */
static bool changes_cancel(struct reader *r) {
  int i;
  qsort(r->seen, (size_t)r->seen_count, sizeof r->seen[0], by_cut);
  for (i = 1; i < r->seen_count; i++) {
    if (r->seen[i].version != r->seen[i - 1].version &&
        r->seen[i].list_count == r->seen[i - 1].list_count) {
      return true;
    }
  }
  return false;
}

static int excuse_of(const struct world *w, struct reader *r, enum kind kind) {
  if (kind == NO_TOTAL && w->version > 0) return TOTALLESS;
  if (!w->moved && changes_cancel(r)) return CANCELLED;
  if ((w->moved || w->group > 0) && w->version > 0) return MOVED;
  return SEEN;
}

struct tally {
  int ended;         /* without an error */
  int failed;        /* with one */
  int went_back;     /* ended after a sign */
  int told;          /* ended with `missing` */
  int hurt[EXCUSES]; /* histories with a loss, by name */
  int twice;         /* histories in which an id came twice */
  int endless;
  uint64_t bad_seed; /* of the first history that must not be */
};

static void judge(struct tally *tally, const struct world *w, struct reader *r, enum kind kind,
                  uint64_t seed) {
  bool bad = r->twice > 0 || (r->verdict != AVP_DRIFT_END && r->verdict != AVP_DRIFT_FAIL);
  int lost = r->verdict == AVP_DRIFT_END ? count_lost(w, r, w->talk) : 0;
  tally->twice += r->twice > 0;
  tally->endless += r->verdict != AVP_DRIFT_END && r->verdict != AVP_DRIFT_FAIL;
  tally->failed += r->verdict == AVP_DRIFT_FAIL;
  tally->ended += r->verdict == AVP_DRIFT_END;
  tally->went_back += r->verdict == AVP_DRIFT_END && r->drift.went_back > 0;
  tally->told += r->verdict == AVP_DRIFT_END && r->drift.missing > 0;
  if (lost > r->drift.missing) {
    int name = excuse_of(w, r, kind);
    tally->hurt[name]++;
    bad = bad || name == SEEN;
    if (w->talk) printf("# %s\n", excuses[name]);
  }
  if (bad && tally->bad_seed == 0) tally->bad_seed = seed;
}

static void play(struct tally *tally, enum kind kind, uint64_t seed, bool talk) {
  static const int widths[] = {1, 2, 3, 4, 8, 16};
  static struct world w; /* large, and used one at a time */
  static struct reader r;
  int asked = make_world(&w, kind, seed);
  bool strict = below(&w.random, 5) == 0;
  w.talk = talk;
  reader_init(&r, &w.server, strict ? AVP_DRIFT_STRICT : AVP_DRIFT_REPAIR, asked,
              widths[below(&w.random, 6)]);
  r.random = draw(&w.random) | 1;
  r.drops = below(&w.random, 4) == 0;
  if (talk) {
    printf("# seed %d, %s, pages of %d (asked %d), %d under way\n", (int)seed, kind_names[kind],
           w.size, asked, r.drift.max_width);
  }
  reader_run(&r);
  if (talk && r.verdict == AVP_DRIFT_FAIL) printf("# %s\n", r.err.message);
  if (talk) printf("# readings %d, missing %d\n", r.drift.reading, (int)r.drift.missing);
  judge(tally, &w, &r, kind, seed);
}

static void test_kind(enum kind kind) {
  struct tally tally;
  uint64_t seed;
  int i;
  memset(&tally, 0, sizeof tally);
  for (seed = 1; seed <= HISTORIES; seed++) play(&tally, kind, seed, false);
  printf("# %s: %d histories, %d ended (%d went back, %d told of missing rows), %d with an error\n",
         kind_names[kind], HISTORIES, tally.ended, tally.went_back, tally.told, tally.failed);
  for (i = 0; i < EXCUSES; i++) {
    if (tally.hurt[i] > 0) printf("#   %d: %s\n", tally.hurt[i], excuses[i]);
  }
  CHECK_INT(0, tally.bad_seed); /* to replay it: test_drift_random SEED */
  CHECK_INT(0, tally.twice);
  CHECK_INT(0, tally.endless);
  CHECK_INT(0, tally.hurt[SEEN]);
  CHECK(tally.hurt[MOVED] < HISTORIES / 100); /* an excuse must stay rare */
  CHECK(tally.ended > HISTORIES / 2);
}

static void test_traced(void) { test_kind(TRACED); }
static void test_untraced(void) { test_kind(UNTRACED); }
static void test_moves(void) { test_kind(MOVES); }
static void test_hidden(void) { test_kind(HIDDEN); }
static void test_no_total(void) { test_kind(NO_TOTAL); }

/* rates ----------------------------------------------------------------------------------------*/

#define RATE_ROWS 10 /* of a page */

struct rate {
  int given_up;
  int lost;
  double asked; /* pages, of all lists */
};

/* Lists of so many pages; one page in `every` comes with one row added or removed. */
static struct rate rate_of(int pages, int every, int width, int lists) {
  static struct world w;
  static struct reader r;
  struct rate rate = {0, 0, 0};
  int seed;
  for (seed = 1; seed <= lists; seed++) {
    memset(&w, 0, sizeof w);
    w.random = (uint64_t)seed * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)(pages * every * width);
    (void)draw(&w.random);
    w.size = RATE_ROWS;
    w.busy = every;
    w.past_has_total = true;
    fill_world(&w, pages * w.size - below(&w.random, w.size));
    reader_init(&r, &w.server, AVP_DRIFT_REPAIR, w.size, width);
    r.random = draw(&w.random) | 1;
    reader_run(&r);
    rate.given_up += r.verdict != AVP_DRIFT_END;
    rate.lost += r.verdict == AVP_DRIFT_END && count_lost(&w, &r, false) > 0;
    rate.asked += (double)r.asked;
  }
  return rate;
}

static const int rate_pages[] = {3, 10, 30, 100};
static const int rate_every[] = {100, 20, 10, 5};
static const int rate_widths[] = {1, 4, 16};

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static void print_rates(int lists) {
  size_t i;
  size_t p;
  size_t e;
  printf("drift = \"repair\", %d lists each: given up / lost / pages read a list\n", lists);
  for (i = 0; i < LENGTH(rate_widths); i++) {
    printf("%d under way\n  one change in    ", rate_widths[i]);
    for (p = 0; p < LENGTH(rate_pages); p++) printf("%15d pages", rate_pages[p]);
    printf("\n");
    for (e = 0; e < LENGTH(rate_every); e++) {
      printf("  %3d pages read   ", rate_every[e]);
      for (p = 0; p < LENGTH(rate_pages); p++) {
        struct rate rate = rate_of(rate_pages[p], rate_every[e], rate_widths[i], lists);
        printf("%7d / %d / %7.1f", rate.given_up, rate.lost, rate.asked / lists);
      }
      printf("\n");
    }
  }
}

/* Pages asked for of a list that rests but for one change when page 15 is cut: a row comes (1) or
 * goes (-1) in front of it. */
struct quiet {
  struct world world; /* first, so that one is the other */
  int change;
};

static void serve_quiet(struct server *server, long number, struct page *out) {
  struct quiet *q = (struct quiet *)server;
  if (number == 15 && q->change != 0) {
    if (q->change > 0) insert(&q->world, 50);
    if (q->change < 0) remove_at(&q->world, 50);
    q->change = 0;
  }
  serve(server, number, out);
}

static long asked_of(int rows, int size, int asked_size, int width, int change) {
  static struct quiet q;
  static struct reader r;
  memset(&q, 0, sizeof q);
  q.world.size = size;
  q.world.past_has_total = true;
  q.change = change;
  fill_world(&q.world, rows);
  q.world.server.serve = serve_quiet;
  reader_init(&r, &q.world.server, AVP_DRIFT_REPAIR, asked_size, width);
  reader_run(&r);
  return r.verdict == AVP_DRIFT_END && count_lost(&q.world, &r, false) == 0 ? r.asked : -1;
}

static void print_quiet(void) {
  printf("pages asked for of a quiet list: 1 page %ld, 5 pages %ld, the last of them full %ld\n",
         asked_of(97, 100, 100, 4, 0), asked_of(497, 100, 100, 4, 0),
         asked_of(500, 100, 100, 4, 0));
  printf("1000 rows a page asked for, 100 given, 2,900 customers: %ld\n",
         asked_of(2900, 100, 1000, 4, 0));
  printf("30 pages, one row removed in the middle: %ld (1 under way), %ld (4), %ld (16)\n",
         asked_of(295, 10, 10, 1, -1), asked_of(295, 10, 10, 4, -1), asked_of(295, 10, 10, 16, -1));
  printf("30 pages, one row added in the middle: %ld (1 under way), %ld (4), %ld (16)\n",
         asked_of(295, 10, 10, 1, 1), asked_of(295, 10, 10, 4, 1), asked_of(295, 10, 10, 16, 1));
}

static void print_memory(void) {
  struct avp_idset *set = avp_idset_new();
  size_t bytes = sizeof *set;
  size_t count = 0;
  int i;
  for (i = 0; i < 1000000; i++) {
    const struct avp_mark mark = {1, 1};
    struct avp_id id = avp_idset_id(set, (const char *)&i, sizeof i);
    if (!avp_idset_reserve(set, &id, 1)) break;
    avp_idset_put(set, &id, &mark);
  }
  for (i = 0; i < AVP_IDSET_SEGMENTS; i++) {
    bytes += set->segments[i].size * AVP_IDSET_SLOT;
    count += set->segments[i].count;
  }
  printf("the ids of %lu customers take %.1f MiB\n", (unsigned long)count, (double)bytes / 1048576);
  avp_idset_free(set);
}

/* What doc/consistency.md says of lists that never rest. */
static void test_rates(void) {
  struct rate rate = rate_of(30, 5, 4, 300);
  CHECK_INT(0, rate.given_up + rate.lost);
  CHECK(rate.asked < 300 * 65.0);
  rate = rate_of(100, 10, 16, 100);
  CHECK_INT(0, rate.given_up + rate.lost);
}

static const struct check_test tests[] = {
    {"drift, random: changes that the total shows lose nothing", test_traced},
    {"drift, random: any changes lose nothing that can be seen", test_untraced},
    {"drift, random: rows that change places", test_moves},
    {"drift, random: totals that count too many", test_hidden},
    {"drift, random: without totals", test_no_total},
    {"drift, random: a list that never rests is read", test_rates},
};

int main(int argc, char **argv) {
  struct tally tally;
  int kind;
  if (argc < 2) return check_run(tests, sizeof tests / sizeof tests[0]);
  if (strcmp(argv[1], "rates") == 0) {
    print_rates(argc > 2 ? atoi(argv[2]) : 1000);
    print_quiet();
    print_memory();
    return 0;
  }
  memset(&tally, 0, sizeof tally);
  for (kind = 0; kind < KINDS; kind++) {
    play(&tally, (enum kind)kind, strtoul(argv[1], NULL, 10), true);
  }
  return tally.bad_seed != 0;
}
